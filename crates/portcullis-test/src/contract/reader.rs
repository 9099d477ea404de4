//! An instance that follows a log, in small.

use std::{collections::HashSet, time::Duration};

use portcullis_core::{Cursor, LogError, Page, RevocationEntry, RevocationLog};

use crate::must::must;

/// Reads a log from its beginning, and remembers what it has seen.
pub(super) struct Reader<L> {
    log: L,
    pub(super) cursor: Option<Cursor>,
    pub(super) seen: HashSet<RevocationEntry>,
    pub(super) restarts: usize,
    pub(super) unreadable: usize,
}

/// What a log may take for one call.
const LIMIT: Duration = Duration::from_secs(20);

impl<L: RevocationLog> Reader<L> {
    pub(super) fn new(log: L) -> Self {
        Self { log, cursor: None, seen: HashSet::new(), restarts: 0, unreadable: 0 }
    }

    /// One that goes on where another one was.
    pub(super) fn at(log: L, cursor: Option<Cursor>) -> Self {
        Self { cursor, ..Self::new(log) }
    }

    pub(super) async fn read(&mut self, patience: Duration) -> Result<Page, LogError> {
        let read = tokio::time::timeout(LIMIT + patience, self.log.read(self.cursor.as_ref(), patience)).await;
        let page = must(read, "`read` took more than twenty seconds beyond its patience")?;
        self.cursor = Some(page.cursor);
        self.seen.extend(page.entries.iter().cloned());
        self.restarts += usize::from(page.is_restart);
        self.unreadable += page.unreadable;
        Ok(page)
    }

    /// Reads a log that nothing is wrong with.
    pub(super) async fn must_read(&mut self, patience: Duration) -> Page {
        must(self.read(patience).await, "the log cannot be read")
    }

    /// Reads to the end. A log that comes up again may refuse for a moment.
    pub(super) async fn catch_up(&mut self) {
        let mut failures = 0;
        loop {
            match self.read(Duration::ZERO).await {
                Ok(page) if page.is_last => return,
                Ok(_) => {}
                Err(error) => {
                    failures += 1;
                    assert!(failures < 100, "the log cannot be read: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}
