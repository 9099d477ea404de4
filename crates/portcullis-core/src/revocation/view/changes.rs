//! `Changes`: how often a view has changed, and on which levels since when.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use crate::revocation::Level;

/// A set of levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Levels(u8);

impl Levels {
    pub(super) const NONE: Self = Self(0);
    pub(super) const ALL: Self = Self(u8::MAX);

    pub(super) fn insert(&mut self, level: Level) {
        self.0 |= 1 << level as u8;
    }

    pub(super) fn without(self, is_without: impl Fn(Level) -> bool) -> Self {
        let mut left = Self::NONE;
        Level::ALL
            .into_iter()
            .filter(|level| self.has(*level) && !is_without(*level))
            .for_each(|level| left.insert(level));
        left
    }

    pub(super) fn has(self, level: Level) -> bool {
        self.0 & (1 << level as u8) != 0
    }
}

/// A number that moves on whenever a token more is revoked: what was found live at this number is so still. With the number at which each
/// level changed last: a token that was checked before has to be held against the levels that have changed since, and against no other.
#[derive(Debug)]
pub(super) struct Changes {
    /// Begins at 1.
    now: AtomicU64,
    last: [AtomicU64; Level::ALL.len()],
    /// Held while a change is published: a reader that sees a number sees the levels of all numbers up to it.
    publishing: Mutex<()>,
}

impl Changes {
    pub(super) fn new() -> Self {
        Self { now: AtomicU64::new(1), last: Default::default(), publishing: Mutex::default() }
    }

    /// The present number.
    pub(super) fn now(&self) -> u64 {
        self.now.load(Ordering::Acquire)
    }

    /// The present number, and the levels that have changed since `checked`; all of them since 0.
    pub(super) fn since(&self, checked: u64) -> (u64, Levels) {
        let now = self.now();
        let mut levels = if checked == 0 { Levels::ALL } else { Levels::NONE };
        for (level, last) in Level::ALL.into_iter().zip(&self.last) {
            if last.load(Ordering::Acquire) > checked {
                levels.insert(level);
            }
        }
        (now, levels)
    }

    /// Makes it known that something more is revoked on these levels; to be called when it can be found.
    pub(super) fn publish(&self, levels: Levels) {
        if levels == Levels::NONE {
            return;
        }
        let _publishing = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let next = self.now.load(Ordering::Relaxed) + 1;
        // The levels first: who sees the new number sees them.
        for (_, last) in Level::ALL.into_iter().zip(&self.last).filter(|(level, _)| levels.has(*level)) {
            last.store(next, Ordering::Release);
        }
        self.now.store(next, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_levels_that_have_changed_since_are_named() {
        let changes = Changes::new();
        let of = |levels: &[Level]| {
            let mut set = Levels::NONE;
            for level in levels {
                set.insert(*level);
            }
            set
        };
        assert_eq!(changes.since(1), (1, Levels::NONE));
        assert_eq!(changes.since(0).1, Levels::ALL, "of a token that was never checked");
        changes.publish(Levels::NONE);
        assert_eq!(changes.now(), 1);
        changes.publish(of(&[Level::Session]));
        changes.publish(of(&[Level::Key, Level::Token]));
        assert_eq!(changes.since(1), (3, of(&[Level::Session, Level::Key, Level::Token])));
        assert_eq!(changes.since(2), (3, of(&[Level::Key, Level::Token])));
        assert_eq!(changes.since(3), (3, Levels::NONE));
    }
}
