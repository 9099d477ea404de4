//! A log in memory.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_core::{Clock, Cursor, LogError, Page, RevocationEntry, RevocationLog, SystemClock};
use tokio::{sync::watch, time::timeout};

/// A log that ends with the process: for tests, and for trying things out. Clones are one log, as several instances would share it.
///
/// It survives nothing. A service that runs on one machine uses `RedbLog` (feature `redb`).
#[derive(Clone)]
pub struct MemoryLog(Arc<Shared>);

struct Shared {
    entries: Mutex<Entries>,
    /// How many there have been.
    count: watch::Sender<u64>,
    horizon: Duration,
    clock: Arc<dyn Clock>,
}

struct Entries {
    incarnation: u128,
    /// How many were forgotten: the position of the first one, less one.
    forgotten: u64,
    kept: VecDeque<RevocationEntry>,
}

/// As in the other logs, so that tests read several pages, too.
const PAGE: usize = 5000;

impl MemoryLog {
    /// An empty log, for tokens that live up to 24 hours.
    pub fn new() -> Self {
        Self::with(crate::DEFAULT_HORIZON, Arc::new(SystemClock))
    }

    fn with(horizon: Duration, clock: Arc<dyn Clock>) -> Self {
        let entries = Entries { incarnation: incarnation(), forgotten: 0, kept: VecDeque::new() };
        Self(Arc::new(Shared { entries: Mutex::new(entries), count: watch::Sender::new(0), horizon, clock }))
    }

    /// An empty log for tokens that live up to `horizon`.
    #[must_use]
    pub fn horizon(self, horizon: Duration) -> Self {
        Self::with(horizon, Arc::clone(&self.0.clock))
    }

    /// An empty log that forgets by this clock.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self::with(self.0.horizon, Arc::new(clock))
    }

    /// Loses everything, as a server does that comes up with an empty disk.
    pub fn lose_everything(&self) {
        let mut entries = self.entries();
        *entries = Entries { incarnation: incarnation(), forgotten: 0, kept: VecDeque::new() };
        self.0.count.send_replace(0);
    }

    /// Loses the newest entries down to a length, as a replica does that takes over before it has caught up.
    pub fn roll_back(&self, to: usize) {
        let mut entries = self.entries();
        entries.kept.truncate(to);
        let count = entries.count();
        self.0.count.send_replace(count);
    }

    /// Loses its oldest entries but for so many, as a server does whose limits were set too tight.
    pub fn trim(&self, to: usize) {
        let mut entries = self.entries();
        while entries.kept.len() > to {
            entries.forget_first();
        }
    }

    /// How many entries it keeps.
    pub fn len(&self) -> usize {
        self.entries().kept.len()
    }

    /// Whether it keeps none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn count(&self) -> u64 {
        self.forgotten + self.kept.len() as u64
    }

    fn forget_first(&mut self) {
        self.kept.pop_front();
        self.forgotten += 1;
    }

    fn page(&self, after: Option<&Cursor>) -> Page {
        let from = after.filter(|cursor| cursor.incarnation() == self.incarnation);
        let from = from.and_then(|cursor| u64::try_from(cursor.position()).ok());
        let from = from.filter(|from| (self.forgotten..=self.count()).contains(from));
        let is_restart = after.is_some() && from.is_none();
        let from = from.unwrap_or(self.forgotten);
        let skipped = usize::try_from(from - self.forgotten).unwrap_or(usize::MAX);
        let entries: Vec<_> = self.kept.iter().skip(skipped).take(PAGE).cloned().collect();
        let to = from + entries.len() as u64;
        let mut page = Page::of(entries, Cursor::new(self.incarnation, to.into()));
        page.is_restart = is_restart;
        page.is_last = to == self.count();
        page
    }
}

fn incarnation() -> u128 {
    fastrand::u128(..)
}

impl RevocationLog for MemoryLog {
    async fn append(&self, entries: &[RevocationEntry]) -> Result<(), LogError> {
        let now = self.0.clock.now();
        let mut kept = self.entries();
        while kept.kept.front().is_some_and(|first| first.until() <= now) {
            kept.forget_first();
        }
        kept.kept.extend(entries.iter().cloned());
        let count = kept.count();
        drop(kept);
        self.0.count.send_replace(count);
        Ok(())
    }

    async fn read(&self, after: Option<&Cursor>, patience: Duration) -> Result<Page, LogError> {
        let mut count = self.0.count.subscribe();
        let page = self.entries().page(after);
        if !page.entries.is_empty() || page.is_restart {
            return Ok(page);
        }
        let _ = timeout(patience, count.changed()).await;
        Ok(self.entries().page(after))
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
