//! The reader of a log: it waits for a log that restarts, unless it must not.

use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use portcullis_core::{
    UnixTime,
    revocation::{Cursor, LogError, Page, Revocation, RevocationEntry, RevocationLog},
};
use portcullis_test::contract::LogReader;

fn entry() -> RevocationEntry {
    RevocationEntry::new(Revocation::session("https://a.test", "s"), UnixTime::from_secs(4_000_000_000))
}

/// Has one entry on its first page, and fails so many times before it says so.
#[derive(Debug)]
struct Restarting(AtomicUsize);

impl RevocationLog for Restarting {
    async fn append(&self, _entries: &[RevocationEntry]) -> Result<(), LogError> {
        Ok(())
    }

    async fn read(&self, after: Option<&Cursor>, _patience: Duration) -> Result<Page, LogError> {
        if self.0.fetch_update(SeqCst, SeqCst, |failures| failures.checked_sub(1)).is_ok() {
            return Err(LogError::unavailable("it restarts"));
        }
        let end = Cursor::new(1, 1);
        Ok(if after.is_some() { Page::empty(end) } else { Page::of(vec![entry()], end) })
    }

    fn horizon(&self) -> Duration {
        Duration::from_secs(3600)
    }
}

fn reader(failures: usize) -> LogReader<Restarting> {
    LogReader::new(Restarting(AtomicUsize::new(failures)))
}

#[tokio::test(start_paused = true)]
async fn a_log_that_restarts_is_waited_for() {
    let mut reader = reader(200);
    reader.catch_up().await;
    assert!(reader.has_all(&[entry()]));
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the log cannot be read: it restarts")]
async fn a_log_that_does_not_come_back_fails_the_test() {
    reader(usize::MAX).catch_up().await;
}

#[tokio::test(start_paused = true)]
async fn a_log_that_works_is_read_to_its_end() {
    let mut reader = reader(0);
    reader.must_catch_up().await;
    assert!(reader.has_all(&[entry()]));
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the log cannot be read: it restarts")]
async fn a_log_that_must_work_is_not_waited_for() {
    reader(1).must_catch_up().await;
}
