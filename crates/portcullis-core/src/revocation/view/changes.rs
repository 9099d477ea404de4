//! `Changes`: how often a view has changed, and when it last changed for each level and id.
//!
//! A token that was checked in an epoch is checked again after that epoch has passed. Looking up its ids on every level costs an access
//! to main memory each. But only revocations *since* then can hit it, so small tables can tell for most tokens that there is nothing new:
//! they store the epoch of the last change for each level, and for each id by a hash ([`Marks`]).
//!
//! These tables must never say "nothing" about a token that an entry hits, because the token would then be recorded as live in the new
//! epoch, and not be looked up again. These rules ensure it:
//!
//! 1. **A reader loads the epoch first**, then the tables, then the view's entries. Its result is valid for the epoch that it loaded.
//! 2. **A writer stores the epoch last**: first the entries, then the tables, then the epoch, with `Release` for the reader's `Acquire`.
//!    A reader that sees an epoch sees the entries and the marks of all epochs up to it. A reader that sees an earlier epoch records that
//!    one, and checks again later.
//! 3. **A mark has the number of the epoch that publishes it**, which is later than any in which a reader can have missed its entry. The
//!    number is known only while the lock is held, so a [`Batch`] keeps its marks until then. Two concurrent merges get two epochs.
//! 4. **Nothing in the tables decreases or is cleared**: one writer at a time stores the next number. What a reader sees of an epoch that
//!    is not published yet only causes an additional look-up.
//! 5. **A batch that is too large for marks moves `marked_since`**: tokens that were checked before that epoch are looked up in full. So
//!    are tokens that were never checked (0): epochs, and therefore `marked_since`, begin at 1.
//! 6. **A batch is published even if the caller's iterator panics**: its entries are in the view, and merging them again would not count
//!    as a change.
//!
//! Forgetting entries, or withdrawing the view's confirmation, does not change anything here. A forgotten entry that is merged again is a
//! change, with its own epoch and mark.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use super::{id_hash::Mark, marks::Marks};
use crate::revocation::{Level, Levels};

/// How many marks a batch may have: 8 KiB while it exists. Larger batches come while a log is read from its beginning; tokens that were
/// checked before one are looked up in full once.
const MOST_MARKS: usize = 1024;

/// The epoch increases whenever another token is revoked; a token that was found live in an epoch stays so during that epoch. The
/// module's documentation has the rules.
#[derive(Debug)]
#[repr(C)] // the epoch first, because a hit reads only this
pub(super) struct Changes {
    /// Begins at 1.
    epoch: AtomicU64,
    /// The epoch in which each level last changed.
    last: [AtomicU64; Level::ALL.len()],
    /// The marks are complete for the epochs after this one.
    marked_since: AtomicU64,
    marks: Marks,
    /// Locked while a change is published.
    publishing: Mutex<()>,
}

/// The changes since a token was checked.
#[derive(Debug)]
pub(super) struct News<'c> {
    changes: &'c Changes,
    checked: u64,
    epoch: u64,
    levels: Levels,
    is_marked: bool,
}

/// The changes of one merge. [`publish`](Self::publish) them once its entries can be found.
#[derive(Debug)]
pub(super) struct Batch<'c> {
    changes: &'c Changes,
    levels: Levels,
    count: usize,
    /// The marks of the first entries; of all entries, if there are few enough.
    marks: Vec<Mark>,
}

impl Changes {
    pub(super) fn new() -> Self {
        Self {
            epoch: AtomicU64::new(1),
            last: Default::default(),
            marked_since: AtomicU64::new(1),
            marks: Marks::new(),
            publishing: Mutex::default(),
        }
    }

    /// Returns the current epoch.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Returns the changes since `checked`; 0 means all changes.
    pub(super) fn since(&self, checked: u64) -> News<'_> {
        let epoch = self.epoch();
        let mut levels = if checked == 0 { Levels::ALL } else { Levels::NONE };
        for (level, last) in Level::ALL.into_iter().zip(&self.last) {
            if last.load(Ordering::Relaxed) > checked {
                levels.insert(level);
            }
        }
        let is_marked = checked >= self.marked_since.load(Ordering::Relaxed);
        News { changes: self, checked, epoch, levels, is_marked }
    }

    /// Returns a batch for a merge.
    pub(super) fn batch(&self) -> Batch<'_> {
        Batch { changes: self, levels: Levels::NONE, count: 0, marks: Vec::new() }
    }
}

impl News<'_> {
    /// Returns the epoch for which a check that begins now is valid.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Returns the levels that have changed.
    pub(super) fn levels(&self) -> Levels {
        self.levels
    }

    /// Whether marks show which ids have changed. If not, any may have.
    pub(super) fn is_marked(&self) -> bool {
        self.is_marked
    }

    /// Whether something may have changed for this id. `false` is certain, unless there are no marks.
    pub(super) fn may_name(&self, mark: Mark) -> bool {
        self.changes.marks.has_after(self.checked, mark)
    }
}

