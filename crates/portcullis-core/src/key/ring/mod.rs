//! [`KeyRing`]: keys that change while the service runs.

mod error;
mod snapshot;
mod state;

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

pub use error::{RingError, RingErrorKind};
use snapshot::{Entry, Snapshot};
pub use state::KeyState;

use super::{AlgorithmSet, VerifyingKey};
use crate::{
    UnixTime,
    keys::{KeyHint, KeySource, Resolved},
};

/// Keys that change while the service runs. It is a handle and a [`KeySource`]; clones share the ring.
///
/// A ring only verifies: your issuer signs, and decides with which key. A planned rotation, without a refused request:
///
/// 1. [`add_standby`](Self::add_standby) on every instance: the new key verifies, while the issuer still signs with the old one.
/// 2. Once all instances and caches know the new key, let the issuer sign with it, and [`activate`](Self::activate) it. This begins the
///    retirement of the old key, which verifies until its last token has expired. Nothing else changes: the new key already verified.
/// 3. [`prune`](Self::prune) at any later time.
///
/// After a leak: [`revoke`](Self::revoke). It takes effect with the next token, even without a successor.
///
/// A step in the wrong order is refused ([`RingError`]) and changes nothing. The caller decides how long a key is on standby, and until
/// when one retires: the ring knows neither caches nor lifetimes. Readers load one snapshot and never wait for a step.
///
/// ```
/// use portcullis_core::{Algorithm, KeyRing, Secret, UnixTime};
/// use portcullis_core::keys::{KeyState, RingErrorKind};
///
/// # let (old, new) = ([1; 32], [2; 32]);
/// let ring = KeyRing::new(Secret::new("2026-10", Algorithm::Hs256, old)?)?;
/// assert_eq!(ring.remove("2026-10", UnixTime::EPOCH).unwrap_err().kind(), RingErrorKind::Active);
///
/// let expired = UnixTime::from_secs(1_795_323_002);
/// ring.add_standby(Secret::new("2026-11", Algorithm::Hs256, new)?)?;
/// ring.activate("2026-11", expired)?;
/// assert_eq!(ring.prune(expired), ["2026-10"]);
/// assert_eq!(ring.states(), [("2026-11".to_owned(), KeyState::Active)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "rotation")]
#[doc(alias = "rollover")]
#[derive(Clone, Debug)]
pub struct KeyRing {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    current: ArcSwap<Snapshot>,
    /// One step at a time. Readers do not take this lock.
    step: Mutex<()>,
}

impl KeyRing {
    /// Returns a ring with one key, the active one.
    ///
    /// # Errors
    ///
    /// [`RingErrorKind::MissingId`].
    pub fn new(active: impl Into<VerifyingKey>) -> Result<Self, RingError> {
        let first = Entry::new(active.into(), KeyState::Active)?;
        let current = ArcSwap::from_pointee(Snapshot::first(first));
        Ok(Self { shared: Arc::new(Shared { current, step: Mutex::new(()) }) })
    }

    /// Adds a key that verifies but does not sign yet.
    ///
    /// # Errors
    ///
    /// [`RingErrorKind::MissingId`], [`RingErrorKind::DuplicateId`].
    pub fn add_standby(&self, key: impl Into<VerifyingKey>) -> Result<(), RingError> {
        let entry = Entry::new(key.into(), KeyState::Standby)?;
        self.step(|entries| {
            if let Some(known) = entries.iter().find(|known| known.id() == entry.id()) {
                return Err(RingError::duplicate(known.id(), known.state));
            }
            entries.push(entry);
            Ok(())
        })
    }

    /// Lets a standby key sign from now on. The active key retires until `retire_old_at`, which must not be earlier than the expiry of
    /// its last token, including leeway.
    ///
    /// A retiring key may be made active again, to undo a rotation.
    ///
    /// # Errors
    ///
    /// [`RingErrorKind::UnknownId`]; [`RingErrorKind::Active`] if it is already active; [`RingErrorKind::Revoked`].
    pub fn activate(&self, id: &str, retire_old_at: UnixTime) -> Result<(), RingError> {
        self.step(|entries| {
            let successor = position(entries, id)?;
            match entries[successor].state {
                KeyState::Standby | KeyState::Retiring { .. } => {}
                state @ KeyState::Active => {
                    return Err(RingError::step(RingErrorKind::Active, id, state, "there is nothing to do"));
                }
                state @ KeyState::Revoked => {
                    return Err(RingError::step(RingErrorKind::Revoked, id, state, "add another key"));
                }
            }
            for old in entries.iter_mut().filter(|entry| entry.state == KeyState::Active) {
                old.state = KeyState::Retiring { until: retire_old_at };
            }
            entries[successor].state = KeyState::Active;
            Ok(())
        })
    }

