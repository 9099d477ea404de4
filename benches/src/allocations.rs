//! Counts allocations when it is asked to, and costs nothing when not: what is timed is the system's allocator.
//!
//! The crates that count are at it all the time, which was a fifth of what a request costs here, and more for one contender than
//! for another.
#![allow(unsafe_code, reason = "an allocator is unsafe to implement; this one passes everything on")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed},
};

/// What was allocated while something ran.
#[derive(Clone, Copy, Debug)]
pub struct Allocations {
    /// How often, growing included.
    pub count: u64,
    /// How many bytes more are in use afterwards.
    pub bytes: i64,
}

/// Runs `what`, and counts what the whole process allocates meanwhile. One at a time.
pub fn allocations(what: impl FnOnce()) -> Allocations {
    COUNT.store(0, Relaxed);
    BYTES.store(0, Relaxed);
    COUNTING.store(true, Relaxed);
    what();
    COUNTING.store(false, Relaxed);
    Allocations { count: COUNT.load(Relaxed), bytes: BYTES.load(Relaxed) }
}

static COUNTING: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicI64 = AtomicI64::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn note(count: u64, more: usize, less: usize) {
    if COUNTING.load(Relaxed) {
        COUNT.fetch_add(count, Relaxed);
        BYTES.fetch_add(more as i64 - less as i64, Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note(0, 0, layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(1, size, layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
