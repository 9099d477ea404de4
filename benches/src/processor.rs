//! Where a thread runs, and for how long.

use std::time::Duration;

/// Keeps the calling thread on one processor, so that a measurement on two of them is not one on one. `false` where
/// that cannot be had.
#[cfg(target_os = "linux")]
pub fn pin(processor: usize) -> bool {
    let mut processors = rustix::thread::CpuSet::new();
    processors.set(processor);
    rustix::thread::sched_setaffinity(None, &processors).is_ok()
}

/// Keeps the calling thread on one processor: not on this system.
#[cfg(not(target_os = "linux"))]
pub fn pin(_processor: usize) -> bool {
    false
}

/// How long the calling thread has run so far, without the time in which it waited for a processor.
#[cfg(target_os = "linux")]
pub fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// How much time has passed: how long a thread has run is not known on this system.
#[cfg(not(target_os = "linux"))]
pub fn thread_time() -> Duration {
    use std::{sync::LazyLock, time::Instant};

    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGIN.elapsed()
}
