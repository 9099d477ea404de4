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

/// The epoch: moves on whenever a token more is revoked; what was found live in an epoch stays so while it lasts. With the epoch in which each
/// level changed last: a token that was checked before has to be held against the levels that have changed since, and against no other.
#[derive(Debug)]
pub(super) struct Changes {
    /// Begins at 1.
    epoch: AtomicU64,
    last: [AtomicU64; Level::ALL.len()],
    /// Held while a change is published: a reader that sees an epoch sees the levels of all epochs up to it.
    publishing: Mutex<()>,
}

impl Changes {
    pub(super) fn new() -> Self {
        Self { epoch: AtomicU64::new(1), last: Default::default(), publishing: Mutex::default() }
    }

    /// The present epoch.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// The present epoch, and the levels that have changed since `checked`; all of them since 0.
    pub(super) fn since(&self, checked: u64) -> (u64, Levels) {
        let epoch = self.epoch();
        let mut levels = if checked == 0 { Levels::ALL } else { Levels::NONE };
        for (level, last) in Level::ALL.into_iter().zip(&self.last) {
            if last.load(Ordering::Acquire) > checked {
                levels.insert(level);
            }
        }
        (epoch, levels)
    }

    /// Makes it known that something more is revoked on these levels; to be called when it can be found.
    pub(super) fn publish(&self, levels: Levels) {
        if levels == Levels::NONE {
            return;
        }
        let _publishing = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let next = self.epoch.load(Ordering::Relaxed) + 1;
        // The levels first: a reader that sees the new epoch sees them.
        for (_, last) in Level::ALL.into_iter().zip(&self.last).filter(|(level, _)| levels.has(*level)) {
            last.store(next, Ordering::Release);
        }
        self.epoch.store(next, Ordering::Release);
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
        assert_eq!(changes.epoch(), 1);
        changes.publish(of(&[Level::Session]));
        changes.publish(of(&[Level::Key, Level::Token]));
        assert_eq!(changes.since(1), (3, of(&[Level::Session, Level::Key, Level::Token])));
        assert_eq!(changes.since(2), (3, of(&[Level::Key, Level::Token])));
        assert_eq!(changes.since(3), (3, Levels::NONE));
    }
}
