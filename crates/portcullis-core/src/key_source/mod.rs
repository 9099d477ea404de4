//! [`KeySource`]: finds the keys that may have signed a token, given its header.

mod error;
mod secret_and_public;
mod token_hash;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

pub use error::{KeySourceError, KeySourceErrorKind};
pub use secret_and_public::SecretAndPublic;
pub use token_hash::{TokenHash, TokenHashKey};

use crate::{
    Algorithm, UnixTime,
    keys::{AlgorithmSet, KeyMatch},
};

/// Finds the keys that may have signed a token.
///
/// Implement it to store keys in a new place. The rules:
///
/// * Answer from memory, without a lock: [`resolve`](KeySource::resolve) runs for every token. Put work that takes time into
///   [`Resolved::waiting`].
/// * The hint is untrusted. A key id that names no key is [`Resolved::Unknown`]; never try other keys instead.
/// * "We could not find out" is [`Resolved::Fault`] (HTTP 503), never `Unknown` (401). Report an outage to the operator yourself, once:
///   the result of each request is only logged for debugging, because clients can send any number of them.
///
/// Most implementations keep a [`KeySet`](crate::KeySet) and pass the hint on to its [`resolve`](KeySource::resolve), which already
/// follows the rules.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a source of keys",
    note = "use a `KeySet`, a `KeyRing` or an `Arc` of a source; one key or secret becomes a set by `KeySet::from`"
)]
pub trait KeySource: fmt::Debug + Send + Sync + 'static {
    /// Finds the keys for a token with this hint at the instant `now`.
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved;

    /// Called if none of `tried`, the keys that [`resolve`](KeySource::resolve) returned, made the signature: there may be a newer key
    /// with the same id. If the answer has keys, at once or after [`Resolved::Waiting`], the token is verified once more, and that result
    /// is final. [`Resolved::Fault`] says that there may be a newer key, but that it could not be looked up (HTTP 503); after any other
    /// answer the token is refused.
    ///
    /// Anyone can send a forged token, so limit its cost. Defaults to [`Resolved::Unknown`]: there is no newer key.
    fn reconsider(&self, hint: KeyHint<'_>, tried: &KeyMatch) -> Resolved {
        let _ = (hint, tried);
        Resolved::Unknown
    }

    /// Called for each accepted token that one of the keys has verified, now or earlier (a cached token of the current
    /// [`edition`](Self::edition)): the issuer exists, and is in use. Anyone can cause all other calls with a forged token, so a source that ends when it is
    /// not in use counts only this one as use.
    ///
    /// Called for every token, so it must be cheap, and must not block. Defaults to nothing.
    fn note_verified(&self) {}

    /// Returns a number for the keys at `now`. It must be different whenever [`resolve`](KeySource::resolve) may return other keys than
    /// before, or none. It is stored with each cached token, which is verified again when the number differs.
    ///
    /// Called for every token, so answer from memory, without a lock. Defaults to `None`: no token is cached.
    fn edition(&self, now: UnixTime) -> Option<u64> {
        let _ = now;
        None
    }

    /// Returns a known problem of the source, as a sentence for the developer. Called when an authenticator is made from it.
    ///
    /// Defaults to nothing.
    fn problem(&self) -> Option<String> {
        None
    }

    /// Returns the algorithms of the source's keys, as far as they are known when an authenticator is made. If the policy allows none of
    /// them, this is a configuration error.
    ///
    /// Defaults to all, if they are not known.
    fn algorithms(&self) -> AlgorithmSet {
        AlgorithmSet::ALL
    }

    /// Returns the current keys, such as `2026-11 (HS256)`, for the log line about a token whose key is not among them. It may say how
    /// the hint differs from a key's name, but must not repeat the hint, which comes from the token. Clients can trigger this call, so
    /// limit its work and its length.
    ///
    /// Defaults to `None`: the log does not show the keys.
    fn describe(&self, hint: KeyHint<'_>) -> Option<String> {
        let _ = hint;
        None
    }
}

impl<T: KeySource + ?Sized> KeySource for Arc<T> {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        (**self).resolve(hint, now)
    }

    fn reconsider(&self, hint: KeyHint<'_>, tried: &KeyMatch) -> Resolved {
        (**self).reconsider(hint, tried)
    }

    fn note_verified(&self) {
        (**self).note_verified();
    }

    fn edition(&self, now: UnixTime) -> Option<u64> {
        (**self).edition(now)
    }

    fn problem(&self) -> Option<String> {
        (**self).problem()
    }

    fn algorithms(&self) -> AlgorithmSet {
        (**self).algorithms()
    }

    fn describe(&self, hint: KeyHint<'_>) -> Option<String> {
        (**self).describe(hint)
    }
}

/// What a token's header says about its key. Untrusted: it selects among trusted keys and proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyHint<'a> {
    /// The header's `alg`. A key that does not support it is not a candidate.
    pub algorithm: Algorithm,
    /// The header's `kid`, if it has one.
    pub key_id: Option<&'a str>,
    /// The header's `x5t`, if it has one; used only if there is no `kid`.
    pub certificate_sha1: Option<&'a str>,
    /// The header's `x5t#S256`, if it has one; used only if there is no `kid`.
    pub certificate_sha256: Option<&'a str>,
    token: Option<TokenText<'a>>,
}

