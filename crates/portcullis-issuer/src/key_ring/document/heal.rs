//! A store that has lost changes.

use portcullis_core::{UnixTime, keys::KeyState};

use super::RingDocument;
use crate::key_ring::KeyPlan;

impl RingDocument {
    /// Returns the document with what the store has lost since `seen` was read from it: a later document takes the place of an earlier one, and a
    /// key that was ever seen as revoked stays revoked. `None` if nothing is missing.
    pub(in crate::key_ring) fn healed(&self, seen: &Self, plan: &KeyPlan, now: UnixTime) -> Option<Self> {
        let (later, earlier) = if self.serial < seen.serial { (seen, self) } else { (self, seen) };
        let mut healed = later.clone();
        for key in &mut healed.keys {
            let is_revoked = earlier.key(&key.id).is_some_and(|other| other.state == KeyState::Revoked);
            if is_revoked && key.state != KeyState::Revoked {
                key.end(plan, now);
            }
        }
        healed.ensure_active(plan, now).ok()?;
        (healed != *self).then_some(healed)
    }
}
