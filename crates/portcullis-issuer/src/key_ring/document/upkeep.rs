//! [`Upkeep`]: the steps that need no operator.

use std::time::Duration;

use portcullis_core::UnixTime;

use super::{RingDocument, RingKey};
use crate::key_ring::{KeyPlan, Rotation};

/// What keeps a document in its steady state: a key that signs, and a standby.
pub(in crate::key_ring) struct Upkeep<'a> {
    pub(in crate::key_ring) plan: &'a KeyPlan,
    pub(in crate::key_ring) rotation: Rotation,
    /// The longest lifetime of the tokens that this instance mints.
    pub(in crate::key_ring) longest_life: Duration,
    pub(in crate::key_ring) now: UnixTime,
}

impl Upkeep<'_> {
    /// Whether the document needs a new key.
    pub(in crate::key_ring) fn needs_spare(&self, document: &RingDocument) -> bool {
        let next = self.apply(document, None);
        next.as_ref().unwrap_or(document).standbys().next().is_none()
    }

    /// Returns the document after the steps that are due; `None` if there is none. All instances do this, and the first one succeeds.
    pub(in crate::key_ring) fn apply(&self, document: &RingDocument, spare: Option<&RingKey>) -> Option<RingDocument> {
        // With a wrong clock, a key could go before its time.
        let is_timely = document.later_than_all_clocks(self.plan, self.now).is_none();
        let next = if is_timely { document.prune(self.now) } else { document.clone() };
        let mut next = next.with_longest_life(self.longest_life);
        if is_timely && self.is_rotation_due(&next) {
            // It waits until the standby is old enough.
            next = next.rotate(self.plan, self.now).unwrap_or(next);
        }
        if let Some(spare) = spare.filter(|_| next.standbys().next().is_none()) {
            next = next.add_standby(spare.clone(), self.now).unwrap_or(next).with_longest_life(self.longest_life);
        }
        (next != *document).then_some(next)
    }

    fn is_rotation_due(&self, document: &RingDocument) -> bool {
        let Rotation::Every(interval) = self.rotation else { return false };
        let since = document.active().and_then(RingKey::activated_at);
        since.is_some_and(|since| self.now >= since.plus(interval))
    }
}
