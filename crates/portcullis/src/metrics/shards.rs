//! [`Shards`]: counters without contention between threads.

use std::{
    cell::Cell,
    fmt,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    thread,
};

/// More shards than this brought no measurable gain; each costs eight bytes a counter.
const MAX_SHARDS: usize = 16;

/// Unused counters between shards, so that two shards never share a cache line.
const PADDING: usize = 16;

/// A fixed number of counters with several copies: a thread increments its own copy, a reader adds up all copies.
pub(super) struct Shards {
    shards: Box<[Box<[AtomicU64]>]>,
}

impl Shards {
    /// Returns this many counters, all zero.
    pub(super) fn new(counters: usize) -> Self {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let count = threads.next_power_of_two().min(MAX_SHARDS);
        let shard = || (0..counters + PADDING).map(|_| AtomicU64::new(0)).collect();
        Self { shards: (0..count).map(|_| shard()).collect() }
    }

    /// Adds to one counter.
    #[inline]
    pub(super) fn add(&self, counter: usize, value: u64) {
        // The number of shards is a power of two.
        let shard = &self.shards[thread_number() & (self.shards.len() - 1)];
        shard[counter].fetch_add(value, Ordering::Relaxed);
    }

    /// Returns the value of one counter.
    pub(super) fn sum(&self, counter: usize) -> u64 {
        self.shards.iter().map(|shard| shard[counter].load(Ordering::Relaxed)).fold(0, u64::wrapping_add)
    }
}

/// Numbers threads in the order in which they first count.
#[inline]
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    const UNKNOWN: usize = usize::MAX;
    thread_local! {
        static NUMBER: Cell<usize> = const { Cell::new(UNKNOWN) };
    }
    NUMBER.with(|number| {
        if number.get() == UNKNOWN {
            number.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        number.get()
    })
}

impl fmt::Debug for Shards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shards").field("shards", &self.shards.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_increment_of_eight_threads_is_lost() {
        const EACH: u64 = 100_000;
        let shards = Shards::new(3);
        thread::scope(|scope| {
            for thread in 0..8 {
                let shards = &shards;
                scope.spawn(move || (0..EACH).for_each(|_| shards.add(thread % 2, 1)));
            }
        });
        assert_eq!([shards.sum(0), shards.sum(1), shards.sum(2)], [4 * EACH, 4 * EACH, 0]);
    }
}