/// A token's text, which only [`KeyHint::token_hash`] reads.
#[derive(Clone, Copy, PartialEq, Eq)]
struct TokenText<'a>(&'a str);

impl<'a> KeyHint<'a> {
    /// Returns a hint from a header's `alg` and `kid`.
    pub const fn new(algorithm: Algorithm, key_id: Option<&'a str>) -> Self {
        Self { algorithm, key_id, certificate_sha1: None, certificate_sha256: None, token: None }
    }

    /// Adds a header's `x5t` and `x5t#S256` (RFC 7515 sections 4.1.7 and 4.1.8): the thumbprints of a certificate, in base64url.
    #[must_use]
    pub const fn with_certificate(self, sha1: Option<&'a str>, sha256: Option<&'a str>) -> Self {
        Self { certificate_sha1: sha1, certificate_sha256: sha256, ..self }
    }

    /// Adds the token itself, for [`token_hash`](Self::token_hash).
    #[must_use]
    pub const fn with_token(self, token: &'a str) -> Self {
        Self { token: Some(TokenText(token)), ..self }
    }

    /// Returns a keyed hash of the whole token, so that a source which fetches keys can remember a token that names no key. It is
    /// computed at each call. `None` if the hint was made without a token.
    ///
    /// A token can be spelled in several ways, each with its own hash, so an unknown hash proves nothing.
    pub fn token_hash(self, key: &TokenHashKey) -> Option<TokenHash> {
        self.token.map(|token| key.hash(token.0))
    }

    /// Whether the token names its key by a certificate instead of by `kid`.
    pub(crate) fn is_by_certificate(self) -> bool {
        self.key_id.is_none() && (self.certificate_sha1.is_some() || self.certificate_sha256.is_some())
    }
}

impl fmt::Debug for TokenText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("redacted")
    }
}

/// The answer of a [`KeySource`].
#[non_exhaustive]
#[must_use = "a token is not verified if its keys are ignored"]
pub enum Resolved {
    /// These keys may have signed the token: at least one, at most [`MAX_KEYS_TRIED`](crate::keys::MAX_KEYS_TRIED).
    Keys(KeyMatch),
    /// No trusted key fits: the token is refused.
    Unknown,
    /// More than [`MAX_KEYS_TRIED`](crate::keys::MAX_KEYS_TRIED) keys fit, so none is tried, and the token is refused.
    ///
    /// The limit keeps one forged token from costing a signature check per key.
    Ambiguous,
    /// The source could not find out, which says nothing about the token.
    Fault(KeySourceError),
    /// The answer takes time. The future has to use the keys at its end, so that a key revoked meanwhile is not among them, and it must
    /// not return another `Waiting`.
    Waiting(WaitingForKeys),
}

impl Resolved {
    /// Returns an answer that is the output of `future`.
    pub fn waiting(future: impl Future<Output = Self> + Send + 'static) -> Self {
        Self::Waiting(WaitingForKeys(Box::pin(future)))
    }
}

/// The future of a key source's answer.
pub struct WaitingForKeys(Pin<Box<dyn Future<Output = Resolved> + Send>>);

impl Future for WaitingForKeys {
    type Output = Resolved;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Resolved> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for WaitingForKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WaitingForKeys(..)")
    }
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys(keys) => f.debug_tuple("Keys").field(keys).finish(),
            Self::Unknown => f.write_str("Unknown"),
            Self::Ambiguous => f.write_str("Ambiguous"),
            Self::Fault(error) => f.debug_tuple("Fault").field(error).finish(),
            Self::Waiting(_) => f.write_str("Waiting(..)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{KeySet, Secret};

    #[test]
    fn a_shared_source_answers_as_the_source_does() {
        let keys = KeySet::from(Secret::new("a", Algorithm::Hs256, [1; 32]).unwrap());
        let shared: Arc<dyn KeySource> = Arc::new(keys);
        let now = UnixTime::EPOCH;
        let known = KeyHint::new(Algorithm::Hs256, Some("a"));
        let unknown = KeyHint::new(Algorithm::Hs256, Some("b"));
        assert!(matches!(shared.resolve(known, now), Resolved::Keys(_)));
        assert!(matches!(shared.resolve(unknown, now), Resolved::Unknown));
    }

    #[test]
    fn a_fault_keeps_its_cause_out_of_its_text() {
        let cause = std::io::Error::other("connection refused");
        let fault = KeySourceError::new(KeySourceErrorKind::Unavailable, "first fetch failed")
            .with_source(cause)
            .with_retry_after(Duration::from_secs(30));
        assert_eq!(fault.to_string(), "keys unavailable: first fetch failed");
        assert_eq!(std::error::Error::source(&fault).unwrap().to_string(), "connection refused");
        assert_eq!(fault.retry_after(), Some(Duration::from_secs(30)));
    }
}
