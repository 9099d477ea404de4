//! [`Revocations`]: whose tokens have ended before their time.

use std::collections::BTreeMap;

use portcullis_core::UnixTime;

use crate::{
    nkey::PublicKey,
    token::{Json, Object, Read, instant},
};

/// Whose tokens have ended: everything that was issued for a key up to an instant. What is issued later is good again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revocations {
    all: Option<UnixTime>,
    by_key: BTreeMap<PublicKey, UnixTime>,
}

impl Revocations {
    /// Ends what was issued for this key up to that instant, inclusive. An earlier entry is replaced, a later one stays.
    pub fn revoke(&mut self, key: impl Into<PublicKey>, until: UnixTime) {
        let entry = self.by_key.entry(key.into()).or_insert(until);
        *entry = (*entry).max(until);
    }

    /// Ends what was issued for any key up to that instant, inclusive.
    pub fn revoke_all(&mut self, until: UnixTime) {
        self.all = Some(self.all.map_or(until, |all| all.max(until)));
    }

    /// Whether a token that was issued for this key at that instant has ended.
    pub fn covers(&self, key: &PublicKey, issued_at: UnixTime) -> bool {
        let of_key = self.by_key.get(key).copied();
        of_key.max(self.all).is_some_and(|until| issued_at <= until)
    }

    /// Returns the entries of single keys.
    pub fn by_key(&self) -> impl Iterator<Item = (&PublicKey, UnixTime)> {
        self.by_key.iter().map(|(key, until)| (key, *until))
    }

    /// Returns the entry of all keys.
    pub const fn all(&self) -> Option<UnixTime> {
        self.all
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.all.is_none() && self.by_key.is_empty()
    }

    pub(super) fn read(object: &Object<'_>) -> Read<Self> {
        let mut revocations = Self::default();
        let Some(entries) = object.object("revocations", &[])? else { return Ok(revocations) };
        for (name, until) in entries.members() {
            let Json::Int(until) = until else {
                return Err(entries.malformed("an entry", "is not a whole number of 64 bits"));
            };
            let until = instant(*until);
            match name.parse::<PublicKey>() {
                Ok(key) => revocations.revoke(key, until),
                Err(_) if name == ALL => revocations.revoke_all(until),
                // It names no key that a token could have.
                Err(_) => {}
            }
        }
        Ok(revocations)
    }

    /// Returns the entries as tokens have them.
    #[cfg(feature = "mint")]
    pub(crate) fn to_claim(&self) -> BTreeMap<String, u64> {
        let all = self.all.map(|until| (ALL.to_owned(), until.as_secs()));
        self.by_key().map(|(key, until)| (key.to_string(), until.as_secs())).chain(all).collect()
    }
}

/// The name that stands for every key.
const ALL: &str = "*";
