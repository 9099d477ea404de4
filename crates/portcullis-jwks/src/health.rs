//! [`Health`]: the state of a key source, for readiness probes and dashboards.

use std::time::Duration;

/// The state of a key source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// A [lazy](crate::RemoteKeysBuilder::lazy) source that has not been used by a token yet.
    Idle,
    /// The keys are fresh.
    Healthy,
    /// The keys are older than the freshness that the issuer gave them, and could not be fetched again. Tokens are still verified with
    /// them, until the outage has lasted too long.
    Degraded {
        /// How long they have been stale.
        stale_for: Duration,
    },
    /// No token can be verified: there are no keys, or they are too old.
    Down,
}

impl Health {
    /// Whether tokens can be verified, or will be once the first one arrives: the value for a readiness probe.
    pub fn is_ready(self) -> bool {
        self != Self::Down
    }
}
