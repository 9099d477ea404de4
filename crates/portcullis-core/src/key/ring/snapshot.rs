//! [`Snapshot`]: the keys of a ring at one moment.

use super::{KeyState, RingError};
use crate::{
    KeySet, UnixTime,
    keys::{KeyHint, Resolved, VerifyingKey},
};

/// All keys of a ring with their states. Immutable: each step makes a new one.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// How many steps led to it.
    step: u32,
    entries: Vec<Entry>,
    /// The keys that are not revoked.
    keys: KeySet,
}

/// A key of the ring, which has an id.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: VerifyingKey,
    pub(super) state: KeyState,
}

impl Entry {
    pub(super) fn new(key: VerifyingKey, state: KeyState) -> Result<Self, RingError> {
        match key.id() {
            Some(_) => Ok(Self { key, state }),
            None => Err(RingError::missing_id()),
        }
    }

    pub(super) fn id(&self) -> &str {
        self.key.id().unwrap_or_default()
    }
}

impl Snapshot {
    pub(super) fn first(entry: Entry) -> Self {
        Self::new(0, vec![entry])
    }

    /// Returns the snapshot after a step.
    pub(super) fn next(&self, entries: Vec<Entry>) -> Self {
        Self::new(self.step.wrapping_add(1), entries)
    }

    fn new(step: u32, entries: Vec<Entry>) -> Self {
        let unrevoked = entries.iter().filter(|entry| entry.state != KeyState::Revoked);
        let keys = unrevoked.map(|entry| entry.key.clone()).collect();
        Self { step, entries, keys }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn keys(&self) -> &KeySet {
        &self.keys
    }

    pub(super) fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        self.keys.candidates_among(hint, |key| {
            let entry = self.entries.iter().find(|entry| entry.key.id() == key.id());
            entry.is_some_and(|entry| entry.state.verifies(now))
        })
    }

    /// Returns the number of the step, combined with how many keys do not verify at `now`: between steps, only time changes the answers,
    /// by removing keys in the order of their ends.
    pub(super) fn edition(&self, now: UnixTime) -> u64 {
        let over = self.entries.iter().filter(|entry| !entry.state.verifies(now)).count();
        (u64::from(self.step) << 32) | (over as u64 & 0xffff_ffff)
    }
}
