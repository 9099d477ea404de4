//! The planned steps of a rotation.

use std::time::Duration;

use portcullis_core::{UnixTime, keys::KeyState};

use super::{ForcedStep, RingDocument, RingKey};
use crate::key_ring::{KeyPlan, KeyRingError};

impl RingDocument {
    /// Adds a key that is published, and does not sign yet.
    ///
    /// # Errors
    ///
    /// [`KeyRingErrorKind::Refused`](crate::key_ring::KeyRingErrorKind::Refused) if the document has this key, has
    /// [`MOST_KEYS`](Self::MOST_KEYS), or mixes secrets with private keys.
    pub fn add_standby(&self, key: RingKey, now: UnixTime) -> Result<Self, KeyRingError> {
        if self.key(&key.id).is_some() || self.was_revoked(&key.id) {
            return Err(KeyRingError::refused(format!("the ring has or had a key {} already", key.id)));
        }
        if self.keys.len() >= Self::MOST_KEYS {
            return Err(KeyRingError::refused(format!("the ring has {} keys already: prune it", Self::MOST_KEYS)));
        }
        if self.keys().any(|known| known.algorithm.is_symmetric() != key.algorithm.is_symmetric()) {
            return Err(KeyRingError::refused(
                "a ring has either secrets or private keys, as secrets are not published: use another store for the others",
            ));
        }
        let mut next = self.clone();
        next.keys.push(RingKey { state: KeyState::Standby, published_at: now, ..key });
        Ok(next)
    }

    /// Lets a key sign that was published long enough ago: one on standby, or a retiring one that is still published. The active key
    /// retires until the last token that it can have signed has expired everywhere.
    ///
    /// # Errors
    ///
    /// [`KeyRingErrorKind::TooEarly`](crate::key_ring::KeyRingErrorKind::TooEarly), which names the earliest safe time;
    /// [`KeyRingErrorKind::Refused`](crate::key_ring::KeyRingErrorKind::Refused) for a key that is unknown, active, revoked or over.
    pub fn activate(&self, id: &str, plan: &KeyPlan, now: UnixTime) -> Result<Self, KeyRingError> {
        let earliest = self.safe_from(id, plan, now)?;
        if earliest > now {
            return Err(KeyRingError::too_early(
                &format!("key {id} must not sign"),
                earliest,
                now,
                "verifiers may not know it earlier. Wait; `danger_activate` does it now, at the cost of refused requests until then",
            ));
        }
        self.signing(id, plan, now)
    }

    /// Lets a key sign before it is safe, and records why. Verifiers that do not know the key yet refuse its tokens.
    ///
    /// # Errors
    ///
    /// [`KeyRingErrorKind::Refused`](crate::key_ring::KeyRingErrorKind::Refused), as for [`activate`](Self::activate), and without a reason.
    pub fn danger_activate(&self, id: &str, why: &str, plan: &KeyPlan, now: UnixTime) -> Result<Self, KeyRingError> {
        let earliest = self.safe_from(id, plan, now)?;
        let mut next = self.signing(id, plan, now)?;
        next.record(ForcedStep::new("activate", id, why, now)?.safe_from(earliest));
        Ok(next)
    }

    /// Lets the oldest standby sign that is old enough.
    ///
    /// # Errors
    ///
    /// As [`activate`](Self::activate), and [`KeyRingErrorKind::Refused`](crate::key_ring::KeyRingErrorKind::Refused) without a standby.
    pub fn rotate(&self, plan: &KeyPlan, now: UnixTime) -> Result<Self, KeyRingError> {
        let standby = self.standbys().next();
        let standby = standby.ok_or_else(|| KeyRingError::refused("the ring has no standby: add one, and wait"))?;
        self.activate(&standby.id, plan, now)
    }

    /// Lets the key sign again that signed before the active one, which goes on standby. It is safe at once if the earlier key was published
    /// long enough ago, as it usually was.
    ///
    /// # Errors
    ///
    /// [`KeyRingErrorKind::TooEarly`](crate::key_ring::KeyRingErrorKind::TooEarly) for an earlier key that is younger;
    /// [`KeyRingErrorKind::Refused`](crate::key_ring::KeyRingErrorKind::Refused) if no earlier key is still published.
    pub fn roll_back(&self, plan: &KeyPlan, now: UnixTime) -> Result<Self, KeyRingError> {
        let earlier = self.keys().filter(|key| matches!(key.state, KeyState::Retiring { until } if until > now));
        let last = earlier.max_by_key(|key| key.activated_at);
        let last = last.ok_or_else(|| {
            KeyRingError::refused(
                "no earlier key is published any more, so there is nothing to go back to: rotate instead",
            )
        })?;
        let mut next = self.activate(&last.id, plan, now)?;
        let undone = self.active().and_then(|undone| next.keys.iter_mut().find(|key| key.id == undone.id));
        if let Some(undone) = undone {
            undone.state = KeyState::Standby;
        }
        Ok(next)
    }

