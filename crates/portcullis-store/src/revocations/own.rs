//! [`Own`]: the revocations of this instance, and how far each has come on its way into the log.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use portcullis_core::{
    UnixTime,
    revocation::{LogError, Revocation, RevocationEntry},
};
use tokio::time::Instant;

use super::{BATCH, canary::is_canary, in_log::InLog, kept::Kept};

/// How many revocations of callers wait for a log that does not accept them, how many are kept for a log that loses
/// them, and how many are watched until they are read back. About 20 MB for each of the three, with ids as long as a
/// UUID.
pub(super) const MOST: usize = 100_000;

/// The revocations of this instance. The time of each method is proportional to its arguments, or to one batch.
#[derive(Debug, Default)]
pub(super) struct Own {
    kept: Kept,
    in_log: InLog,
    /// Revocations that have not been read from the log since they were to be appended.
    open: HashMap<Arc<Revocation>, Open>,
    /// Revocations for the writer to append, oldest first. Some may have been read from the log meanwhile.
    waiting: VecDeque<Arc<Revocation>>,
    /// Revocations that the log has acknowledged, in the order of the acknowledgements.
    acknowledged: VecDeque<(Instant, Arc<Revocation>)>,
    unwritten: usize,
    /// How many of these a caller has asked for.
    asked_for: usize,
    last_append: AppendId,
}

/// Names an append. If several append the same revocation at the same time, only what becomes of the latest one counts: the log need not have its
/// entry yet when it has acknowledged an earlier one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct AppendId(u64);

#[derive(Debug)]
struct Open {
    until: UnixTime,
    since: Instant,
    /// False for entries that the log has lost, or that are renewed.
    is_asked_for: bool,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// A caller or the writer is appending it: this is the latest append.
    Writing(AppendId),
    /// The writer has to append it.
    Waiting,
    /// The log acknowledged it at that instant.
    Acknowledged(Instant),
}

impl Own {
    /// Returns the name of a new append.
    pub(super) fn next_append(&mut self) -> AppendId {
        self.last_append.0 += 1;
        self.last_append
    }

    /// Records what a caller revokes, and returns what has to be appended: everything that the log is not known to
    /// contain. If the view is not fresh, this is everything, because the log may have lost entries since they were
    /// read.
    ///
    /// # Errors
    ///
    /// If too many revocations already wait for the log.
    pub(super) fn begin(
        &mut self,
        append: AppendId,
        entries: &[RevocationEntry],
        is_fresh: bool,
    ) -> Result<Vec<RevocationEntry>, LogError> {
        let has_to = |entry: &&RevocationEntry| !is_fresh || !self.in_log.holds(entry);
        let mut to_append: Vec<_> = entries.iter().filter(has_to).cloned().collect();
        let is_new = |entry: &&RevocationEntry| self.open.get(entry.revocation()).is_none_or(|open| !open.is_counted());
        if self.asked_for + to_append.iter().filter(is_new).count() > MOST {
            return Err(too_many());
        }
        for entry in entries {
            let revocation = self.key(entry.revocation());
            // Also entries that are not appended: this instance confirms them, and appends them if the log turns out to
            // have lost them.
            self.kept.keep(&revocation, entry.until());
        }
        for entry in &mut to_append {
            let revocation = self.key(entry.revocation());
            let until = self.open(revocation, entry.until(), true, Stage::Writing(append));
            // Another one that is under way may end later. The latest append has the latest end.
            *entry = RevocationEntry::new(entry.revocation().clone(), until);
        }
        Ok(to_append)
    }

    /// Records that the log has acknowledged these.
    pub(super) fn acknowledged(&mut self, append: AppendId, entries: &[RevocationEntry]) {
        let now = Instant::now();
        for entry in entries {
            let Some(open) = self.open.get_mut(entry.revocation()) else { continue };
            if open.stage != Stage::Writing(append) {
                continue;
            }
            open.stage = Stage::Acknowledged(now);
            self.unwritten -= 1;
            self.asked_for -= usize::from(open.is_asked_for);
            self.acknowledged.push_back((now, Arc::new(entry.revocation().clone())));
        }
        while self.acknowledged.len() > MOST {
            // The log is written but never read: the oldest entries are no longer watched. (They are kept
            // nevertheless.)
            self.pop_acknowledged();
        }
    }

