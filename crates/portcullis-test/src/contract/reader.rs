//! [`LogReader`]: follows a log without a view.

use std::{collections::HashSet, time::Duration};

use portcullis_core::revocation::{Cursor, LogError, Page, RevocationEntry, RevocationLog};
use tokio::time::{Instant, sleep, timeout};

use crate::must::must;

/// Reads a log from its beginning, or from a cursor, and remembers what it has seen.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a test sets and reads all of it")]
pub struct LogReader<L> {
    /// The log.
    pub log: L,
    /// The position from which it continues; `None` at the beginning.
    pub cursor: Option<Cursor>,
    /// The entries that it has read.
    pub seen: HashSet<RevocationEntry>,
    /// The same entries, in the order of the first reading.
    pub order: Vec<RevocationEntry>,
    /// How many pages said that the log is being read from its beginning again.
    pub restarts: usize,
    /// How many texts could not be read as entries.
    pub unreadable: usize,
    /// How many of those a later version has written.
    pub of_later_version: usize,
}

/// The time limit for one call of the log beyond its patience, and for a log that is restarting. Far more than any log needs: it only ends
/// a test that would hang.
pub(super) const LIMIT: Duration = Duration::from_secs(60);

/// The pause after an error.
const PAUSE: Duration = Duration::from_millis(50);

impl<L: RevocationLog> LogReader<L> {
    /// Returns a reader that begins with the first entry.
    pub fn new(log: L) -> Self {
        Self::at(log, None)
    }

    /// Returns a reader that continues from another reader's position.
    pub fn at(log: L, cursor: Option<Cursor>) -> Self {
        Self { log, cursor, seen: HashSet::new(), order: Vec::new(), restarts: 0, unreadable: 0, of_later_version: 0 }
    }

    /// Reads a page.
    ///
    /// # Errors
    ///
    /// The log's errors.
    ///
    /// # Panics
    ///
    /// If the log takes longer than a minute beyond the patience.
    pub async fn read(&mut self, patience: Duration) -> Result<Page, LogError> {
        let read = timeout(LIMIT + patience, self.log.read(self.cursor.as_ref(), patience)).await;
        let page = must(read, "`read` took more than a minute beyond its patience")?;
        self.cursor = Some(page.cursor);
        for entry in &page.entries {
            if self.seen.insert(entry.clone()) {
                self.order.push(entry.clone());
            }
        }
        self.restarts += usize::from(page.is_restart);
        self.unreadable += page.unreadable;
        self.of_later_version += page.of_later_version;
        Ok(page)
    }

    /// Reads a page of a log that is expected to work.
    ///
    /// # Panics
    ///
    /// If the log fails.
    pub async fn must_read(&mut self, patience: Duration) -> Page {
        must(self.read(patience).await, "the log cannot be read")
    }

    /// Reads to the end. A restarting log may fail for up to a minute.
    ///
    /// # Panics
    ///
    /// If the log fails for longer.
    pub async fn catch_up(&mut self) {
        let asked = Instant::now();
        loop {
            match self.read(Duration::ZERO).await {
                Ok(page) if page.is_last => return,
                Ok(_) => {}
                Err(error) => {
                    assert!(asked.elapsed() < LIMIT, "the log cannot be read: {error}");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// Reads to the end of a log that is expected to work.
    ///
    /// # Panics
    ///
    /// If the log fails once.
    pub async fn must_catch_up(&mut self) {
        while !self.must_read(Duration::ZERO).await.is_last {}
    }

    /// Whether it has seen all of these entries.
    pub fn has_all(&self, entries: &[RevocationEntry]) -> bool {
        entries.iter().all(|entry| self.seen.contains(entry))
    }
}

/// Appends. A restarting log may fail for up to a minute.
pub(super) async fn append(log: &impl RevocationLog, entries: &[RevocationEntry]) {
    let asked = Instant::now();
    while let Err(error) = log.append(entries).await {
        assert!(asked.elapsed() < LIMIT, "the log cannot be written: {error}");
        sleep(PAUSE).await;
    }
}
