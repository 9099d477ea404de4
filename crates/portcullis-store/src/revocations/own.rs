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
    /// Not read again yet.
    under_way: HashMap<Revocation, UnderWay>,
    /// While the log is read anew from its beginning: what did not come.
    missing: Option<HashSet<RevocationEntry>>,
}

#[derive(Debug)]
struct UnderWay {
    until: UnixTime,
    appended: Instant,
    /// When the log said that it has it.
    acknowledged: Option<Instant>,
}

impl Own {
    /// Whether one of them has not come back from the log yet, or never will by itself.
    pub(super) fn is_at_risk(&self, entry: &RevocationEntry) -> bool {
        let is = |other: &RevocationEntry| other.revocation() == entry.revocation();
        self.under_way.contains_key(entry.revocation()) || self.failed.iter().any(is)
    }

    /// What is going to be appended.
    pub(super) fn add(&mut self, entries: &[RevocationEntry]) {
        let now = Instant::now();
        for entry in entries {
            self.kept.push_back(entry.clone());
            if self.under_way.len() < MOST {
                let under_way = UnderWay { until: entry.until(), appended: now, acknowledged: None };
                self.under_way.insert(entry.revocation().clone(), under_way);
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
        let now = Instant::now();
        for entry in entries {
            if let Some(under_way) = self.under_way.get_mut(entry.revocation()) {
                under_way.acknowledged.get_or_insert(now);
            }
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
        if self.under_way.is_empty() && self.failed.is_empty() && self.missing.as_ref().is_none_or(HashSet::is_empty) {
            return None; // nothing to look for, as in all that is read at the start
        }
        let mut lag = None;
        for entry in entries {
            let is_back = |under_way: &UnderWay| entry.until() >= under_way.until;
            if self.under_way.get(entry.revocation()).is_some_and(is_back) {
                lag = self.under_way.remove(entry.revocation()).map(|under_way| under_way.appended.elapsed());
            }
            self.failed.remove(entry); // it was only the answer that got lost
            if let Some(missing) = &mut self.missing {
                missing.remove(entry);
            }
        }
        lag
    }

    /// What has to be appended at `now`, once the log was read to its end, asked at that instant: what it never acknowledged, what it has
    /// lost, and what it had acknowledged before and does not have.
    pub(super) fn take_due(&mut self, now: UnixTime, asked_at: Instant) -> Vec<RevocationEntry> {
        self.kept.retain(|entry| entry.until() > now && !is_canary(entry));
        let mut entries = self.missing.take().unwrap_or_default();
        self.failed.retain(|entry| entry.until() > now);
        let is_lost = |under_way: &UnderWay| under_way.acknowledged.is_some_and(|then| then < asked_at);
        entries.extend(
            self.under_way
                .extract_if(|_, under_way| is_lost(under_way))
                .map(|(revocation, under_way)| RevocationEntry::new(revocation, under_way.until)),
        );
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
