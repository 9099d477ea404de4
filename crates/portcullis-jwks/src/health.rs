//! How a source of keys is doing, for readiness probes and dashboards.

use std::time::Duration;

/// How a source of keys is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// A [lazy](crate::RemoteKeysBuilder::lazy) source that no token has asked yet.
    Idle,
    /// The keys are fresh.
    Healthy,
    /// The keys are older than the issuer said they are good for, and could not be fetched anew; tokens are verified with
    /// them all the same, until the outage has lasted too long.
    Degraded {
        /// Since when they are stale.
        stale_for: Duration,
    },
    /// No token can be verified: there are no keys, or they are too old.
    Down,
}

impl Health {
    /// Whether tokens can be verified, or will be once the first one comes: what a readiness probe asks.
    pub fn is_ready(self) -> bool {
        self != Self::Down
    }
}
