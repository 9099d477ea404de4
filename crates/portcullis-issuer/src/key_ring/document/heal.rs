//! A store that has lost changes.

use std::time::Duration;

use portcullis_core::{UnixTime, keys::KeyState};

use super::RingDocument;
use crate::key_ring::KeyPlan;

impl RingDocument {
    /// Returns the document with what the store has lost since `seen` was read from it: a later document takes the place of an earlier one, a
    /// key that was seen as revoked stays revoked, also after its time, and the longest lifetime that was ever recorded stays. `None` if nothing is missing.
    pub(in crate::key_ring) fn healed(&self, seen: &Self, plan: &KeyPlan, now: UnixTime) -> Option<Self> {
        let (later, earlier) = if self.serial < seen.serial { (seen, self) } else { (self, seen) };
        let mut healed = later.clone();
        healed.remember_revoked_of(earlier);
        for key in &mut healed.keys {
            let other = earlier.key(&key.id);
            key.longest_life = key.longest_life.max(other.map_or(Duration::ZERO, |other| other.longest_life));
            let is_revoked =
                earlier.was_revoked(&key.id) || other.is_some_and(|other| other.state == KeyState::Revoked);
            if is_revoked && key.state != KeyState::Revoked {
                key.end(plan, now);
            }
        }
        healed.ensure_active(plan, now).ok()?;
        (healed != *self).then_some(healed)
    }
}
