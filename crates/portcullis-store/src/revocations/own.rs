//! What this instance has appended.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use portcullis_core::{Revocation, RevocationEntry, UnixTime};
use tokio::time::Instant;

/// How many of them are kept for a log that loses its end: the newest.
const MOST: usize = 100_000;

/// What this instance has appended, so that it can do so again, and see how long it took to come back.
#[derive(Debug, Default)]
pub(super) struct Own {
    /// Oldest first.
    kept: VecDeque<RevocationEntry>,
    /// The log did not acknowledge them.
    failed: HashSet<RevocationEntry>,
    /// Not read again yet, with when they were appended.
    under_way: HashMap<RevocationEntry, Instant>,
    /// While the log is read anew from its beginning: what did not come.
    missing: Option<HashSet<RevocationEntry>>,
}

impl Own {
    /// What is going to be appended.
    pub(super) fn add(&mut self, entries: &[RevocationEntry]) {
        let now = Instant::now();
        for entry in entries {
            self.kept.push_back(entry.clone());
            if self.under_way.len() < MOST {
                self.under_way.insert(entry.clone(), now);
            }
        }
        while self.kept.len() > MOST {
            self.kept.pop_front();
        }
    }

    pub(super) fn acknowledged(&mut self, entries: &[RevocationEntry]) {
        if !self.failed.is_empty() {
            self.failed.retain(|entry| !entries.contains(entry));
        }
    }

    /// The log did not take them: perhaps it has them, perhaps not.
    pub(super) fn failed(&mut self, entries: &[RevocationEntry]) {
        self.failed.extend(entries.iter().filter(|entry| !is_canary(entry)).cloned());
    }

    /// The log is read from its beginning.
    pub(super) fn restarted(&mut self) {
        self.missing = Some(self.kept.iter().cloned().collect());
    }

    /// What was read. Gives how long one of this instance's took.
    pub(super) fn read(&mut self, entries: &[RevocationEntry]) -> Option<Duration> {
        if self.under_way.is_empty() && self.missing.is_none() && self.failed.is_empty() {
            return None;
        }
        let mut lag = None;
        for entry in entries {
            if let Some(appended) = self.under_way.remove(entry) {
                lag = Some(appended.elapsed());
            }
            self.failed.remove(entry); // it was only the answer that got lost
            if let Some(missing) = &mut self.missing {
                missing.remove(entry);
            }
        }
        lag
    }

    /// What has to be appended once the log was read to its end at `now`: what it never acknowledged, and what it has lost.
    pub(super) fn take_due(&mut self, now: UnixTime) -> Vec<RevocationEntry> {
        self.kept.retain(|entry| entry.until() > now && !is_canary(entry));
        let mut entries = self.missing.take().unwrap_or_default();
        self.failed.retain(|entry| entry.until() > now);
        entries.extend(self.failed.iter().cloned());
        entries.retain(|entry| entry.until() > now && !is_canary(entry));
        entries.into_iter().collect()
    }

    pub(super) fn unacknowledged(&self) -> usize {
        self.failed.len()
    }
}

/// The name of no issuer.
const CANARY: &str = "portcullis:canary";

/// How long a canary lives: longer than any log takes that is not broken.
const CANARY_LIFE: Duration = Duration::from_secs(60);

/// An entry that revokes nothing.
pub(super) fn canary(now: UnixTime) -> RevocationEntry {
    let id = format!("{:016x}", fastrand::u64(..));
    let until = now.plus(CANARY_LIFE);
    RevocationEntry::new(Revocation::token(CANARY, &id, until), until)
}

pub(super) fn is_canary(entry: &RevocationEntry) -> bool {
    entry.revocation().of_issuer() == CANARY
}
