//! [`AccountCache`]: how long accounts are used, and how many are kept.

use std::time::Duration;

use portcullis_core::floors::{FloorStore, MemoryFloors, SharedFloors};

/// How long accounts are used without being looked up, how many are kept, and whether callers may bring them along.
#[derive(Clone, Debug)]
pub struct AccountCache {
    pub(super) fresh: Duration,
    pub(super) stale: Duration,
    pub(super) most: usize,
    pub(super) stapled: Option<Duration>,
    pub(super) floors: SharedFloors,
}

impl AccountCache {
    /// Returns the defaults.
    pub fn new() -> Self {
        Self {
            fresh: Duration::from_secs(60),
            stale: Duration::from_secs(10 * 60),
            most: 10_000,
            stapled: None,
            floors: SharedFloors::new(MemoryFloors::new()),
        }
    }

    /// Sets how long an account is used until it is looked up again: how long a revocation may go unnoticed. Whole seconds, at least one. Defaults
    /// to a minute.
    #[must_use]
    pub fn fresh_for(self, time: Duration) -> Self {
        Self { fresh: time.max(Duration::from_secs(1)), ..self }
    }

    /// Sets how long an account is used beyond that while it cannot be looked up. Never longer than it is valid. Defaults to ten minutes: long
    /// enough to restart a resolver, and short enough that a stolen key is not good for a day because of an outage.
    #[must_use]
    pub fn stale_for(self, time: Duration) -> Self {
        Self { stale: time, ..self }
    }

    /// Sets how many accounts are kept; those that were not used for the longest time make room. At least one. Defaults to 10 000. Only accounts
    /// that a trusted operator has signed get in.
    #[must_use]
    pub fn max_accounts(self, most: usize) -> Self {
        Self { most: most.max(1), ..self }
    }

    /// Accepts accounts that callers bring along in the HTTP header `Nats-Account`, if their token was issued at most this long ago. Defaults to
    /// accepting none.
    ///
    /// Then a service needs no resolver, and `max_age` is how long a revocation may go unnoticed: a caller can go on to bring an older token of
    /// that age, until another one has brought a newer one. An hour is a good choice for accounts that are signed again each half hour.
    #[must_use]
    pub fn stapled(self, max_age: Duration) -> Self {
        Self { stapled: Some(max_age), ..self }
    }

    /// Returns the same, and accepts staples as the other does if this says nothing about them.
    pub(crate) fn or_stapled_as(self, other: &Self) -> Self {
        Self { stapled: self.stapled.or(other.stapled), ..self }
    }

    pub(crate) fn accepts_staples(&self) -> bool {
        self.stapled.is_some()
    }

    /// Keeps the time of the newest token of each account in this store. Defaults to memory, so that an old token of an account is accepted after
    /// a restart, with all that was revoked since.
    ///
    /// If the store fails, accounts that need a higher floor cannot be used (503). See `FileFloors` and `RedbFloors` of the crate
    /// `portcullis-store`.
    #[must_use]
    pub fn floors(self, store: impl FloorStore) -> Self {
        Self { floors: SharedFloors::new(store), ..self }
    }
}

impl Default for AccountCache {
    fn default() -> Self {
        Self::new()
    }
}
