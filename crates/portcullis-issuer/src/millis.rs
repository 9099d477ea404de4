//! [`Millis`]: an instant on a store's clock.

use std::time::Duration;

use portcullis_core::UnixTime;
use serde::{Deserialize, Serialize};

/// An instant in milliseconds since 1970, on a store's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(u64);

impl Millis {
    /// Returns the instant after this many milliseconds since 1970.
    pub const fn new(millis: u64) -> Self {
        Self(millis)
    }

    /// Returns the milliseconds since 1970.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns this instant plus `by`.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Returns how long ago `earlier` was; zero if it was not earlier, as after a clock was set back.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Returns a time in whole milliseconds, at most a century: longer than any session, and short enough for the sums of every database.
    #[must_use]
    pub fn whole(time: Duration) -> Duration {
        const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);
        Duration::from_millis(u64::try_from(time.min(CENTURY).as_millis()).unwrap_or(u64::MAX))
    }

    /// Returns the whole seconds, rounded down.
    pub const fn to_unix(self) -> UnixTime {
        UnixTime::from_secs(self.0 / 1000)
    }
}

impl From<Duration> for Millis {
    /// Takes the time since 1970.
    fn from(since: Duration) -> Self {
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}
