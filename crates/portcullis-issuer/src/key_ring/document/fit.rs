//! What a document may hold: nothing is written that could not be read again.

use portcullis_core::{UnixTime, keys::KeyState};

use super::{RingDocument, text::MAX_BYTES};
use crate::key_ring::{KeyPlan, KeyRingError};

/// The most keys that are read. More than can be added: leaks may add keys beyond that number.
pub(super) const MOST_READ: usize = 4 * RingDocument::MOST_KEYS;

/// The most ids of revoked keys that are kept after their time.
const MOST_REVOKED_IDS: usize = 1000;

/// The longest text without its MAC, which adds 53 bytes.
const LONGEST: usize = MAX_BYTES - 64;

impl RingDocument {
    /// Returns the document with as much of its past as fits: the oldest revoked keys are reduced to their ids, and the oldest reasons go.
    ///
    /// # Errors
    ///
    /// [`KeyRingErrorKind::Refused`](crate::key_ring::KeyRingErrorKind::Refused) if it would not be read even so.
    pub(in crate::key_ring) fn fitting(mut self) -> Result<Self, KeyRingError> {
        while self.keys.len() > MOST_READ {
            let revoked = self.keys.iter().enumerate().filter(|(_, key)| key.state == KeyState::Revoked);
            let Some((oldest, _)) = revoked.min_by_key(|(_, key)| key.revoked_at) else { break };
            let forgotten = self.keys.remove(oldest);
            self.remember_revoked(&forgotten.id);
        }
        let mut is_long = self.to_text().len() > LONGEST;
        while is_long && !self.forced.is_empty() {
            self.forced.remove(0);
            is_long = self.to_text().len() > LONGEST;
        }
        let fits = !is_long && self.check().is_ok();
        let refused = || KeyRingError::refused("the document of the keys would be too large to be read: retire keys");
        fits.then_some(self).ok_or_else(refused)
    }

    /// Keeps the id of a revoked key, so that the key does not come back.
    pub(super) fn remember_revoked(&mut self, id: &str) {
        if self.was_revoked(id) {
            return;
        }
        if self.revoked_ids.len() >= MOST_REVOKED_IDS {
            self.revoked_ids.remove(0);
        }
        self.revoked_ids.push(id.to_owned());
    }

    /// Adds what another document remembers. A full list stays as it is: it has dropped the oldest.
    pub(super) fn remember_revoked_of(&mut self, other: &Self) {
        for id in &other.revoked_ids {
            if self.revoked_ids.len() < MOST_REVOKED_IDS {
                self.remember_revoked(id);
            }
        }
    }

    /// Whether a key of this id was revoked, and is no longer in the document.
    pub(super) fn was_revoked(&self, id: &str) -> bool {
        self.revoked_ids.iter().any(|revoked| revoked == id)
    }

    /// Returns the latest time at which something happened, if that is later than any clock of the plan can show at `now`: then a clock is
    /// wrong, and none can say whether the time of a key has come.
    pub(in crate::key_ring) fn later_than_all_clocks(&self, plan: &KeyPlan, now: UnixTime) -> Option<UnixTime> {
        let keys = self.keys().flat_map(|key| [Some(key.published_at), key.activated_at, key.revoked_at]);
        let latest = keys.flatten().chain(self.forced.iter().map(|step| step.at)).max();
        latest.filter(|latest| *latest > plan.latest_clock(now))
    }
}