    /// Lets a standby key verify only until `until`, or changes the time of a retiring one.
    ///
    /// # Errors
    ///
    /// [`RingErrorKind::UnknownId`]; [`RingErrorKind::Active`]: activate its successor instead;
    /// [`RingErrorKind::Revoked`].
    pub fn retire(&self, id: &str, until: UnixTime) -> Result<(), RingError> {
        self.step(|entries| {
            let index = position(entries, id)?;
            match entries[index].state {
                KeyState::Standby | KeyState::Retiring { .. } => {}
                state @ KeyState::Active => {
                    return Err(RingError::step(RingErrorKind::Active, id, state, "activate its successor first"));
                }
                state @ KeyState::Revoked => {
                    return Err(RingError::step(RingErrorKind::Revoked, id, state, "that is for good"));
                }
            }
            entries[index].state = KeyState::Retiring { until };
            Ok(())
        })
    }

    /// Stops a key from verifying, whatever its state, because its secret or private key has leaked.
    ///
    /// Every token that it signed is refused from now on. Revoking the active key leaves the ring without one until another is activated.
    /// Revoking a key again has no effect.
    ///
    /// # Errors
    ///
    /// [`RingErrorKind::UnknownId`].
    pub fn revoke(&self, id: &str) -> Result<(), RingError> {
        self.step(|entries| {
            let index = position(entries, id)?;
            entries[index].state = KeyState::Revoked;
            Ok(())
        })
    }

    /// Removes a standby key that never signed, a revoked one, or a retiring one whose time has come by `now`.
    ///
    /// # Errors
    ///
    /// [`RingErrorKind::UnknownId`]; [`RingErrorKind::Active`]; [`RingErrorKind::Retiring`] if its time has not come.
    pub fn remove(&self, id: &str, now: UnixTime) -> Result<(), RingError> {
        self.step(|entries| {
            let index = position(entries, id)?;
            match entries[index].state {
                KeyState::Standby | KeyState::Revoked => {}
                state @ KeyState::Active => {
                    return Err(RingError::step(
                        RingErrorKind::Active,
                        id,
                        state,
                        "activate its successor first, or revoke it",
                    ));
                }
                KeyState::Retiring { until } if until <= now => {}
                state @ KeyState::Retiring { .. } => {
                    return Err(RingError::step(
                        RingErrorKind::Retiring,
                        id,
                        state,
                        "remove it then; revoke ends it now",
                    ));
                }
            }
            entries.remove(index);
            Ok(())
        })
    }

    /// Removes the retiring keys whose time has come, and returns their ids. They no longer verified anything.
    pub fn prune(&self, now: UnixTime) -> Vec<String> {
        let is_over = |entry: &Entry| matches!(entry.state, KeyState::Retiring { until } if until <= now);
        let pruned: Result<_, RingError> = self.step(|entries| {
            let over = entries.extract_if(.., |entry| is_over(entry));
            Ok(over.map(|entry| entry.id().to_owned()).collect())
        });
        pruned.unwrap_or_default()
    }

    /// Returns all keys with their states, in the order in which they were added.
    pub fn states(&self) -> Vec<(String, KeyState)> {
        let current = self.shared.current.load();
        current.entries().iter().map(|entry| (entry.id().to_owned(), entry.state)).collect()
    }

    /// Returns the id of the key that signs; `None` after it was revoked and before another is activated.
    pub fn active_id(&self) -> Option<String> {
        let current = self.shared.current.load();
        let active = current.entries().iter().find(|entry| entry.state == KeyState::Active);
        active.map(|entry| entry.id().to_owned())
    }

    /// Changes a copy of the entries, and makes it the current one unless the change is refused.
    fn step<T>(&self, change: impl FnOnce(&mut Vec<Entry>) -> Result<T, RingError>) -> Result<T, RingError> {
        // Poison means that an earlier change panicked, and so changed nothing.
        let _one_at_a_time = self.shared.step.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.shared.current.load_full();
        let mut entries = current.entries().to_vec();
        let outcome = change(&mut entries)?;
        self.shared.current.store(Arc::new(current.next(entries)));
        Ok(outcome)
    }
}

impl KeySource for KeyRing {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        self.shared.current.load().resolve(hint, now)
    }

    fn edition(&self, now: UnixTime) -> Option<u64> {
        Some(self.shared.current.load().edition(now))
    }

    fn algorithms(&self) -> AlgorithmSet {
        self.shared.current.load().keys().algorithms()
    }

    fn describe(&self, hint: KeyHint<'_>) -> Option<String> {
        self.shared.current.load().keys().describe(hint)
    }
}

fn position(entries: &[Entry], id: &str) -> Result<usize, RingError> {
    entries.iter().position(|entry| entry.id() == id).ok_or_else(|| RingError::unknown(id))
}

#[cfg(test)]
mod tests;
