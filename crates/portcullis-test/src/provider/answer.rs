//! [`Answer`]: the answer to a request, independent of the transport.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use http::{
    HeaderValue, Response,
    header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION},
};
use portcullis_core::Algorithm;

use super::Behaviour;
use crate::{MockIssuer, must::must};

/// A whole answer, with its timing.
#[derive(Debug)]
pub(super) enum Answer {
    /// There is never an answer.
    Never,
    /// The connection is refused.
    Refused,
    After(Duration, Response<Vec<u8>>),
    /// A response that ends after this many bytes.
    Cut(Response<Vec<u8>>, usize),
}

/// The two documents of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Metadata,
    KeySet,
}

/// The documents at one moment, with their caching headers.
#[derive(Clone, Debug)]
pub(super) struct Documents {
    pub(super) metadata: String,
    pub(super) key_set: String,
    pub(super) cache_control: Option<String>,
    pub(super) etags: bool,
}

impl Documents {
    pub(super) fn of(issuer: &MockIssuer) -> Self {
        Self { metadata: issuer.discovery(), key_set: issuer.jwks(), cache_control: None, etags: false }
    }

    fn text(&self, asked: Asked) -> &str {
        match asked {
            Asked::Metadata => &self.metadata,
            Asked::KeySet => &self.key_set,
        }
    }

    /// Returns the answer of a provider with this behaviour.
    pub(super) fn answer(&self, behaviour: &Behaviour, asked: Asked, if_none_match: Option<&HeaderValue>) -> Answer {
        use Behaviour as B;
        let text = self.text(asked);
        let now = |response| Answer::After(Duration::ZERO, response);
        match behaviour {
            B::Hang => Answer::Never,
            B::Unreachable => Answer::Refused,
            B::Slow(time) => Answer::After(*time, self.normal(text, if_none_match)),
            B::Truncated => Answer::Cut(self.normal(text, None), text.len() / 2),
            B::Status(status) => now(plain(*status, "application/json", r#"{"error":"as scripted"}"#)),
            B::Redirect(url) => now(redirect(url)),
            B::ContentType(name) => now(plain(200, name, text)),
            B::LoginPage => now(plain(200, "text/html; charset=utf-8", LOGIN_PAGE)),
            B::Huge => now(self.normal(&format!("{text}{}", " ".repeat(HUGE)), None)),
            B::Garbage => now(self.normal("{\"keys\": [", None)),
            _ => now(self.normal(&self.changed(behaviour, asked), if_none_match)),
        }
    }

    /// Returns the document with the changes that this behaviour makes.
    fn changed(&self, behaviour: &Behaviour, asked: Asked) -> String {
        use Behaviour as B;
        match (behaviour, asked) {
            (B::OtherIssuer(name), Asked::Metadata) => with_member(&self.metadata, "issuer", name),
            (B::OtherKeySet(url), Asked::Metadata) => with_member(&self.metadata, "jwks_uri", url),
            (B::EmptySet, Asked::KeySet) => r#"{"keys":[]}"#.to_owned(),
            (B::NoUsableKey, Asked::KeySet) => format!(r#"{{"keys":[{ODD_KEY}]}}"#),
            (B::OddKey, Asked::KeySet) => with_key(&self.key_set, ODD_KEY),
            (B::SharedSecret, Asked::KeySet) => with_key(&self.key_set, SECRET),
            (B::PrivateKeys, Asked::KeySet) => self.key_set.replace("\"kty\":", "\"d\":\"AAECAwQFBgc\",\"kty\":"),
            (B::DuplicateIds, Asked::KeySet) => {
                // Another issuer's keys get the same ids, because they are generated in the same order.
                let other = MockIssuer::with_algorithm(Algorithm::Es256).jwks();
                let (theirs, ours) = (keys_of(&other), keys_of(&self.key_set));
                format!(r#"{{"keys":[{theirs},{ours}]}}"#)
            }
            (B::TooManyKeys, Asked::KeySet) => {
                format!(r#"{{"keys":[{}{}]}}"#, format!("{ODD_KEY},").repeat(100), keys_of(&self.key_set))
            }
            _ => self.text(asked).to_owned(),
        }
    }

    fn normal(&self, text: &str, if_none_match: Option<&HeaderValue>) -> Response<Vec<u8>> {
        let mut response = plain(200, "application/json", text);
        if let Some(value) = &self.cache_control {
            response.headers_mut().insert(CACHE_CONTROL, header(value));
        }
        if self.etags {
            let etag = header(&etag(text));
            if if_none_match == Some(&etag) {
                *response.status_mut() = http::StatusCode::NOT_MODIFIED;
                response.body_mut().clear();
                response.headers_mut().remove(CONTENT_TYPE);
            }
            response.headers_mut().insert(ETAG, etag);
        }
        response
    }
}

const HUGE: usize = 600 * 1024;

const LOGIN_PAGE: &str = "<!doctype html><title>Log in</title><form><input name=user><input name=password></form>";

/// A key of an unsupported curve.
const ODD_KEY: &str =
    r#"{"kty":"EC","crv":"secp256k1","kid":"odd","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAA"}"#;

const SECRET: &str = r#"{"kty":"oct","kid":"shared","alg":"HS256","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#;

fn plain(status: u16, content_type: &str, body: &str) -> Response<Vec<u8>> {
    let response = Response::builder().status(status).header(CONTENT_TYPE, header(content_type));
    must(response.body(body.as_bytes().to_vec()), "there is no such HTTP response")
}

fn redirect(url: &str) -> Response<Vec<u8>> {
    let mut response = plain(302, "text/html", "elsewhere");
    response.headers_mut().insert(LOCATION, header(url));
    response
}

fn header(value: &str) -> HeaderValue {
    must(HeaderValue::from_str(value), "there is no such value of an HTTP header")
}

fn etag(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

/// Returns the elements of a set, without the brackets.
fn keys_of(set: &str) -> &str {
    set.strip_prefix(r#"{"keys":["#).and_then(|rest| rest.strip_suffix("]}")).unwrap_or_default()
}

fn with_key(set: &str, key: &str) -> String {
    format!(r#"{{"keys":[{},{key}]}}"#, keys_of(set))
}

fn with_member(document: &str, name: &str, value: &str) -> String {
    let mut document: serde_json::Value = must(serde_json::from_str(document), "the metadata is no JSON");
    document[name] = value.into();
    document.to_string()
}
