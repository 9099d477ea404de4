//! [`NonceHeader`]: where nonces are in requests and answers.

use std::{borrow::Cow, fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, header::AUTHORIZATION};
use portcullis_core::authenticator::Scheme;
use serde::Deserialize;

/// Where nonces are: the HTTP header that an answer has them in, the scheme whose clients need them, and the place in a request's proof.
#[derive(Clone)]
pub struct NonceHeader {
    name: HeaderName,
    scheme: Scheme,
    read: Arc<ReadNonce>,
}

type ReadNonce = dyn Fn(&HeaderMap) -> Option<Cow<'_, str>> + Send + Sync;

impl NonceHeader {
    /// Returns the HTTP header with this name, for a scheme whose proofs have their nonce where `read` finds it. `read` returns `None` if the request has no
    /// proof with a nonce; it need not check the proof.
    pub fn new<F>(name: HeaderName, scheme: Scheme, read: F) -> Self
    where
        F: Fn(&HeaderMap) -> Option<Cow<'_, str>> + Send + Sync + 'static,
    {
        Self { name, scheme, read: Arc::new(read) }
    }

    /// Returns `Nats-Nonce`, for the scheme `NatsUser`. The nonce is the parameter `nonce` of the HTTP header `Nats-Proof`.
    pub fn nats() -> Self {
        Self::new(HeaderName::from_static("nats-nonce"), Scheme::Other("NatsUser"), |headers| {
            let mut parameters = only(headers, "nats-proof")?.split(';');
            parameters.find_map(|parameter| parameter.trim().strip_prefix("nonce=")).map(Cow::Borrowed)
        })
    }

    /// Returns `DPoP-Nonce`, for the scheme `DPoP` (RFC 9449 section 8.1). The nonce is the claim `nonce` of the proof in the HTTP header `DPoP`.
    pub fn dpop() -> Self {
        Self::new(HeaderName::from_static("dpop-nonce"), Scheme::DPoP, |headers| {
            let claims = only(headers, "dpop")?.split('.').nth(1)?;
            let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
            serde_json::from_slice::<WithNonce>(&claims).ok()?.nonce.map(Cow::Owned)
        })
    }

    /// Returns the name of the HTTP header.
    pub fn name(&self) -> &HeaderName {
        &self.name
    }

    /// Returns the nonce of the request's proof.
    pub(super) fn read<'r>(&self, headers: &'r HeaderMap) -> Option<Cow<'r, str>> {
        (self.read)(headers)
    }

    /// Whether the request presents a credential under the scheme.
    pub(super) fn is_presented(&self, headers: &HeaderMap) -> bool {
        headers.get_all(AUTHORIZATION).iter().any(|value| self.is_named_by(value.as_bytes()))
    }

    /// Whether the value of an `Authorization` or `WWW-Authenticate` HTTP header begins with the scheme, in upper or lower case (RFC 9110 section
    /// 11.1).
    pub(super) fn is_named_by(&self, value: &[u8]) -> bool {
        let name = value.trim_ascii_start().split(|byte| *byte == b' ').next().unwrap_or_default();
        name.eq_ignore_ascii_case(self.scheme.as_str().as_bytes())
    }
}

impl fmt::Debug for NonceHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NonceHeader").field("name", &self.name).field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

/// The part of a DPoP proof's claims that matters here. The authenticator checks the proof, so this need not be strict.
#[derive(Deserialize)]
struct WithNonce {
    nonce: Option<String>,
}

/// Returns the text of an HTTP header that occurs once.
fn only<'r>(headers: &'r HeaderMap, name: &str) -> Option<&'r str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    value.to_str().ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        let header = |value: &&str| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in values.iter().map(header) {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn the_nonce_of_a_nats_proof_is_its_parameter() {
        let read = |values: &[&str]| {
            let headers = headers("nats-proof", values);
            NonceHeader::nats().read(&headers).map(Cow::into_owned)
        };
        for proof in ["v=1; ts=1; nonce=abc; id=2; sig=3", "nonce=abc", "v=1;nonce=abc;id=2", "v=1 ;  nonce=abc"] {
            assert_eq!(read(&[proof]).as_deref(), Some("abc"), "{proof}");
        }
        assert_eq!(read(&["nonce="]).as_deref(), Some(""));
        for without in ["", "v=1; id=2", "v=1; anonce=abc", "v=1, nonce=abc", "Nonce=abc"] {
            assert_eq!(read(&[without]), None, "{without}");
        }
        assert_eq!(read(&["nonce=abc", "nonce=abc"]), None, "two proofs");
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn the_nonce_of_a_dpop_proof_is_its_claim() {
        let read = |claims: &str| {
            let proof = format!("e30.{}.AA", URL_SAFE_NO_PAD.encode(claims));
            let headers = headers("dpop", &[&proof]);
            NonceHeader::dpop().read(&headers).map(Cow::into_owned)
        };
        assert_eq!(read(r#"{"jti":"1","nonce":"abc"}"#).as_deref(), Some("abc"));
        for without in [r#"{"jti":"1"}"#, r#"{"nonce":1}"#, r#"{"nonce":null}"#, "", "[]"] {
            assert_eq!(read(without), None, "{without}");
        }
        for broken in ["", "a", "a.b", "a.?.c"] {
            assert_eq!(NonceHeader::dpop().read(&headers("dpop", &[broken])), None, "{broken}");
        }
    }

    #[test]
    fn a_scheme_is_a_whole_word_in_any_case() {
        let nats = NonceHeader::nats();
        for value in ["NatsUser eyJ", "natsuser eyJ", "NatsUser", " NatsUser realm=\"a\""] {
            assert!(nats.is_named_by(value.as_bytes()), "{value}");
        }
        for value in ["NatsUserX eyJ", "NatsUse", "Bearer NatsUser", "", "Bearer"] {
            assert!(!nats.is_named_by(value.as_bytes()), "{value}");
        }
    }
}
