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

/// How long the process has run so far, on all processors together. Zero where that cannot be had.
#[cfg(target_os = "linux")]
pub fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// How long the process has run so far, on all processors together: not known on this system.
#[cfg(not(target_os = "linux"))]
pub fn processor_time() -> Duration {
    Duration::ZERO
}
