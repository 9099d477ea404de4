//! [`MemoryLog`]: a log in memory.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_core::{
    Clock, UnixTime,
    clock::SystemClock,
    revocation::{Cursor, LogError, Page, RevocationEntry, RevocationLog},
};
use tokio::{sync::watch, time::timeout};

/// A log that ends with the process: for tests and experiments. Clones share one log, as several instances do.
///
/// Nothing in it outlives the process. A service that runs on one machine uses `RedbLog` (feature `redb`).
#[derive(Clone)]
pub struct MemoryLog(Arc<Shared>);

struct Shared {
    entries: Mutex<Entries>,
    /// How many entries there have been.
    count: watch::Sender<u64>,
    horizon: Duration,
    clock: Arc<dyn Clock>,
}

struct Entries {
    incarnation: u128,
    /// How many entries were forgotten: the position of the first remaining one, minus one.
    forgotten: u64,
    /// The mark of the last forgotten entry.
    forgotten_mark: u64,
    kept: VecDeque<Kept>,
}

/// An entry with a random number. The number tells a reader whether the entry at a position is still the one that it
/// has read: a log that was rolled back reaches the same position again.
struct Kept {
    mark: u64,
    content: Content,
    /// The time from which it may be forgotten.
    until: UnixTime,
}

enum Content {
    Entry(RevocationEntry),
    /// An entry from another program, or from a later version.
    Text(Box<str>),
}

/// The same as in the other logs, so that tests read several pages, too.
const PAGE: usize = 5000;

impl MemoryLog {
    /// Returns an empty log, for tokens that live up to 24 hours.
    pub fn new() -> Self {
        Self::with(crate::DEFAULT_HORIZON, Arc::new(SystemClock))
    }

    fn with(horizon: Duration, clock: Arc<dyn Clock>) -> Self {
        let entries = Entries::none();
        Self(Arc::new(Shared { entries: Mutex::new(entries), count: watch::Sender::new(0), horizon, clock }))
    }

    /// Returns another, empty log, for tokens that live up to `horizon`.
    #[must_use]
    pub fn horizon(self, horizon: Duration) -> Self {
        Self::with(horizon, Arc::clone(&self.0.clock))
    }

    /// Returns another, empty log, which forgets entries by this clock.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self::with(self.0.horizon, Arc::new(clock))
    }

    /// Loses everything, like a server that starts with an empty disk.
    pub fn lose_everything(&self) {
        let mut entries = self.entries();
        *entries = Entries::none();
        self.0.count.send_replace(0);
    }

    /// Loses the newest entries until `to` are left, like a replica that takes over before it has all of them.
    pub fn roll_back(&self, to: usize) {
        let mut entries = self.entries();
        entries.kept.truncate(to);
        let count = entries.count();
        self.0.count.send_replace(count);
    }

    /// Loses the oldest entries until `to` are left, like a server whose limits are too low.
    pub fn trim(&self, to: usize) {
        let mut entries = self.entries();
        while entries.kept.len() > to {
            entries.forget_first();
        }
    }

    /// Appends a text unchanged, as another program or a later version of this crate does when it writes to a server's
    /// log. It is kept for the horizon.
    pub fn append_text(&self, text: &str) {
        let until = self.0.clock.now().plus(self.0.horizon).plus(RevocationEntry::MARGIN);
        self.add([Kept { mark: fastrand::u64(..), content: Content::Text(text.into()), until }]);
    }

    fn add(&self, new: impl IntoIterator<Item = Kept>) {
        let now = self.0.clock.now();
        let mut entries = self.entries();
        while entries.kept.front().is_some_and(|first| first.until <= now) {
            entries.forget_first();
        }
        entries.kept.extend(new);
        let count = entries.count();
        drop(entries);
        self.0.count.send_replace(count);
    }

    /// Returns the number of entries in the log.
    pub fn len(&self) -> usize {
        self.entries().kept.len()
    }

    /// Returns whether the log has no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn none() -> Self {
        Self { incarnation: fastrand::u128(..), forgotten: 0, forgotten_mark: 0, kept: VecDeque::new() }
    }

    fn count(&self) -> u64 {
        self.forgotten + self.kept.len() as u64
    }

    fn forget_first(&mut self) {
        if let Some(first) = self.kept.pop_front() {
            self.forgotten += 1;
            self.forgotten_mark = first.mark;
        }
    }

    /// Returns the mark that a reader must find after this many entries; `None` if it is no longer known, or not yet.
    fn mark(&self, position: u64) -> Option<u64> {
        match position.checked_sub(self.forgotten)? {
            0 => Some(self.forgotten_mark),
            at => self.kept.get(usize::try_from(at - 1).ok()?).map(|kept| kept.mark),
        }
    }

    fn cursor(&self, position: u64) -> Cursor {
        let mark = u128::from(self.mark(position).unwrap_or_default());
        Cursor::new(self.incarnation, mark << 64 | u128::from(position))
    }

    fn page(&self, after: Option<&Cursor>) -> Page {
        let position = |cursor: &Cursor| u64::try_from(cursor.position() & u128::from(u64::MAX)).ok();
        let from = after.and_then(|cursor| position(cursor).filter(|from| self.cursor(*from) == *cursor));
        let from = from.filter(|from| self.mark(*from).is_some());
        let is_restart = after.is_some() && from.is_none();
        let from = from.unwrap_or(self.forgotten);
        let skipped = usize::try_from(from - self.forgotten).unwrap_or(usize::MAX);
        let read = self.kept.len().saturating_sub(skipped).min(PAGE);
        let to = from + read as u64;
        let mut page = Page::of(Vec::with_capacity(read), self.cursor(to));
        for kept in self.kept.iter().skip(skipped).take(read) {
            match &kept.content {
                Content::Entry(entry) => page.entries.push(entry.clone()),
                Content::Text(text) => page.take(text),
            }
        }
        page.is_restart = is_restart;
        page.is_last = to == self.count();
        page
    }
}

impl RevocationLog for MemoryLog {
    async fn append(&self, entries: &[RevocationEntry]) -> Result<(), LogError> {
        self.add(entries.iter().map(|entry| Kept {
            mark: fastrand::u64(..),
            content: Content::Entry(entry.clone()),
            until: entry.until(),
        }));
        Ok(())
    }

    async fn read(&self, after: Option<&Cursor>, patience: Duration) -> Result<Page, LogError> {
        let mut count = self.0.count.subscribe();
        let mut page = self.entries().page(after);
        if page.entries.is_empty() && page.unreadable == 0 && !page.is_restart {
            let _ = timeout(patience, count.changed()).await;
            page = self.entries().page(after);
        }
        page.as_of = Some(self.0.clock.now());
        Ok(page)
    }

    fn horizon(&self) -> Duration {
        self.0.horizon
    }
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLog").field("entries", &self.len()).finish_non_exhaustive()
    }
}
