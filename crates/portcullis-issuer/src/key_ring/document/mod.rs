//! [`RingDocument`]: all keys of a ring, as one value.

mod fit;
mod heal;
mod key;
mod revoke;
mod steps;
mod text;
mod upkeep;
mod warning;

pub use key::RingKey;
use portcullis_core::UnixTime;
pub(super) use upkeep::Upkeep;
pub use warning::RingWarning;

use super::KeyRingError;

/// All keys of a ring with their states: the one value that a [`SigningKeys`](super::SigningKeys) store keeps.
///
/// Steps are functions from a document to the next one. They read no clock, and a refused step changes nothing. A
/// [`KeyRing`](super::KeyRing) takes them for all instances; use them directly to look at a plan, or in tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingDocument {
    /// Increases with each change, so that a store which lost changes is noticed.
    serial: u64,
    keys: Vec<RingKey>,
    forced: Vec<ForcedStep>,
    /// Revoked keys that are no longer among the keys.
    revoked_ids: Vec<String>,
}

/// A step that was taken although the plan did not allow it, or that ended a key before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForcedStep {
    /// When it was taken.
    pub at: UnixTime,
    /// Which step it was: `activate`, `remove` or `revoke`.
    pub step: String,
    /// The id of the key.
    pub key: String,
    /// Why, in the operator's words.
    pub why: String,
    /// When it would have been safe.
    pub safe_from: Option<UnixTime>,
}

impl RingDocument {
    /// The most keys of a document. One or two are usual, and verifiers limit what they read.
    pub const MOST_KEYS: usize = 16;

    /// Returns the first document: a key that signs at once, as no verifier has read a key set yet, and a standby.
    pub fn first(active: RingKey, standby: RingKey, now: UnixTime) -> Self {
        let mut first = Self { serial: 1, keys: vec![active, standby], forced: Vec::new(), revoked_ids: Vec::new() };
        first.keys.iter_mut().for_each(|key| key.published_at = now);
        first.keys[0].begin_to_sign(now);
        first
    }

    /// Returns all keys, in the order in which they were added.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &RingKey> {
        self.keys.iter()
    }

    /// Returns the key that signs.
    pub fn active(&self) -> Option<&RingKey> {
        self.keys().find(|key| key.is_active())
    }

    /// Returns the keys on standby, the one that was published first in front.
    pub fn standbys(&self) -> impl Iterator<Item = &RingKey> {
        let mut standbys: Vec<_> = self.keys().filter(|key| key.is_standby()).collect();
        standbys.sort_by_key(|key| key.published_at);
        standbys.into_iter()
    }

    /// Returns a key by its id.
    pub fn key(&self, id: &str) -> Option<&RingKey> {
        self.keys().find(|key| key.id == id)
    }

    /// Returns the last hundred forced steps, the oldest first.
    pub fn forced(&self) -> &[ForcedStep] {
        &self.forced
    }

    /// Returns the ids of revoked keys whose time is over, the oldest first, at most 1000: they do not come back.
    pub fn revoked_ids(&self) -> &[String] {
        &self.revoked_ids
    }

    /// Returns a number that increases with each change.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// Returns a document without keys, which is in no store.
    pub(super) fn empty() -> Self {
        Self { serial: 0, keys: Vec::new(), forced: Vec::new(), revoked_ids: Vec::new() }
    }

    fn position(&self, id: &str) -> Result<usize, KeyRingError> {
        let position = self.keys.iter().position(|key| key.id == id);
        position.ok_or_else(|| KeyRingError::refused(format!("the ring has no key {id:?}")))
    }

    fn record(&mut self, step: ForcedStep) {
        const MOST: usize = 100;
        self.forced.push(step);
        let surplus = self.forced.len().saturating_sub(MOST);
        self.forced.drain(..surplus);
    }
}

impl RingKey {
    fn begin_to_sign(&mut self, now: UnixTime) {
        self.state = portcullis_core::keys::KeyState::Active;
        self.activated_at = Some(now);
    }
}
