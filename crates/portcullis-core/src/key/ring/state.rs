//! Where a key stands in its life.

use std::fmt;

use crate::UnixTime;

/// Where a key of a [`KeyRing`](crate::KeyRing) stands: `standby -> active -> retiring -> gone`, or `revoked` from
/// anywhere.
///
/// | state | verifies | signs |
/// |---|---|---|
/// | standby | yes | not yet: verifiers get to know it first |
/// | active | yes | yes, the only one |
/// | retiring | until its time | no more |
/// | revoked | no | no |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyState {
    /// Known to verifiers before it signs anything.
    Standby,
    /// The one that signs.
    Active,
    /// Signs no more; its last tokens are still accepted.
    Retiring {
        /// From this instant on it verifies nothing.
        until: UnixTime,
    },
    /// Verifies nothing, at once and for good.
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
