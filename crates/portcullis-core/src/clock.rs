//! [`UnixTime`] and [`Clock`]: time in whole seconds since 1970, read through a trait so that tests can set it.

use std::{fmt, num::NonZeroU64, time::Duration};

/// The seconds of [`UnixTime::MAX`].
const MAX_SECS: u64 = 253_402_300_799;

/// A point in time: whole seconds since 1970-01-01T00:00:00Z, leap seconds not counted
/// (RFC 7519 section 2, `NumericDate`).
///
/// Never later than the end of the year 9999; arithmetic saturates at both ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(
    /// One more than the seconds, so that an `Option` of it is no larger: a verified token has four of them.
    NonZeroU64,
);

impl UnixTime {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self::from_secs(0);

    /// 9999-12-31T23:59:59Z. No token needs a later time; a larger number is a mistake or an attack.
    pub const MAX: Self = Self(NonZeroU64::MIN.saturating_add(MAX_SECS));

    /// Returns the instant after this many seconds since 1970; later ones become [`UnixTime::MAX`].
    pub const fn from_secs(secs: u64) -> Self {
        if secs > MAX_SECS { Self::MAX } else { Self(NonZeroU64::MIN.saturating_add(secs)) }
    }

    /// Returns the seconds since 1970.
    pub const fn as_secs(self) -> u64 {
        self.0.get() - 1
    }

    /// Returns this instant plus the whole seconds of `by`, at most [`UnixTime::MAX`].
    #[must_use]
    pub const fn plus(self, by: Duration) -> Self {
        Self::from_secs(self.as_secs().saturating_add(by.as_secs()))
    }

    /// Returns this instant minus the whole seconds of `by`, at least 1970.
    #[must_use]
    pub const fn minus(self, by: Duration) -> Self {
        Self::from_secs(self.as_secs().saturating_sub(by.as_secs()))
    }

    /// Returns how long ago `earlier` was; zero if it was not earlier.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.as_secs().saturating_sub(earlier.as_secs()))
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_secs())
    }
}

impl fmt::Debug for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnixTime").field(&self.as_secs()).finish()
    }
}

/// Tells the time. The only source of time in this crate.
///
/// Closures do not implement it: a clock is named in `Debug` output, so that a service with a fixed clock shows this.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Returns the current time. Called once for each request, and again after each wait, so it must be cheap and must not block.
    fn now(&self) -> UnixTime;

    /// Returns how much time has passed since a fixed point in the past: for ages, which must not change when the wall clock is set. As
    /// cheap as [`now`](Self::now).
    ///
    /// Defaults to the operating system's uptime. A clock for tests lets it pass together with its wall clock.
    fn uptime(&self) -> Duration {
        uptime()
    }

    /// Returns the time since 1970 with this clock's full resolution, for measuring the delay of messages from other machines.
    ///
    /// Defaults to the whole seconds of [`now`](Self::now).
    fn precise_now(&self) -> Duration {
        Duration::from_secs(self.now().as_secs())
    }
}

/// The operating system's clock, and the default everywhere.
///
/// On a machine whose clock is before 1970, it returns [`UnixTime::MAX`]: every token has then expired, which is the safe side.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a unit that is written down by name")]
pub struct SystemClock;

impl Clock for SystemClock {
    /// Uses the coarse clock on Linux, which lags by one kernel tick (ten milliseconds at most) and costs a fifth.
    fn now(&self) -> UnixTime {
        since_epoch().map_or(UnixTime::MAX, |since| UnixTime::from_secs(since.as_secs()))
    }

    fn precise_now(&self) -> Duration {
        since_epoch().unwrap_or(Duration::from_secs(UnixTime::MAX.as_secs()))
    }
}

/// Uses the coarse clock, as above.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn uptime() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::MonotonicCoarse);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), nanos)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn uptime() -> Duration {
    use std::{sync::LazyLock, time::Instant};
    static FIRST_ASKED: LazyLock<Instant> = LazyLock::new(Instant::now);
    FIRST_ASKED.elapsed()
}

/// Returns `None` before 1970.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn since_epoch() -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::RealtimeCoarse);
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).unwrap_or_default()))
}

/// Returns `None` before 1970.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
fn since_epoch() -> Option<Duration> {
    use std::time::{SystemTime, UNIX_EPOCH};
    SystemTime::now().duration_since(UNIX_EPOCH).ok()
}

impl<T: Clock + ?Sized> Clock for std::sync::Arc<T> {
    fn now(&self) -> UnixTime {
        (**self).now()
    }

    fn uptime(&self) -> Duration {
        (**self).uptime()
    }

    fn precise_now(&self) -> Duration {
        (**self).precise_now()
    }
}
