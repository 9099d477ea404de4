//! [`Kept`]: the revocations of this instance, kept in case the log loses them.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use portcullis_core::{
    UnixTime,
    revocation::{Revocation, RevocationEntry},
};

use super::own::MOST;

/// The newest revocations that this instance has confirmed: it appended them, or said that the log has them.
#[derive(Debug, Default)]
pub(super) struct Kept {
    by_revocation: HashMap<Arc<Revocation>, OfOne>,
    /// Oldest first.
    order: VecDeque<Arc<Revocation>>,
    /// How often the log was read again from its beginning.
    restarts: u64,
    is_incomplete: bool,
}

#[derive(Debug)]
struct OfOne {
    until: UnixTime,
    /// The latest restart since which the log is known, or nearly known, to contain it.
    held_since: u64,
}

impl Kept {
    /// Keeps a revocation; drops the oldest one if there are too many.
    pub(super) fn keep(&mut self, revocation: &Arc<Revocation>, until: UnixTime) {
        let held_since = self.restarts;
        if let Some(kept) = self.by_revocation.get_mut(revocation) {
            kept.until = kept.until.max(until);
            kept.held_since = held_since;
            return;
        }
        self.by_revocation.insert(Arc::clone(revocation), OfOne { until, held_since });
        self.order.push_back(Arc::clone(revocation));
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_revocation.remove(&oldest);
        }
    }

    /// The log is read from its beginning: every entry that does not come now is missing.
    pub(super) fn restarted(&mut self) {
        self.restarts += 1;
        self.is_incomplete = true;
    }

    /// Records that an entry was read.
    pub(super) fn read(&mut self, entry: &RevocationEntry) {
        if self.is_incomplete
            && let Some(kept) =
                self.by_revocation.get_mut(entry.revocation()).filter(|kept| kept.until <= entry.until())
        {
            kept.held_since = self.restarts;
        }
    }

    /// Returns what the log no longer contains, once it was read to its end after a restart.
    pub(super) fn missing(&mut self, now: UnixTime) -> Vec<(Arc<Revocation>, UnixTime)> {
        if !std::mem::take(&mut self.is_incomplete) {
            return Vec::new();
        }
        let restarts = self.restarts;
        let missing = self.by_revocation.iter_mut().filter(|(_, kept)| kept.held_since < restarts && kept.until > now);
        missing
            .map(|(revocation, kept)| {
                kept.held_since = restarts;
                (Arc::clone(revocation), kept.until)
            })
            .collect()
    }

    /// Drops expired revocations.
    pub(super) fn forget(&mut self, now: UnixTime) {
        self.by_revocation.retain(|_, kept| kept.until > now);
        self.order.retain(|revocation| self.by_revocation.contains_key(revocation));
    }
}
