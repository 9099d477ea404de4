//! `Published`: the keys as readers see them.

use std::time::Instant;

use portcullis_core::{KeySet, UnixTime};

/// The keys as they are at the moment. Never changes: a change makes another one.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    /// Of the keys: another one when others come, or when these can be used no longer.
    number: u64,
    keys: KeySet,
    usability: Usability,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usability {
    /// There are no keys: none came yet, or those that did had to be dropped.
    Nothing,
    /// Until then, whether anybody fetches them again or not.
    Usable {
        until: Instant,
        /// The same by the calendar, which can be set: for tokens that were seen before alone.
        until_time: UnixTime,
    },
    /// The outage has lasted too long.
    TooOld,
    /// The task is gone, and with it what looks after the keys.
    Ended,
}

impl Published {
    /// Before any keys came.
    pub(crate) fn nothing() -> Self {
        Self { number: 0, keys: KeySet::default(), usability: Usability::Nothing }
    }

    /// Other keys, or none.
    pub(crate) fn replaced(&self, keys: KeySet, usability: Usability) -> Self {
        Self { number: self.number + 1, keys, usability }
    }

    /// The same keys can be used for longer.
    pub(crate) fn prolonged(&self, usability: Usability) -> Self {
        Self { usability, ..self.clone() }
    }

    /// As it is now: what was not looked after for too long is too old, also before the task says so, or if it does not run.
    pub(crate) fn usability(&self, now: Instant) -> Usability {
        match self.usability {
            Usability::Usable { until, .. } if now >= until => Usability::TooOld,
            usability => usability,
        }
    }

    /// When they become too old, if they are not yet said to be.
    pub(crate) fn ends_at(&self) -> Option<Instant> {
        match self.usability {
            Usability::Usable { until, .. } => Some(until),
            _ => None,
        }
    }

    /// The keys, if they can be used.
    pub(crate) fn usable(&self, now: Instant) -> Option<&KeySet> {
        matches!(self.usability(now), Usability::Usable { .. }).then_some(&self.keys)
    }

    /// The number of the keys, and until when they can be used, in seconds by the calendar; zero if they cannot.
    pub(crate) fn edition(&self) -> (u64, u64) {
        match self.usability {
            Usability::Usable { until_time, .. } => (self.number, until_time.as_secs()),
            _ => (0, 0),
        }
    }
}
