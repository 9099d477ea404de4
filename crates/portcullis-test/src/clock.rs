//! [`FixedClock`]: a clock that stands still.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use portcullis_core::{Clock, UnixTime};

/// A clock that moves only when the test moves it. Clones share the time: give one to the issuer and one to the service, and keep one to
/// move.
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_core::Code;
/// use portcullis_core::authenticator::Attempt;
/// use portcullis_test::{FixedClock, MockIssuer};
///
/// let clock = FixedClock::default();
/// let issuer = MockIssuer::new().clock(clock.clone());
/// let admission = issuer.admission(); // reads the same clock
/// let token = issuer.token().expires_in(Duration::from_secs(60)).sign();
///
/// assert!(matches!(admission.verify(&token), Attempt::Done(Ok(_))));
/// clock.advance(Duration::from_secs(60 + 30)); // the leeway is 30 s
/// let Attempt::Done(Err(refused)) = admission.verify(&token) else { panic!("accepted") };
/// assert_eq!(refused.code(), Code::TokenExpired);
/// ```
#[derive(Clone)]
pub struct FixedClock(Arc<Times>);

/// The times, in seconds.
struct Times {
    calendar: AtomicU64,
    uptime: AtomicU64,
}

impl FixedClock {
    /// The time of [`FixedClock::default`]: 2027-01-15T08:00:00Z, which is 1 800 000 000 seconds since 1970, a number that is easy to
    /// recognise in a test's output.
    pub const DEFAULT: UnixTime = UnixTime::from_secs(1_800_000_000);

    /// Returns a clock that stands at `instant`.
    pub fn at(instant: UnixTime) -> Self {
        Self(Arc::new(Times { calendar: AtomicU64::new(instant.as_secs()), uptime: AtomicU64::new(0) }))
    }

    /// Sets its wall clock to another instant, earlier or later. No time passes: the uptime does not change.
    pub fn set(&self, instant: UnixTime) {
        self.0.calendar.store(instant.as_secs(), Ordering::SeqCst);
    }

    /// Lets whole seconds pass.
    pub fn advance(&self, by: Duration) {
        self.0.calendar.fetch_add(by.as_secs(), Ordering::SeqCst);
        self.0.uptime.fetch_add(by.as_secs(), Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.0.calendar.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> Duration {
        Duration::from_secs(self.0.uptime.load(Ordering::SeqCst))
    }
}

impl Default for FixedClock {
    /// Returns a clock that stands at [`FixedClock::DEFAULT`].
    fn default() -> Self {
        Self::at(Self::DEFAULT)
    }
}

impl fmt::Debug for FixedClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FixedClock").field(&self.now().as_secs()).finish()
    }
}
