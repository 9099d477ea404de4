//! What one access to main memory takes, and how much of it the process has.

use std::{fs, hint::black_box, time::Instant};

/// Far more than any processor's cache, in steps of 8 bytes.
const PLACES: usize = 8 << 20;
const STEPS: usize = 1 << 20;

/// Nanoseconds for an access that nothing could foresee: a chase through 64 MB in which each place names the next.
pub fn memory_access_ns() -> f64 {
    let mut places: Vec<usize> = (0..PLACES).collect();
    let mut state = 1_u64;
    // Sattolo's shuffle: one cycle through all places.
    for at in (1..PLACES).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        places.swap(at, (state >> 33) as usize % at);
    }
    let start = Instant::now();
    let last = (0..STEPS).fold(0, |at, _| places[at]);
    black_box(last);
    start.elapsed().as_nanos() as f64 / STEPS as f64
}

/// How many bytes of main memory the process has now; `None` where that cannot be had.
pub fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}
