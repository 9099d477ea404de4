//! Time as tokens see it: whole seconds since 1970, read through a [`Clock`] so that tests choose it.

use std::{fmt, num::NonZeroU64, time::Duration};

/// The seconds of [`UnixTime::MAX`].
const MAX_SECS: u64 = 253_402_300_799;

/// A point in time: whole seconds since 1970-01-01T00:00:00Z, leap seconds not counted
/// (RFC 7519 section 2, `NumericDate`).
///
/// Never later than the year 9999; arithmetic saturates at both ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(
    /// One more than the seconds, so that an `Option` of it is no larger: a verified token holds four.
    NonZeroU64,
);

impl UnixTime {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self::from_secs(0);

    /// 9999-12-31T23:59:59Z. No token of this age has a use; a larger number is a mistake or an attack.
    pub const MAX: Self = Self(NonZeroU64::MIN.saturating_add(MAX_SECS));

    /// Takes seconds since 1970; what lies beyond [`UnixTime::MAX`] becomes `MAX`.
    pub const fn from_secs(secs: u64) -> Self {
        if secs > MAX_SECS { Self::MAX } else { Self(NonZeroU64::MIN.saturating_add(secs)) }
    }

    /// Seconds since 1970.
    pub const fn as_secs(self) -> u64 {
        self.0.get() - 1
    }

    /// This instant moved later by the whole seconds of `by`, at most to [`UnixTime::MAX`].
    #[must_use]
    pub const fn plus(self, by: Duration) -> Self {
        Self::from_secs(self.as_secs().saturating_add(by.as_secs()))
    }

    /// This instant moved earlier by the whole seconds of `by`, at most to 1970.
    #[must_use]
    pub const fn minus(self, by: Duration) -> Self {
        Self::from_secs(self.as_secs().saturating_sub(by.as_secs()))
    }

    /// How long ago `earlier` was; zero if it was not earlier.
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

/// Says what time it is. The only source of time in this crate.
///
/// Closures will not do: a clock is named in `Debug` output, so that a service that runs on a fixed clock says so.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present instant. Called once for each request, and again after each wait, so it must be cheap and must not block.
    fn now(&self) -> UnixTime;

    /// How much time has passed since some point in the past, always the same one: for ages, which must not change when
    /// somebody sets the calendar. As cheap as [`now`](Self::now).
    ///
    /// Defaults to the operating system's. A clock for tests lets it pass along with its calendar.
    fn uptime(&self) -> Duration {
        uptime()
    }

    /// Returns the time since 1970 as finely as this clock knows it: for measuring how long something was on its way from another machine.
    ///
    /// Defaults to the whole seconds of [`now`](Self::now).
    fn precise_now(&self) -> Duration {
        Duration::from_secs(self.now().as_secs())
    }
}

/// The operating system's clock, and the default everywhere.
///
/// A machine whose clock stands before 1970 reads as [`UnixTime::MAX`]: every token has then expired, which is the safe
/// side.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a unit that is written down by name")]
pub struct SystemClock;

impl Clock for SystemClock {
    /// On Linux by the coarse clock, which lags by a tick of the kernel (ten milliseconds at most) and costs a fifth.
    fn now(&self) -> UnixTime {
        since_epoch().map_or(UnixTime::MAX, |since| UnixTime::from_secs(since.as_secs()))
    }

    fn precise_now(&self) -> Duration {
        since_epoch().unwrap_or(Duration::from_secs(UnixTime::MAX.as_secs()))
    }
}

/// By the coarse clock, as above.
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

/// `None` before 1970.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn since_epoch() -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::RealtimeCoarse);
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).unwrap_or_default()))
}

/// `None` before 1970.
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
