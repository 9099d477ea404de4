//! The shared secrets while the service runs: those that verify (a [`KeyRing`]) and the one that signs.
//!
//! [`Secrets::apply`] takes the list of a new file. It is applied as a whole, without a request being refused, or
//! refused as a whole with the reasons.

mod known;
mod listed;
mod plan;
mod signer;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use portcullis::{
    ConfigError, KeyRing,
    clock::UnixTime,
    keys::{KeyState, RingError},
};

use self::{
    known::Known,
    plan::{Held, Planner, Step},
};
pub(crate) use self::{
    listed::{ListedSecret, ListedState, Material, random},
    signer::Signer,
};

/// How long things take in a fleet of instances.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// How long after its minting a token may still be accepted: its lifetime and the leeway.
    pub(crate) token_life: Duration,
    /// How long a new file may take to reach every instance.
    pub(crate) rollout: Duration,
}

/// The secrets of this instance.
#[derive(Debug)]
pub(crate) struct Secrets {
    ring: KeyRing,
    signer: ArcSwap<Signer>,
    timing: Timing,
    /// What the ring does not keep. Locked for one change at a time; requests never look at it.
    known: Mutex<Vec<Arc<Known>>>,
    generation: AtomicU64,
}

impl Secrets {
    /// Takes the list as it stands: this instance has no past that it could contradict.
    ///
    /// # Errors
    ///
    /// If no secret is active, or the system has no randomness for one that is to be random.
    pub(crate) fn open(listed: &[ListedSecret], timing: Timing, now: UnixTime) -> Result<Self, ConfigError> {
        let known = get_to_know(listed, now)?;
        let active = listed.iter().position(|listed| listed.state == ListedState::Active);
        let active = active.ok_or_else(|| ConfigError::new("secrets: none is active, so none signs"))?;
        let ring = KeyRing::new(known[active].verifying()?).map_err(|error| problem(&error))?;
        for (listed, known) in listed.iter().zip(&known) {
            if listed.state != ListedState::Active {
                ring.add_standby(known.verifying()?).map_err(|error| problem(&error))?;
            }
            let entered = match listed.state {
                ListedState::Retiring => ring.retire(&listed.id, timing.last_token_ends(now)),
                ListedState::Revoked => ring.revoke(&listed.id),
                ListedState::Standby | ListedState::Active => Ok(()),
            };
            entered.map_err(|error| problem(&error))?;
        }
        let signer = ArcSwap::from_pointee(known[active].signing()?);
        Ok(Self { ring, signer, timing, known: Mutex::new(known), generation: AtomicU64::new(1) })
    }

    /// The keys that verify.
    pub(crate) fn ring(&self) -> KeyRing {
        self.ring.clone()
    }

    /// The secret that signs.
    pub(crate) fn signer(&self) -> Arc<Signer> {
        self.signer.load_full()
    }

    /// How many lists were taken: 1 after the start, and 1 more with each that was applied.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Every secret's id and state.
    pub(crate) fn states(&self) -> Vec<(String, KeyState)> {
        self.ring.states()
    }

    /// Makes the secrets what `listed` says, and gives the new generation.
    ///
    /// # Errors
    ///
    /// Every reason why instances would refuse valid tokens afterwards. Nothing is changed then.
    pub(crate) fn apply(&self, listed: &[ListedSecret], now: UnixTime) -> Result<u64, ConfigError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let states = self.ring.states();
        let before = known.clone();
        let held: Vec<_> = before.iter().filter_map(|known| Held::new(known, &states)).collect();
        let steps = Planner { held: &held, listed, rollout: self.timing.rollout, now }.plan()?;

        let arriving = steps.iter().filter_map(|step| if let Step::Add(secret) = step { Some(*secret) } else { None });
        known.extend(get_to_know(arriving, now)?);
        for step in steps {
            self.take(step, &known, now)?;
        }
        let states = self.ring.states();
        known.retain(|known| states.iter().any(|(id, _)| id == known.id()));
        Ok(self.generation.fetch_add(1, Ordering::AcqRel) + 1)
    }

    fn take(&self, step: Step<'_>, known: &[Arc<Known>], now: UnixTime) -> Result<(), ConfigError> {
        let named = |id: &str| {
            let known = known.iter().find(|known| known.id() == id);
            known.ok_or_else(|| ConfigError::new(format!("secret `{}` is not known", id.escape_debug())))
        };
        let last_token_ends = self.timing.last_token_ends(now);
        match step {
            Step::Add(secret) => self.ring.add_standby(named(&secret.id)?.verifying()?),
            Step::Activate(id) => {
                // It verifies already. The other way round, the old one could sign after its end was counted.
                self.signer.store(Arc::new(named(id)?.signing()?));
                self.ring.activate(id, last_token_ends)
            }
            Step::Retire(id) => self.ring.retire(id, last_token_ends),
            Step::Revoke(id) => self.ring.revoke(id),
            // The ring forgets a standby or a revoked one; `prune` would also forget those that are listed still.
            Step::Remove(id) => self.ring.remove(id, now),
        }
        .map_err(|error| problem(&error))
    }
}

impl Timing {
    /// When no token can be alive any more that is signed with a secret which is being replaced now: other instances
    /// sign with it until the new file has reached them.
    fn last_token_ends(self, now: UnixTime) -> UnixTime {
        now.plus(self.rollout).plus(self.token_life)
    }
}

fn get_to_know<'a>(
    listed: impl IntoIterator<Item = &'a ListedSecret>,
    now: UnixTime,
) -> Result<Vec<Arc<Known>>, ConfigError> {
    listed.into_iter().map(|listed| Known::new(listed, now).map(Arc::new)).collect()
}

fn problem(error: &RingError) -> ConfigError {
    ConfigError::new(format!("secrets: {error}"))
}
