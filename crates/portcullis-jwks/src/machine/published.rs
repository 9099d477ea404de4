//! `Published`: the keys that readers see.

use std::time::Instant;

use portcullis_core::{KeySet, UnixTime};

/// The current keys. Immutable: each change makes a new value.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    /// Changes when the keys change, or when they can no longer be used.
    number: u64,
    keys: KeySet,
    usability: Usability,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usability {
    /// There are no keys: none were fetched yet, or all had to be dropped.
    Nothing,
    /// Usable until this time, even if they are not fetched again.
    Usable {
        until: Instant,
        /// The same time by the wall clock, which can be set: only for tokens that were seen before.
        until_time: UnixTime,
    },
    /// The outage has lasted too long.
    TooOld,
    /// The task that refreshes the keys has ended.
    Ended,
}

impl Published {
    /// Returns the state before any keys were fetched.
    pub(crate) fn nothing() -> Self {
        Self { number: 0, keys: KeySet::default(), usability: Usability::Nothing }
    }

    /// Returns the state with other keys, or without keys.
    pub(crate) fn replaced(&self, keys: KeySet, usability: Usability) -> Self {
        Self { number: self.number + 1, keys, usability }
    }

    /// Returns the state with the same keys, usable for longer.
    pub(crate) fn prolonged(&self, usability: Usability) -> Self {
        Self { usability, ..self.clone() }
    }

    /// Returns the current usability: keys that were not refreshed for too long are too old, even before the task says so, or if it does
    /// not run.
    pub(crate) fn usability(&self, now: Instant) -> Usability {
        match self.usability {
            Usability::Usable { until, .. } if now >= until => Usability::TooOld,
            usability => usability,
        }
    }

    /// Returns when the keys become too old, unless they already are.
    pub(crate) fn ends_at(&self) -> Option<Instant> {
        match self.usability {
            Usability::Usable { until, .. } => Some(until),
            _ => None,
        }
    }

    /// Returns the keys, if they can be used.
    pub(crate) fn usable(&self, now: Instant) -> Option<&KeySet> {
        matches!(self.usability(now), Usability::Usable { .. }).then_some(&self.keys)
    }

    /// Returns the number of the keys, and until when they can be used, in seconds of the wall clock; zero if they cannot.
    pub(crate) fn edition(&self) -> (u64, u64) {
        match self.usability {
            Usability::Usable { until_time, .. } => (self.number, until_time.as_secs()),
            _ => (0, 0),
        }
    }
}
