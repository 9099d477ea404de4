//! `Marks`: a small table of the epochs in which something was last revoked for a given id.

use std::sync::atomic::{AtomicU64, Ordering};

use super::id_hash::Mark;

/// The number of slots: 128 KiB, which stay in the processor's second-level cache. After `n` revocations, an id that none of them names
/// looks named with a probability of `(2n / SLOTS)²`: 1 in 7000 after a hundred, 1 in 70 after a thousand.
const SLOTS: usize = 1 << 14;

/// Epochs, in slots that ids share. Each id has two slots, and the earlier of both counts.
///
/// A slot keeps the latest epoch of all ids that share it, and never decreases. So a table that is too small causes unnecessary look-ups
/// in the view, but never hides a necessary one: nothing has to be cleared, and a reader that runs concurrently with a writer sees at
/// most too much.
#[derive(Debug)]
pub(super) struct Marks(Box<[AtomicU64]>);

impl Marks {
    pub(super) fn new() -> Self {
        Self((0..SLOTS).map(|_| AtomicU64::new(0)).collect())
    }

    /// Records that something was revoked in `epoch` for this id. For one caller at a time, with epochs that do not decrease.
    pub(super) fn set(&self, mark: Mark, epoch: u64) {
        for slot in slots(mark).into_iter().filter_map(|at| self.0.get(at)) {
            slot.store(epoch, Ordering::Relaxed); // made visible by the epoch, which is stored afterwards
        }
    }

    /// Whether something may have been revoked for this id after the epoch `checked`. `false` is certain, for all epochs up to the one
    /// that the caller has loaded before.
    pub(super) fn has_after(&self, checked: u64, mark: Mark) -> bool {
        let is_later = |at: usize| self.0.get(at).is_none_or(|slot| slot.load(Ordering::Relaxed) > checked);
        slots(mark).into_iter().all(is_later)
    }
}

/// Uses both halves of the hash.
#[expect(clippy::cast_possible_truncation, reason = "only the lowest bits count")]
const fn slots(Mark(hash): Mark) -> [usize; 2] {
    [hash as usize % SLOTS, (hash >> 32) as usize % SLOTS]
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, hash::BuildHasher};

    use super::*;

    /// Evenly distributed, and the same in every run.
    fn mark(n: u64) -> Mark {
        Mark(foldhash::quality::FixedState::with_seed(7).hash_one(n))
    }

    #[test]
    fn a_mark_counts_for_checks_in_earlier_epochs_only() {
        let marks = Marks::new();
        assert!(!marks.has_after(1, mark(0)), "an empty table");
        marks.set(mark(0), 5);
        assert!(marks.has_after(4, mark(0)));
        assert!(!marks.has_after(5, mark(0)));
        assert!(!marks.has_after(1, mark(1)), "another id");
        marks.set(mark(0), 9);
        assert!(marks.has_after(8, mark(0)));
    }

    #[test]
    fn an_id_that_shares_one_slot_is_not_marked_and_one_that_shares_both_is() {
        let marks = Marks::new();
        marks.set(Mark(3 << 32 | 1), 2);
        assert!(!marks.has_after(1, Mark(4 << 32 | 1)));
        assert!(!marks.has_after(1, Mark(3 << 32 | 2)));
        assert!(marks.has_after(1, Mark(1 << 32 | 3)), "a look-up too many");
        assert!(marks.has_after(1, Mark((SLOTS as u64 + 3) << 32 | 1)), "slots are counted by the lowest bits");
        marks.set(Mark(4 << 32 | 7), 8);
        assert!(
            !marks.has_after(2, Mark(4 << 32 | 1)),
            "both slots are taken, but one of them only in an epoch before"
        );
    }

    /// However full the table is.
    #[test]
    fn no_mark_is_ever_hidden_by_others() {
        let (marks, mut last) = (Marks::new(), HashMap::new());
        for epoch in 2..60_000 {
            let n = mark(epoch).0 % 20_000;
            marks.set(mark(n), epoch);
            last.insert(n, epoch);
            if epoch % 5000 == 0 {
                for (n, epoch) in &last {
                    assert!(marks.has_after(epoch - 1, mark(*n)), "{n} of epoch {epoch}");
                }
            }
        }
    }

    #[test]
    fn few_ids_look_marked_that_are_not() {
        for (revoked, most) in [(100, 20), (1000, 600)] {
            let marks = Marks::new();
            (0..revoked).for_each(|n| marks.set(mark(n), 2));
            let by_mistake = (0..20_000).filter(|n| marks.has_after(1, mark(1_000_000 + n))).count();
            assert!(by_mistake <= most, "{by_mistake} of 20 000 after {revoked}");
        }
    }
}
