//! [`KeyState`]: the state of a key in a ring.

use std::fmt;

use crate::UnixTime;

/// The state of a key of a [`KeyRing`](crate::KeyRing): `standby -> active -> retiring -> gone`, or `revoked` from any state.
///
/// | state | verifies | signs |
/// |---|---|---|
/// | standby | yes | not yet, because verifiers have to know it first |
/// | active | yes | yes, the only one |
/// | retiring | until its time | no longer |
/// | revoked | no | no |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyState {
    /// Known to verifiers before it signs anything.
    Standby,
    /// The key that signs.
    Active,
    /// No longer signs; its last tokens are still accepted.
    Retiring {
        /// From this instant on it verifies nothing.
        until: UnixTime,
    },
    /// No longer verifies, immediately and permanently.
    Revoked,
}

impl KeyState {
    /// Whether a key in this state verifies at `now`.
    pub fn verifies(self, now: UnixTime) -> bool {
        match self {
            Self::Standby | Self::Active => true,
            Self::Retiring { until } => now < until,
            Self::Revoked => false,
        }
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standby => f.write_str("standby"),
            Self::Active => f.write_str("active"),
            Self::Retiring { until } => write!(f, "retiring until {until}"),
            Self::Revoked => f.write_str("revoked"),
        }
    }
}
