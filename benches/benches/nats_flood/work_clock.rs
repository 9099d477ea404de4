//! [`WorkClock`]: the time of a worker that has a processor to itself.

use std::{
    sync::atomic::{AtomicI64, Ordering::Relaxed},
    time::Duration,
};

use portcullis_benches::thread_time;

/// Runs while the thread works, and is set ahead while it has nothing to do. What other programs and other machines take from the processor is not in it.
#[derive(Debug)]
pub struct WorkClock {
    /// What was skipped, less what the thread had run before and what did not count, in nanoseconds.
    ahead: AtomicI64,
    skipped: AtomicI64,
}

impl WorkClock {
    /// Starts at zero. It is for the calling thread alone.
    pub fn start() -> Self {
        Self { ahead: AtomicI64::new(-nanos(thread_time())), skipped: AtomicI64::new(0) }
    }

    pub fn now(&self) -> Duration {
        let nanos = nanos(thread_time()) + self.ahead.load(Relaxed);
        Duration::from_nanos(nanos.try_into().unwrap_or(0))
    }

    /// Stands still for what the worker does not do.
    pub fn without<T>(&self, other: impl FnOnce() -> T) -> T {
        let before = thread_time();
        let result = other();
        self.put_back(thread_time() - before);
        result
    }

    pub fn put_back(&self, time: Duration) {
        self.ahead.fetch_sub(nanos(time), Relaxed);
    }

    /// Skips the time until then, in which there is nothing to do.
    pub fn skip_to(&self, time: Duration) {
        let skipped = nanos(time.saturating_sub(self.now()));
        self.ahead.fetch_add(skipped, Relaxed);
        self.skipped.fetch_add(skipped, Relaxed);
    }

    /// Returns which part of the time was work.
    pub fn load(&self) -> f64 {
        1.0 - self.skipped.load(Relaxed) as f64 / nanos(self.now()) as f64
    }
}

fn nanos(time: Duration) -> i64 {
    time.as_nanos().try_into().unwrap_or(i64::MAX)
}
