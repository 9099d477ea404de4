//! The seam between a token's header and the keys that may have signed it.

mod error;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

pub use error::{KeySourceError, KeySourceErrorKind};

use crate::{Algorithm, KeyMatch, UnixTime};

/// Answers "which keys may have signed this token?".
///
/// Implement it to keep keys somewhere new. The rules:
///
/// * Answer from memory, without a lock: [`resolve`](KeySource::resolve) runs for every token. What takes
///   time goes into [`Resolved::Wait`].
/// * The hint is untrusted. A key id that names no key is [`Resolved::Unknown`], never "then try the others".
/// * "We could not find out" is [`Resolved::Fault`] (HTTP 503), never `Unknown` (401).
///
/// Most implementations keep a [`KeySet`](crate::KeySet) and pass the hint on to its
/// [`candidates`](crate::KeySet::candidates), which already follows the rules.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a source of keys",
    note = "use a `KeySet`, a `KeyRing` or an `Arc` of a source; one key or secret becomes a set by `KeySet::from`"
)]
pub trait KeySource: fmt::Debug + Send + Sync + 'static {
    /// Finds the keys for a token with this hint at the instant `now`.
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved;
}

impl<T: KeySource + ?Sized> KeySource for Arc<T> {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        (**self).resolve(hint, now)
    }
}

/// What a token's header says about its key. Unproven: it selects among trusted keys and proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyHint<'a> {
    /// The header's `alg`. A key that cannot do it is no candidate.
    pub algorithm: Algorithm,
    /// The header's `kid`, if it has one.
    pub key_id: Option<&'a str>,
}

impl<'a> KeyHint<'a> {
    /// A hint from a header's `alg` and `kid`.
    pub const fn new(algorithm: Algorithm, key_id: Option<&'a str>) -> Self {
        Self { algorithm, key_id }
    }
}

/// The answer of a [`KeySource`].
#[non_exhaustive]
#[must_use = "a token whose keys were not looked at is not verified"]
pub enum Resolved {
    /// These keys may have signed the token: at least one, at most [`MAX_KEYS_TRIED`](crate::MAX_KEYS_TRIED).
    Keys(KeyMatch),
    /// No trusted key fits: the token is refused.
    Unknown,
    /// More than [`MAX_KEYS_TRIED`](crate::MAX_KEYS_TRIED) keys fit, so that none is tried: the token is refused.
    ///
    /// The bound keeps one forged token from costing a signature check per key.
    Ambiguous,
    /// The source could not find out: no verdict about the token.
    Fault(KeySourceError),
    /// The answer takes time. What it resolves to is not to be another `Wait`.
    Wait(Pin<Box<dyn Future<Output = Resolved> + Send>>),
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys(keys) => f.debug_tuple("Keys").field(keys).finish(),
            Self::Unknown => f.write_str("Unknown"),
            Self::Ambiguous => f.write_str("Ambiguous"),
            Self::Fault(error) => f.debug_tuple("Fault").field(error).finish(),
            Self::Wait(_) => f.write_str("Wait(..)"),
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
        assert_eq!(fault.to_string(), "no keys at hand: first fetch failed");
        assert_eq!(std::error::Error::source(&fault).unwrap().to_string(), "connection refused");
        assert_eq!(fault.retry_after(), Some(Duration::from_secs(30)));
    }
}