    /// Removes a key from the plan: a standby that has never signed goes at once, one that has signed retires.
    ///
    /// # Errors
    ///
    /// [`KeyRingErrorKind::TooEarly`](crate::key_ring::KeyRingErrorKind::TooEarly) for a retiring key before its time;
    /// [`KeyRingErrorKind::Refused`](crate::key_ring::KeyRingErrorKind::Refused) for an unknown, active or revoked one.
    pub fn retire(&self, id: &str, plan: &KeyPlan, now: UnixTime) -> Result<Self, KeyRingError> {
        let at = self.position(id)?;
        let mut next = self.clone();
        match self.keys[at].state {
            KeyState::Standby if self.keys[at].activated_at.is_none() => drop(next.keys.remove(at)),
            KeyState::Standby => next.keys[at].stop_signing(plan, now),
            KeyState::Retiring { until } if until <= now => drop(next.keys.remove(at)),
            KeyState::Retiring { until } => {
                return Err(KeyRingError::too_early(
                    &format!("key {id} must not be removed"),
                    until,
                    now,
                    "its tokens are valid until then. Wait; `danger_remove` does it now, at the cost of refused requests until then",
                ));
            }
            KeyState::Active => {
                return Err(KeyRingError::refused(format!("key {id} is active: rotate, or revoke it")));
            }
            _ => return Err(KeyRingError::refused(format!("key {id} is revoked, and is forgotten in its time"))),
        }
        Ok(next)
    }

    /// Removes a retiring key before its time, and records why. Tokens that it signed are refused.
    ///
    /// # Errors
    ///
    /// [`KeyRingErrorKind::Refused`](crate::key_ring::KeyRingErrorKind::Refused) for a key in another state, and without a reason.
    pub fn danger_remove(&self, id: &str, why: &str, now: UnixTime) -> Result<Self, KeyRingError> {
        let at = self.position(id)?;
        let KeyState::Retiring { until } = self.keys[at].state else {
            return Err(KeyRingError::refused(format!("key {id} is not retiring: `retire` or `revoke` it")));
        };
        let mut next = self.clone();
        next.keys.remove(at);
        next.record(ForcedStep::new("remove", id, why, now)?.safe_from(until));
        Ok(next)
    }

    /// Removes retiring keys whose time has come, and revoked ones whose tokens have all expired. The ids of the latter are kept.
    #[must_use]
    pub fn prune(&self, now: UnixTime) -> Self {
        let mut next = self.clone();
        next.keys.retain(|key| key.over_at().is_none_or(|end| end > now));
        let is_over = |key: &&RingKey| key.state == KeyState::Revoked && next.key(&key.id).is_none();
        let over: Vec<_> = self.keys().filter(is_over).map(|key| key.id.clone()).collect();
        for id in &over {
            next.remember_revoked(id);
        }
        next
    }

    /// Records that tokens with this lifetime may be signed from now on: do it before the first of them is signed.
    #[must_use]
    pub fn with_longest_life(&self, lifetime: Duration) -> Self {
        // Whole seconds, rounded up, as the document keeps them.
        let lifetime = Duration::from_secs(lifetime.as_secs() + u64::from(lifetime.subsec_nanos() > 0));
        let mut next = self.clone();
        let signing = next.keys.iter_mut().filter(|key| key.is_active() || key.is_standby());
        signing.for_each(|key| key.longest_life = key.longest_life.max(lifetime));
        next
    }

    /// Returns from when on a key may sign; `now` if it may already.
    fn safe_from(&self, id: &str, plan: &KeyPlan, now: UnixTime) -> Result<UnixTime, KeyRingError> {
        let key = &self.keys[self.position(id)?];
        let refused = |why: &str| Err(KeyRingError::refused(format!("key {id} {why}")));
        match key.state {
            // A retiring key may be young: it was forced to sign before, or the ring is new.
            KeyState::Retiring { until } if until <= now => refused("is no longer published: add a new key"),
            KeyState::Standby | KeyState::Retiring { .. } => Ok(plan.signs_from(key.published_at).max(now)),
            KeyState::Active => refused("is active already"),
            _ => refused("is revoked, which is permanent"),
        }
    }

    /// Lets a key sign, and the active one retire.
    fn signing(&self, id: &str, plan: &KeyPlan, now: UnixTime) -> Result<Self, KeyRingError> {
        let at = self.position(id)?;
        let mut next = self.clone();
        next.keys.iter_mut().filter(|key| key.is_active()).for_each(|old| old.stop_signing(plan, now));
        next.keys[at].begin_to_sign(now);
        Ok(next)
    }
}

impl RingKey {
    fn stop_signing(&mut self, plan: &KeyPlan, now: UnixTime) {
        self.state = KeyState::Retiring { until: plan.published_until(now, self.longest_life) };
    }
}

impl ForcedStep {
    pub(super) fn new(step: &str, key: &str, why: &str, at: UnixTime) -> Result<Self, KeyRingError> {
        const LONGEST: usize = 1000;
        if why.trim().is_empty() || why.len() > LONGEST {
            return Err(KeyRingError::refused(format!("say why, in 1 to {LONGEST} bytes: the document records it")));
        }
        Ok(Self { at, step: step.to_owned(), key: key.to_owned(), why: why.to_owned(), safe_from: None })
    }

    pub(super) fn safe_from(self, instant: UnixTime) -> Self {
        Self { safe_from: Some(instant), ..self }
    }
}