    /// Records that an append failed. The log may have the entries or not, so the writer keeps trying.
    pub(super) fn failed(&mut self, append: AppendId, entries: &[RevocationEntry]) {
        for entry in entries {
            let Some(open) = self.open.get_mut(entry.revocation()) else { continue };
            if open.stage == Stage::Writing(append) {
                open.stage = Stage::Waiting;
                self.waiting.push_back(Arc::new(entry.revocation().clone()));
            }
        }
    }

    /// Makes the writer append keys that are renewed.
    pub(super) fn renew(&mut self, entries: Vec<RevocationEntry>) {
        for entry in entries {
            self.wait(Arc::new(entry.revocation().clone()), entry.until());
        }
    }

    /// Returns what the writer has to append next: at most one batch.
    pub(super) fn next_batch(&mut self, append: AppendId, now: UnixTime) -> Vec<RevocationEntry> {
        let mut batch = Vec::new();
        while batch.len() < BATCH
            && let Some(revocation) = self.waiting.pop_front()
        {
            let Some(open) = self.open.get_mut(&revocation).filter(|open| open.stage == Stage::Waiting) else {
                continue;
            };
            open.stage = Stage::Writing(append);
            if open.until > now {
                batch.push(RevocationEntry::new((*revocation).clone(), open.until));
            } else {
                self.close(&revocation);
            }
        }
        batch
    }

    /// The log is read from its beginning: what it contains is not known.
    pub(super) fn restarted(&mut self) {
        self.kept.restarted();
        self.in_log.forget();
    }

    /// Records which entries were read. Returns how long one of this instance's took.
    pub(super) fn read(&mut self, entries: &[RevocationEntry]) -> Option<Duration> {
        let mut lag = None;
        for entry in entries.iter().filter(|entry| !is_canary(entry)) {
            self.in_log.read(entry);
            self.kept.read(entry);
            if self.open.get(entry.revocation()).is_some_and(|open| entry.until() >= open.until) {
                lag = self.close(entry.revocation()).map(|open| open.since.elapsed());
            }
        }
        lag
    }

    /// The log was read to its end, by a request sent at that instant. Makes the writer append the entries that the log
    /// has lost, or that it had acknowledged earlier but does not contain. Returns how many there are.
    pub(super) fn read_to_end(&mut self, now: UnixTime, asked_at: Instant) -> usize {
        let before = self.unwritten;
        while self.acknowledged.front().is_some_and(|(then, _)| *then < asked_at) {
            if let Some((revocation, until)) = self.pop_acknowledged()
                && until > now
            {
                self.wait(revocation, until);
            }
        }
        for (revocation, until) in self.kept.missing(now) {
            self.wait(revocation, until);
        }
        self.unwritten - before
    }

    /// Drops expired entries; to be called about once a minute.
    pub(super) fn forget(&mut self, now: UnixTime) {
        self.kept.forget(now);
    }

    /// Returns how many the log has not acknowledged.
    pub(super) fn unacknowledged(&self) -> usize {
        self.unwritten
    }

    /// Whether the writer has something to append.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Returns the revocation that the maps already have, if they do, to avoid a copy.
    fn key(&self, revocation: &Revocation) -> Arc<Revocation> {
        self.open.get_key_value(revocation).map_or_else(|| Arc::new(revocation.clone()), |(key, _)| Arc::clone(key))
    }

    fn wait(&mut self, revocation: Arc<Revocation>, until: UnixTime) {
        if self.open.get(&revocation).is_none_or(|open| matches!(open.stage, Stage::Acknowledged(_))) {
            self.open(Arc::clone(&revocation), until, false, Stage::Waiting);
            self.waiting.push_back(revocation);
        }
    }

