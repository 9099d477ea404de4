//! [`Lag`]: how long it takes until this instance has read an appended entry.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use portcullis_core::{UnixTime, revocation::RevocationEntry};
use tokio::time::Instant;

use super::canary::{Canary, is_canary};

/// How long the fastest canary of an instance is used to estimate its clock: for one to two of these windows. Clocks
/// drift, and are set.
const WINDOW: Duration = Duration::from_secs(300);

/// How many other instances are distinguished. A thousand instances write a thousand canaries within twenty minutes.
const MOST_WRITERS: usize = 1024;

/// How many canaries of this instance may be on their way.
const MOST_PENDING: usize = 64;

/// The measurements by canaries.
///
/// A canary of this instance needs only its own clock: it has the time of the append and the time of the read. A canary
/// of another instance has the time of that instance's wall clock, which differs from ours by an unknown, nearly
/// constant amount. This difference is estimated, and subtracted: it is the time by which the fastest of the other's
/// recent canaries seems to have taken longer than the fastest of our own.
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
    /// The time of the log's own clock, and when it was read here.
    time_of_log: Option<(UnixTime, Instant)>,
}

#[derive(Debug)]
struct Other {
    quickest: Quickest,
    /// When its latest canary was written, by its clock in milliseconds, and when it was read here.
    written: u64,
    read: Instant,
}

impl Lag {
    /// Returns the next canary of this instance, written now.
    pub(super) fn begin(&mut self, written: u64) -> Canary {
        self.number += 1;
        self.pending.push_back((self.number, Instant::now()));
        if self.pending.len() > MOST_PENDING {
            self.pending.pop_front();
        }
        Canary { written, writer: self.writer, number: self.number }
    }

    /// Evaluates entries that were read when the wall clock showed `now`. `is_live` says that this instance had read
    /// everything before, so these entries were not in the log for long.
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

    /// Records how long a revocation of this instance took.
    pub(super) fn note(&mut self, lag: Duration) {
        self.latest = Some(lag);
        self.own.note(millis(lag));
    }

    /// Returns when the latest canary was seen in the log, and whether it was this instance's.
    pub(super) fn last_seen(&self) -> Option<(Instant, bool)> {
        self.last_seen
    }

    pub(super) fn latest(&self) -> Option<Duration> {
        self.latest
    }

    pub(super) fn latest_of_others(&self) -> Option<Duration> {
        self.latest_of_others
    }

    /// Records the time of the log's own clock.
    pub(super) fn note_time_of_log(&mut self, as_of: UnixTime) {
        self.time_of_log = Some((as_of, Instant::now()));
    }

    /// Returns the least time that the log's clock shows now; if the log has no clock, the time of the other instances'
    /// clocks according to their canaries. If the clock of one among several instances is ahead of all others, it is
    /// not believed.
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
            // Until this instance has seen a canary of its own, a difference is subtracted only if it cannot be a lag.
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

/// The lowest number of milliseconds in the last minutes.
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