impl Batch<'_> {
    /// Adds an entry that can already be found, and that revokes another token.
    pub(super) fn add(&mut self, level: Level, mark: Mark) {
        self.levels.insert(level);
        self.count += 1;
        if self.marks.len() < MOST_MARKS {
            self.marks.push(mark);
        }
    }

    /// Publishes the changes, and returns how many there are. Dropping it publishes them as well, in case the caller panics.
    pub(super) fn publish(self) -> usize {
        self.count
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let Changes { epoch, last, marked_since, marks, publishing } = self.changes;
        if self.count == 0 {
            return;
        }
        let _publishing = publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let next = epoch.load(Ordering::Relaxed) + 1;
        for (_, last) in Level::ALL.into_iter().zip(last).filter(|(level, _)| self.levels.has(*level)) {
            last.store(next, Ordering::Relaxed);
        }
        if self.count > self.marks.len() {
            marked_since.store(next, Ordering::Relaxed);
        } else {
            self.marks.iter().for_each(|mark| marks.set(*mark, next));
        }
        epoch.store(next, Ordering::Release); // after everything else
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(changes: &Changes, news: &[(Level, u64)]) {
        let mut batch = changes.batch();
        for (level, mark) in news {
            batch.add(*level, Mark(*mark));
        }
        assert_eq!(batch.count, news.len());
    }

    fn of(levels: &[Level]) -> Levels {
        let mut set = Levels::NONE;
        for level in levels {
            set.insert(*level);
        }
        set
    }

    #[test]
    fn only_levels_that_have_changed_since_are_named() {
        let changes = Changes::new();
        let since = |checked| (changes.since(checked).epoch(), changes.since(checked).levels());
        assert_eq!(since(1), (1, Levels::NONE));
        assert_eq!(since(0).1, Levels::ALL, "of a token that was never checked");
        publish(&changes, &[]);
        assert_eq!(changes.epoch(), 1);
        publish(&changes, &[(Level::Session, 1)]);
        publish(&changes, &[(Level::Key, 2), (Level::Token, 3)]);
        assert_eq!(since(1), (3, of(&[Level::Session, Level::Key, Level::Token])));
        assert_eq!(since(2), (3, of(&[Level::Key, Level::Token])));
        assert_eq!(since(3), (3, Levels::NONE));
    }

    #[test]
    fn only_ids_that_have_changed_since_are_named() {
        let changes = Changes::new();
        publish(&changes, &[(Level::Session, 11 << 32 | 1)]);
        publish(&changes, &[(Level::Key, 12 << 32 | 2), (Level::Token, 13 << 32 | 3)]);
        let named = |checked| {
            let news = changes.since(checked);
            assert!(news.is_marked());
            [11 << 32 | 1, 12 << 32 | 2, 13 << 32 | 3, 14 << 32 | 4].map(|mark| news.may_name(Mark(mark)))
        };
        assert_eq!(named(1), [true, true, true, false]);
        assert_eq!(named(2), [false, true, true, false]);
        assert_eq!(named(3), [false; 4]);
    }

    #[test]
    fn a_token_that_was_never_checked_is_not_told_by_marks() {
        let changes = Changes::new();
        assert!(!changes.since(0).is_marked());
        assert!(changes.since(1).is_marked());
    }

    #[test]
    fn a_batch_with_more_than_there_are_marks_for_counts_as_a_change_of_all_ids() {
        let changes = Changes::new();
        publish(&changes, &vec![(Level::Token, 1); MOST_MARKS]);
        assert!(changes.since(1).is_marked());
        publish(&changes, &vec![(Level::Token, 1); MOST_MARKS + 1]);
        assert_eq!(changes.epoch(), 3);
        assert!(!changes.since(1).is_marked() && !changes.since(2).is_marked());
        assert_eq!(changes.since(2).levels(), of(&[Level::Token]));
        assert!(changes.since(3).is_marked(), "those that were checked since are told again");
        publish(&changes, &[(Level::Client, 2)]);
        assert!(changes.since(3).is_marked() && changes.since(3).may_name(Mark(2)));
        assert!(!changes.since(2).is_marked(), "and the others still are not");
    }

    /// Merging these entries again would not count as a change: they are in the view.
    #[test]
    fn what_was_merged_before_a_panic_is_published() {
        let changes = Changes::new();
        let merging = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut batch = changes.batch();
            batch.add(Level::Token, Mark(1));
            panic!("the caller's iterator");
        }));
        assert!(merging.is_err());
        let news = changes.since(1);
        assert_eq!((news.epoch(), news.levels()), (2, of(&[Level::Token])));
        assert!(news.is_marked() && news.may_name(Mark(1)));
    }

    /// At each moment, while another thread publishes.
    #[test]
    fn a_reader_that_sees_an_epoch_sees_what_it_has_brought() {
        const EPOCHS: u64 = 3000;
        let level_at = Level::ALL.into_iter().cycle().take(3001).collect::<Vec<_>>();
        let of_epoch = |epoch: u64| (level_at[usize::try_from(epoch).unwrap()], Mark(epoch << 32 | epoch));
        let changes = Changes::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for epoch in 2..=EPOCHS {
                    let mut batch = changes.batch();
                    // The important one comes last; no other shares its slots.
                    (1..200).for_each(|n| batch.add(of_epoch(epoch).0, Mark((8000 + n) << 32 | (8000 + n))));
                    batch.add(of_epoch(epoch).0, of_epoch(epoch).1);
                }
            });
            let mut checked = 1;
            while checked < EPOCHS {
                let news = changes.since(checked);
                for epoch in checked + 1..=news.epoch() {
                    let (level, mark) = of_epoch(epoch);
                    assert!(news.levels().has(level) && news.may_name(mark), "epoch {epoch} of {}", news.epoch());
                }
                checked = news.epoch();
            }
        });
    }

    /// Two concurrent merges: each mark belongs to the epoch in which its batch was published, not to the one in which it was begun.
    #[test]
    fn a_batch_that_was_begun_first_and_is_published_last_has_the_latest_epoch() {
        let changes = Changes::new();
        let mut early = changes.batch();
        early.add(Level::Token, Mark(11 << 32 | 1));
        publish(&changes, &[(Level::Session, 12 << 32 | 2)]);
        let checked = changes.epoch();
        assert!(!changes.since(1).may_name(Mark(11 << 32 | 1)), "not yet");
        drop(early);
        let news = changes.since(checked);
        assert!(news.may_name(Mark(11 << 32 | 1)) && news.levels() == of(&[Level::Token]));
    }
}