    /// Returns until when it is to be remembered.
    fn open(&mut self, revocation: Arc<Revocation>, until: UnixTime, is_asked_for: bool, stage: Stage) -> UnixTime {
        let before = self.close(&revocation);
        let until = before.as_ref().map_or(until, |before| before.until.max(until));
        let is_asked_for = is_asked_for || before.is_some_and(|before| before.is_counted() && before.is_asked_for);
        self.unwritten += 1;
        self.asked_for += usize::from(is_asked_for);
        self.open.insert(revocation, Open { until, since: Instant::now(), is_asked_for, stage });
        until
    }

    fn close(&mut self, revocation: &Revocation) -> Option<Open> {
        let open = self.open.remove(revocation)?;
        self.uncount(&open);
        Some(open)
    }

    fn uncount(&mut self, open: &Open) {
        if open.is_counted() {
            self.unwritten -= 1;
            self.asked_for -= usize::from(open.is_asked_for);
        }
    }

    /// Returns the oldest acknowledged one, if it is still acknowledged.
    fn pop_acknowledged(&mut self) -> Option<(Arc<Revocation>, UnixTime)> {
        let (then, revocation) = self.acknowledged.pop_front()?;
        let open = self.open.get(&revocation).filter(|open| open.stage == Stage::Acknowledged(then))?;
        let until = open.until;
        self.close(&revocation);
        Some((revocation, until))
    }
}

impl Open {
    fn is_counted(&self) -> bool {
        !matches!(self.stage, Stage::Acknowledged(_))
    }
}

fn too_many() -> LogError {
    LogError::unavailable(format!(
        "{MOST} revocations wait for the log, which takes none, and there is no room for more: what is revoked now holds on this instance \
         only; revoke it again when the log can be written"
    ))
}

#[cfg(test)]
mod tests {
    use tokio::time::{Duration, advance};

    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn session(seconds: u64) -> [RevocationEntry; 1] {
        [RevocationEntry::new(Revocation::session("https://a.test", "s"), NOW.plus(Duration::from_secs(seconds)))]
    }

    /// Reads to the end of a log from which nothing is read, by a request that is sent now. Returns how many entries it is told to have lost.
    async fn lost(own: &mut Own) -> usize {
        advance(Duration::from_millis(1)).await;
        own.read_to_end(NOW, Instant::now())
    }

    /// The entry of the first caller was read back before its acknowledgement is heard of. Meanwhile, a second caller appends the same: the view is
    /// stale, so that it is not known whether the log still has it.
    #[tokio::test(start_paused = true)]
    async fn an_acknowledgement_that_comes_late_is_not_one_of_a_later_append() {
        let (mut own, entry) = (Own::default(), session(60));
        let [first, second] = [own.next_append(), own.next_append()];
        own.begin(first, &entry, true).unwrap();
        own.read(&entry);
        assert_eq!(own.begin(second, &entry, false).unwrap(), entry);
        own.acknowledged(first, &entry);
        assert_eq!((lost(&mut own).await, own.unacknowledged()), (0, 1));
        // The twin: the log has acknowledged the second one, too, and does not have it.
        own.acknowledged(second, &entry);
        assert_eq!(lost(&mut own).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_latest_append_has_the_latest_end_and_what_becomes_of_it_counts() {
        let (mut own, long, short) = (Own::default(), session(60), session(30));
        let [first, second] = [own.next_append(), own.next_append()];
        own.begin(first, &long, false).unwrap();
        assert_eq!(own.begin(second, &short, false).unwrap(), long);
        own.failed(first, &long);
        assert!(!own.has_waiting(), "the second one is under way");
        own.failed(second, &long);
        let writer = own.next_append();
        assert_eq!(own.next_batch(writer, NOW), long);
        own.read(&short);
        assert_eq!(own.unacknowledged(), 1, "the log may have it for too short a time");
        own.read(&long);
        assert_eq!(own.unacknowledged(), 0);
    }
}
