//! [`KeySet`]: a fixed set of keys, searched by the hint of a token's header.

mod describe;
mod error;
mod jwks;

use std::{ops::Range, sync::Arc};

pub use error::{KeySetError, KeySetErrorKind, SkippedKey};

use super::{AlgorithmSet, KeyMatch, MAX_KEYS_TRIED, Secret, VerifyingKey, verifying_key::PublicIdentity};
use crate::{
    UnixTime,
    keys::{KeyHint, KeySource, Resolved},
};

/// A fixed set of keys. It is a [`KeySource`]; cloning is cheap.
///
/// How keys are found:
///
/// * For a token with a key id: only keys with exactly that id that support its algorithm. There is no fall-back, neither to other keys
///   nor to keys without an id.
/// * For a token without a key id, but with `x5t` or `x5t#S256`: only keys that are named by that certificate, if any key of the set has
///   such a name ([`VerifyingKey::with_certificate`]). If the token has both, both have to match.
/// * For any other token without a key id: all keys that support its algorithm, if there are no more than [`MAX_KEYS_TRIED`].
///
/// A set may contain both secrets and public keys: an HMAC algorithm is only ever used with a secret.
///
/// ```
/// use portcullis_core::{Algorithm, KeySet, UnixTime};
/// use portcullis_core::keys::{KeyHint, KeySource, Resolved};
///
/// let text = r#"{ "keys": [
///     { "kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
///     { "kty": "OKP", "crv": "Ed448", "kid": "b", "x": "" }
/// ] }"#;
/// let (keys, skipped) = KeySet::from_jwks(text)?;
/// assert_eq!(skipped[0].id(), Some("b"));
///
/// let accepted = keys.resolve(KeyHint::new(Algorithm::EdDsa, Some("a")), UnixTime::EPOCH);
/// assert!(matches!(accepted, Resolved::Keys(_)));
/// let refused = keys.resolve(KeyHint::new(Algorithm::EdDsa, Some("A")), UnixTime::EPOCH);
/// assert!(matches!(refused, Resolved::Unknown));
/// # Ok::<(), portcullis_core::keys::KeySetError>(())
/// ```
#[doc(alias = "JwkSet")]
#[doc(alias = "DecodingKey")]
#[derive(Clone)]
pub struct KeySet {
    /// Sorted by id, so that keys of one id are neighbours and hostile ids cost a binary search.
    keys: Arc<[VerifyingKey]>,
    /// Whether a key has a name by its certificate.
    certified: bool,
}

impl KeySet {
    /// Returns a set of these keys or [`Secret`]s.
    ///
    /// Keys may share an id; all of them that support the token's algorithm are then tried.
    pub fn new<K: Into<VerifyingKey>>(keys: impl IntoIterator<Item = K>) -> Self {
        let mut keys: Vec<VerifyingKey> = keys.into_iter().map(Into::into).collect();
        keys.sort_by(|one, other| one.id().cmp(&other.id()));
        let certified = keys.iter().any(VerifyingKey::is_certified);
        Self { keys: keys.into(), certified }
    }

    /// Returns the keys that may have signed a token with this hint: `Keys`, `Unknown` or `Ambiguous`.
    ///
    /// Neither allocates nor locks.
    pub(crate) fn candidates(&self, hint: KeyHint<'_>) -> Resolved {
        self.candidates_among(hint, |_| true)
    }

    /// Returns the keys that may have signed it, without those for which `usable` returns `false`.
    pub(super) fn candidates_among(&self, hint: KeyHint<'_>, usable: impl Fn(&VerifyingKey) -> bool) -> Resolved {
        let within = hint.key_id.map_or(0..self.keys.len(), |id| self.named(id));
        let by_certificate = self.certified && hint.is_by_certificate();
        let mut found = [0; MAX_KEYS_TRIED];
        let mut len = 0;
        for index in within {
            let key = &self.keys[index];
            if !key.algorithms().contains(hint.algorithm) || !usable(key) {
                continue;
            }
            if by_certificate && !key.is_named_by_certificate(hint) {
                continue;
            }
            if len == MAX_KEYS_TRIED {
                return Resolved::Ambiguous;
            }
            found[len] = index;
            len += 1;
        }
        if len == 0 {
            return Resolved::Unknown;
        }
        Resolved::Keys(KeyMatch::new(&self.keys, found, len))
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key, so that no token can be accepted.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns all keys, sorted by id, those without an id first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &VerifyingKey> {
        self.keys.iter()
    }

    /// Whether both contain the same public keys under the same ids with the same algorithms, in any order.
    pub fn has_same_keys_as(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.public_identities().is_some_and(|keys| Some(keys) == other.public_identities())
    }

    /// Returns what distinguishes the keys, sorted, each once, so that a hundred keys of one id are compared in a hundred steps instead
    /// of ten thousand. `None` if one of them is a secret.
    fn public_identities(&self) -> Option<Vec<PublicIdentity<'_>>> {
        let mut keys = self.iter().map(VerifyingKey::public_identity).collect::<Option<Vec<_>>>()?;
        keys.sort_unstable();
        keys.dedup();
        Some(keys)
    }

    /// Returns the positions of the keys with this id.
    fn named(&self, id: &str) -> Range<usize> {
        let start = self.keys.partition_point(|key| key.id() < Some(id));
        let len = self.keys[start..].partition_point(|key| key.id() == Some(id));
        start..start + len
    }
}

impl KeySource for KeySet {
    fn resolve(&self, hint: KeyHint<'_>, _now: UnixTime) -> Resolved {
        self.candidates(hint)
    }

    /// Always the same, because a set never changes.
    fn edition(&self, _now: UnixTime) -> Option<u64> {
        Some(0)
    }

    fn problem(&self) -> Option<String> {
        self.is_empty().then(|| "its key set holds no usable key, so every token would be refused".to_owned())
    }

    fn algorithms(&self) -> AlgorithmSet {
        self.iter().fold(AlgorithmSet::EMPTY, |all, key| all.union(key.algorithms()))
    }

    fn describe(&self, hint: KeyHint<'_>) -> Option<String> {
        Some(describe::keys(self, hint))
    }
}

impl From<VerifyingKey> for KeySet {
    fn from(key: VerifyingKey) -> Self {
        Self::new([key])
    }
}

impl From<Secret> for KeySet {
    fn from(secret: Secret) -> Self {
        Self::new([secret])
    }
}

impl Default for KeySet {
    /// Returns the set without keys.
    fn default() -> Self {
        Self::new::<VerifyingKey>([])
    }
}

impl<K: Into<VerifyingKey>> FromIterator<K> for KeySet {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        Self::new(keys)
    }
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("KeySet").field(&self.keys).finish()
    }
}

#[cfg(test)]
mod tests;
