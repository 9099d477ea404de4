//! Reads key sets from JWK Sets (RFC 7517 section 5).

use serde_json::value::RawValue;

use super::{KeySet, KeySetError, KeySetErrorKind, SkippedKey};
use crate::key::{KeyError, KeyErrorKind, VerifyingKey, jwk::Jwk, members::Members};

/// Fifty times the size of large providers' sets.
const MAX_TEXT_BYTES: usize = 512 * 1024;

/// Large providers publish about ten keys.
const MAX_KEYS: usize = 100;

impl KeySet {
    /// Reads a set of public keys from elsewhere, as an identity provider publishes it.
    ///
    /// Unusable keys are skipped one by one and listed with the reason (RFC 7517 section 5). Secrets and private keys are unusable too,
    /// because a published one is public knowledge. The set may turn out empty.
    ///
    /// # Errors
    ///
    /// If it is not a JWK Set, or has more than 512 KiB or 100 keys.
    pub fn from_jwks(text: &str) -> Result<(Self, Vec<SkippedKey>), KeySetError> {
        let Reading { keys, skipped } = Reading::of(text, &[Rule::PublicOnly])?;
        Ok((keys.into_iter().map(|(_, key)| key).collect(), skipped))
    }

    /// Reads a set of your own public keys, where an unusable key is a mistake.
    ///
    /// # Errors
    ///
    /// See [`KeySet::from_jwks`]. Also if the set is empty, or if any key cannot be used (one error lists all of them). Two keys with one
    /// id that support the same algorithm are such a mistake too.
    pub fn from_jwks_strict(text: &str) -> Result<Self, KeySetError> {
        Reading::of(text, &[Rule::PublicOnly, Rule::DistinctIds])?.strict()
    }

    /// Reads a set that may contain secrets (`"kty": "oct"`), from a private file. Never use it for a set from elsewhere.
    ///
    /// # Errors
    ///
    /// See [`KeySet::from_jwks_strict`]. A set contains either secrets or public keys: a set with both is refused, because it might be
    /// published by mistake.
    pub fn from_jwks_with_secrets(text: &str) -> Result<Self, KeySetError> {
        Reading::of(text, &[Rule::NoMixture, Rule::DistinctIds])?.strict()
    }
}

/// The result of reading: keys with their position in the set, and the unusable ones.
struct Reading {
    keys: Vec<(usize, VerifyingKey)>,
    skipped: Vec<SkippedKey>,
}

impl Reading {
    fn of(text: &str, rules: &[Rule]) -> Result<Self, KeySetError> {
        let mut reading = Self { keys: Vec::new(), skipped: Vec::new() };
        for (index, raw) in elements(text)?.into_iter().enumerate() {
            if let Err((id, reason)) = reading.add(index, raw, rules) {
                reading.skipped.push(SkippedKey::new(index, id, reason));
            }
        }
        Ok(reading)
    }

    fn add(&mut self, index: usize, raw: &RawValue, rules: &[Rule]) -> Result<(), (Option<String>, KeyError)> {
        let jwk = Jwk::parse(raw.get()).map_err(|error| (None, error))?;
        let key = self.prepare(&jwk, rules).map_err(|error| (jwk.id(), error))?;
        self.keys.push((index, key));
        Ok(())
    }

    fn prepare(&self, jwk: &Jwk<'_>, rules: &[Rule]) -> Result<VerifyingKey, KeyError> {
        // A secret that is too weak to be used is still published.
        rules.iter().try_for_each(|rule| rule.check_as_written(jwk))?;
        let key = jwk.prepare()?;
        rules.iter().try_for_each(|rule| rule.check(&key, &self.keys))?;
        Ok(key)
    }

    fn strict(self) -> Result<KeySet, KeySetError> {
        if !self.skipped.is_empty() {
            return Err(KeySetError::bad_keys(self.skipped));
        }
        if self.keys.is_empty() {
            return Err(KeySetError::new(
                KeySetErrorKind::Empty,
                "the key set has no keys: no token could be accepted",
            ));
        }
        Ok(self.keys.into_iter().map(|(_, key)| key).collect())
    }
}

/// Returns the elements of `keys`, not parsed.
fn elements(text: &str) -> Result<Vec<&RawValue>, KeySetError> {
    let refuse = |kind, detail: String| Err(KeySetError::new(kind, detail));
    if text.len() > MAX_TEXT_BYTES {
        let detail = format!("the key set has {} bytes, at most {MAX_TEXT_BYTES} are read", text.len());
        return refuse(KeySetErrorKind::TooLarge, detail);
    }
    let not_a_set = |error: KeyError| KeySetError::new(KeySetErrorKind::NotAKeySet, format!("not a key set: {error}"));
    let members = Members::parse(text).map_err(not_a_set)?;
    let Some(elements) = members.elements("keys").map_err(not_a_set)? else {
        let hint = if members.has("kty") { " (a single key: use VerifyingKey::from_jwk)" } else { "" };
        return refuse(KeySetErrorKind::NotAKeySet, format!("not a key set: keys is missing{hint}"));
    };
    if elements.len() > MAX_KEYS {
        let detail = format!("the key set has {} keys, at most {MAX_KEYS} are read", elements.len());
        return refuse(KeySetErrorKind::TooLarge, detail);
    }
    Ok(elements)
}

/// What a key must satisfy within the set.
#[derive(Clone, Copy)]
enum Rule {
    PublicOnly,
    NoMixture,
    DistinctIds,
}

impl Rule {
    fn check_as_written(self, jwk: &Jwk<'_>) -> Result<(), KeyError> {
        match self {
            Self::PublicOnly if jwk.shows_secret() => Err(KeyError::new(
                KeyErrorKind::Secret,
                "a shared secret (kty oct) in a place for public keys: whoever can read the set can sign",
            )),
            _ => Ok(()),
        }
    }

    fn check(self, key: &VerifyingKey, earlier: &[(usize, VerifyingKey)]) -> Result<(), KeyError> {
        match self {
            Self::NoMixture if earlier.iter().any(|(_, other)| other.is_secret() != key.is_secret()) => {
                Err(KeyError::new(
                    KeyErrorKind::Secret,
                    "shared secrets and public keys in one set: keep them in files of their own",
                ))
            }
            Self::DistinctIds => check_distinct(key, earlier),
            Self::PublicOnly | Self::NoMixture => Ok(()),
        }
    }
}

fn check_distinct(key: &VerifyingKey, earlier: &[(usize, VerifyingKey)]) -> Result<(), KeyError> {
    let same = |other: &VerifyingKey| {
        key.id().is_some() && other.id() == key.id() && !other.algorithms().intersection(key.algorithms()).is_empty()
    };
    match earlier.iter().find(|(_, other)| same(other)) {
        Some((index, _)) => Err(KeyError::new(
            KeyErrorKind::DuplicateId,
            format!("the same id and algorithm as key {index}: a token could not say which one it means"),
        )),
        None => Ok(()),
    }
}
