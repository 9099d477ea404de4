//! [`Floors`]: the time of the newest token of each account, in memory and in a store.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_core::{
    UnixTime,
    floors::{FloorError, FloorStore, SharedFloors},
};
use tokio::{
    sync::{OnceCell, Semaphore},
    time::timeout,
};

use super::failure::Failure;
use crate::{
    chain::{Refusal, RefusalKind},
    nkey::AccountKey,
};

/// How long the store may take. As long as the resolver: a request waits for both.
const LIMIT: Duration = Duration::from_secs(2);

/// How many floors are raised at once. If many callers bring the same new account, the first few raise its floor, and the others find it raised.
const AT_ONCE: usize = 8;

pub(super) struct Floors {
    store: SharedFloors,
    loaded: OnceCell<()>,
    known: Mutex<HashMap<AccountKey, UnixTime>>,
    turns: Semaphore,
}

impl Floors {
    pub(super) fn new(store: SharedFloors) -> Self {
        Self { store, loaded: OnceCell::new(), known: Mutex::default(), turns: Semaphore::new(AT_ONCE) }
    }

    /// Loads the floors, unless they are loaded. No account is used before.
    pub(super) async fn load(&self) -> Result<(), FloorError> {
        let load = || async {
            let floors = self.store.load().await?;
            // A store may have floors for other names, too.
            let floors = floors.into_iter().filter_map(|(name, time)| Some((name.parse().ok()?, time)));
            self.known().extend(floors);
            Ok(())
        };
        // With the time that others take who load them now.
        in_time(self.loaded.get_or_try_init(load)).await.map(drop)
    }

    /// Refuses a token that is older than one that was seen.
    pub(super) fn require(&self, id: &AccountKey, issued_at: UnixTime) -> Result<(), Failure> {
        if self.of(id).is_some_and(|floor| issued_at < floor) { Err(rolled_back()) } else { Ok(()) }
    }

    /// Raises the floor of an account. Returns once that is durable.
    pub(super) async fn raise(&self, id: &AccountKey, issued_at: UnixTime) -> Result<(), Failure> {
        let is_raised = || self.of(id).is_some_and(|floor| floor >= issued_at);
        if is_raised() {
            return self.require(id, issued_at);
        }
        let raise = async {
            // An error would mean that the semaphore was closed, which it is not.
            let _turn = self.turns.acquire().await;
            if !is_raised() {
                let floor = self.store.raise(id.as_str(), issued_at).await?;
                // Another instance may have seen a newer one.
                let mut known = self.known();
                let kept = known.entry(*id).or_insert(floor);
                *kept = floor.max(*kept);
            }
            Ok(())
        };
        in_time(raise).await.map_err(Failure::Floors)?;
        self.require(id, issued_at)
    }

    /// Forgets the floor of an account, in the store and here. Returns the floor that was forgotten.
    pub(super) async fn reset(&self, id: &AccountKey) -> Result<Option<UnixTime>, FloorError> {
        let stored = in_time(self.store.reset(id.as_str())).await?;
        Ok(self.known().remove(id).or(stored))
    }

    pub(super) fn of(&self, id: &AccountKey) -> Option<UnixTime> {
        self.known().get(id).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.known().len()
    }

    /// A map is consistent between its method calls, so a panic does not damage it.
    fn known(&self) -> MutexGuard<'_, HashMap<AccountKey, UnixTime>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn in_time<T>(asked: impl Future<Output = Result<T, FloorError>>) -> Result<T, FloorError> {
    timeout(LIMIT, asked).await.unwrap_or_else(|_| Err(FloorError::unavailable("the store of floors does not answer")))
}

pub(super) fn rolled_back() -> Failure {
    let why = "the account's token is older than one that was seen before: it would bring back what was revoked since";
    Failure::RolledBack(Refusal::new(RefusalKind::AccountRolledBack, why))
}
