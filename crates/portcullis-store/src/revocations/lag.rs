//! `Lag`: how long what is appended takes until this instance has read it.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use portcullis_core::{UnixTime, revocation::RevocationEntry};
use tokio::time::Instant;

use super::canary::{Canary, is_canary};

/// How long the quickest canary of an instance says something about its clock: for one to two of these. Clocks drift, and are set.
const WINDOW: Duration = Duration::from_secs(300);

/// How many other instances are told apart. A thousand instances write a thousand canaries within twenty minutes.
const MOST_WRITERS: usize = 1024;

/// How many canaries of this instance may be on their way.
const MOST_PENDING: usize = 64;

/// What canaries have shown.
///
/// A canary of this instance needs no clock but its own: it was appended then, and is read now. A canary of another one bears the time of
/// that instance's calendar, which differs from ours by an unknown, nearly constant amount. What the quickest of its recent canaries seems to
/// have taken, beyond what the quickest of our own took, is taken for that difference, and subtracted.
#[derive(Debug)]
pub(super) struct Lag {
    writer: u64,
    number: u64,
    pending: VecDeque<(u64, Instant)>,
    own: Quickest,
    others: HashMap<u64, Other>,
    last_seen: Option<(Instant, bool)>,
    latest: Option<Duration>,
    latest_of_others: Option<Duration>,
    /// What the log's own calendar showed, and when it was read here.
    time_of_log: Option<(UnixTime, Instant)>,
}

#[derive(Debug)]
struct Other {
    quickest: Quickest,
    /// When its latest canary was written by its calendar, in milliseconds, and when it was read here.
    written: u64,
    read: Instant,
}

impl Lag {
    /// The next canary of this instance, written now.
    pub(super) fn begin(&mut self, written: u64) -> Canary {
        self.number += 1;
        self.pending.push_back((self.number, Instant::now()));
        if self.pending.len() > MOST_PENDING {
            self.pending.pop_front();
        }
        Canary { written, writer: self.writer, number: self.number }
    }

    /// Takes in what was read, when the calendar showed `now`. `is_live` if this instance had read everything before, so that these were not
    /// in the log for long.
    pub(super) fn read(&mut self, entries: &[RevocationEntry], now: Duration, is_live: bool) {
        for entry in entries.iter().filter(|entry| is_canary(entry)) {
            let canary = Canary::read(entry);
            let is_ours = canary.is_some_and(|canary| canary.writer == self.writer);
            if is_live {
                self.last_seen = Some((Instant::now(), is_ours));
            }
            match canary {
                Some(canary) if is_ours => self.read_own(canary),
                Some(canary) => self.read_other(canary, now, is_live),
                None => {}
            }
        }
    }

    /// A revocation of this instance took so long.
    pub(super) fn note(&mut self, lag: Duration) {
        self.latest = Some(lag);
        self.own.note(millis(lag));
    }

    /// When the latest canary was seen in the log, and whether it was this instance's.
    pub(super) fn last_seen(&self) -> Option<(Instant, bool)> {
        self.last_seen
    }

    pub(super) fn latest(&self) -> Option<Duration> {
        self.latest
    }

    pub(super) fn latest_of_others(&self) -> Option<Duration> {
        self.latest_of_others
    }

    /// The log's own calendar shows that.
    pub(super) fn note_time_of_log(&mut self, as_of: UnixTime) {
        self.time_of_log = Some((as_of, Instant::now()));
    }

    /// What the log's calendar shows at least; if it has none, what those of the other instances do, going by their canaries. One of several
    /// instances whose calendar is ahead of all others is not believed.
    pub(super) fn time_of_log(&self) -> Option<UnixTime> {
        if let Some((as_of, read)) = self.time_of_log {
            return Some(as_of.plus(read.elapsed()));
        }
        let by_now = |other: &Other| UnixTime::from_secs(other.written / 1000).plus(other.read.elapsed());
        let mut times: Vec<_> = self.others.values().map(by_now).collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        times.get(1).or(times.first()).copied()
    }

    fn read_own(&mut self, canary: Canary) {
        if let Some(at) = self.pending.iter().position(|(number, _)| *number == canary.number)
            && let Some((_, appended)) = self.pending.remove(at)
        {
            self.note(appended.elapsed());
        }
    }

    fn read_other(&mut self, canary: Canary, now: Duration, is_live: bool) {
        if self.others.len() >= MOST_WRITERS && !self.others.contains_key(&canary.writer) {
            self.others.retain(|_, other| other.read.elapsed() < WINDOW);
            if self.others.len() >= MOST_WRITERS {
                return;
            }
        }
        let read = Instant::now();
        let other = self.others.entry(canary.writer).or_insert_with(|| Other {
            quickest: Quickest::default(),
            written: 0,
            read,
        });
        if canary.written >= other.written {
            (other.written, other.read) = (canary.written, read);
        }
        if is_live {
            let seems = millis(now).saturating_sub_unsigned(canary.written);
            other.quickest.note(seems);
            // Before this instance has seen any of its own, only what cannot be a lag is taken for a difference of clocks.
            let difference = other.quickest.least().map_or(0, |quickest| {
                self.own.least().map_or_else(|| quickest.min(0), |own| quickest.saturating_sub(own))
            });
            let lag = u64::try_from(seems.saturating_sub(difference)).unwrap_or(0);
            self.latest_of_others = Some(Duration::from_millis(lag));
            self.latest = self.latest_of_others;
        }
    }
}

impl Default for Lag {
    fn default() -> Self {
        Self {
            writer: fastrand::u64(..),
            number: 0,
            pending: VecDeque::new(),
            own: Quickest::default(),
            others: HashMap::new(),
            last_seen: None,
            latest: None,
            latest_of_others: None,
            time_of_log: None,
        }
    }
}

/// The least number of milliseconds of the last minutes.
#[derive(Debug, Default)]
struct Quickest {
    since: Option<Instant>,
    now: Option<i64>,
    before: Option<i64>,
}

impl Quickest {
    fn note(&mut self, millis: i64) {
        if self.since.is_none_or(|since| since.elapsed() >= WINDOW) {
            (self.since, self.before) = (Some(Instant::now()), self.now.take());
        }
        self.now = Some(self.now.map_or(millis, |least| least.min(millis)));
    }

    fn least(&self) -> Option<i64> {
        self.now.into_iter().chain(self.before).min()
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
