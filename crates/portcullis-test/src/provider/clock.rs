//! [`VirtualClock`]: the wall clock of a runtime with virtual time.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use portcullis_core::{Clock, UnixTime};
use tokio::time::Instant;

use crate::FixedClock;

/// A [`Clock`] that follows the runtime's time, so that tokens age while a test lets hours pass (`#[tokio::test(start_paused = true)]`,
/// `tokio::time::advance`). Clones share the time.
#[derive(Clone)]
pub struct VirtualClock(Arc<Times>);

struct Times {
    started: Instant,
    /// What it showed at the start, changed by jumps.
    at_start: AtomicU64,
}

impl VirtualClock {
    /// Returns a clock that shows [`FixedClock::DEFAULT`] now.
    pub fn new() -> Self {
        let at_start = AtomicU64::new(FixedClock::DEFAULT.as_secs());
        Self(Arc::new(Times { started: Instant::now(), at_start }))
    }

    /// Sets it forward, like an operator who corrects a clock; the runtime's time is not changed.
    pub fn jump_forward(&self, by: Duration) {
        self.0.at_start.fetch_add(by.as_secs(), Ordering::SeqCst);
    }

    /// Sets it back; the runtime's time is not changed.
    pub fn jump_back(&self, by: Duration) {
        self.0.at_start.fetch_sub(by.as_secs(), Ordering::SeqCst);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.0.at_start.load(Ordering::SeqCst)).plus(self.0.started.elapsed())
    }

    fn uptime(&self) -> Duration {
        self.0.started.elapsed()
    }

    fn precise_now(&self) -> Duration {
        Duration::from_secs(self.0.at_start.load(Ordering::SeqCst)) + self.0.started.elapsed()
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VirtualClock").field(&self.now().as_secs()).finish()
    }
}
