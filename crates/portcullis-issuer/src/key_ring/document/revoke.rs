//! Ending a key that has leaked.

use portcullis_core::{UnixTime, keys::KeyState};

use super::{ForcedStep, RingDocument, RingKey};
use crate::key_ring::{KeyPlan, KeyRingError, seal::Private};

impl RingDocument {
    /// Ends a key that has leaked: it is no longer published, its private part is erased, and its tokens are refused. If it was the active key, the
    /// oldest standby signs at once. `spare` is a new key, which becomes the standby if there is no other.
    ///
    /// With a standby that is old enough, this costs no request with a new token. Otherwise the youngest possible key signs, the document
    /// records that, and verifiers that do not know it yet refuse its tokens.
    ///
    /// # Errors
    ///
    /// [`KeyRingErrorKind::Refused`](crate::key_ring::KeyRingErrorKind::Refused) if there is no such key, and without a reason. Revoking a
    /// key again changes nothing.
    pub fn revoke(
        &self,
        id: &str,
        why: &str,
        spare: RingKey,
        plan: &KeyPlan,
        now: UnixTime,
    ) -> Result<Self, KeyRingError> {
        let at = self.position(id)?;
        if self.keys[at].state == KeyState::Revoked {
            return Ok(self.clone());
        }
        let mut next = self.clone();
        next.record(ForcedStep::new("revoke", id, why, now)?);
        next.keys[at].end(plan, now);
        // Not refused for a large number of keys: the leak is worse.
        let add =
            |next: &mut Self, spare| next.keys.push(RingKey { state: KeyState::Standby, published_at: now, ..spare });
        if next.standbys().next().is_none() {
            add(&mut next, spare.clone());
        }
        next.ensure_active(plan, now)?;
        if next.standbys().next().is_none() && next.key(&spare.id).is_none() {
            add(&mut next, spare);
        }
        Ok(next)
    }

    /// Lets the oldest standby sign if no key does, and records it if verifiers may not know it yet.
    pub(super) fn ensure_active(&mut self, plan: &KeyPlan, now: UnixTime) -> Result<(), KeyRingError> {
        if self.active().is_some() {
            return Ok(());
        }
        let Some(standby) = self.standbys().next() else { return Ok(()) };
        let (id, safe_from) = (standby.id.clone(), plan.signs_from(standby.published_at));
        let at = self.position(&id)?;
        self.keys[at].begin_to_sign(now);
        if safe_from > now {
            let why = "the active key was revoked, and no standby was old enough";
            self.record(ForcedStep::new("activate", &id, why, now)?.safe_from(safe_from));
        }
        Ok(())
    }
}

impl RingKey {
    pub(super) fn end(&mut self, plan: &KeyPlan, now: UnixTime) {
        self.state = KeyState::Revoked;
        self.revoked_at = Some(now);
        self.forgotten_at = Some(plan.published_until(now, self.longest_life));
        self.private = Private::Erased;
    }
}
