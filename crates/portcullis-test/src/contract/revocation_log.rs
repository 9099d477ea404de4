//! [`RevocationLogContract`]: the rules that every log of revocations has to follow.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use portcullis_core::{
    UnixTime,
    revocation::{Cursor, Revocation, RevocationEntry},
};

use tokio::time::timeout;

use super::{
    LogPlace, LogReader, Switch,
    impossible::Impossible,
    reader::{LIMIT, append},
};
use crate::must::must;

/// The contract of [`RevocationLog`](portcullis_core::revocation::RevocationLog), for a log that is empty at first.
///
/// ```
/// # use portcullis_core::revocation::{Cursor, LogError, Page, RevocationEntry, RevocationLog};
/// use portcullis_test::contract::{LogPlace, RevocationLogContract};
///
/// async fn holds_for(place: impl LogPlace) {
///     RevocationLogContract::new(place).check().await;
/// }
/// ```
#[derive(Debug)]
pub struct RevocationLogContract<P> {
    pub(super) place: P,
    /// The number of entries made, so that no two are equal.
    made: u64,
    /// Which faults cannot happen to this log, and why.
    pub(super) impossible: Impossible<Switch>,
}

const PATIENCE: Duration = Duration::from_millis(400);

/// A patience that no test exhausts: a read that has it ends because something came.
const FOR_EVER: Duration = Duration::from_secs(60 * 60);

/// The expiry of the tests' entries: far ahead of the clocks of real servers.
const LATE: UnixTime = UnixTime::from_secs(4_000_000_000);

impl<P: LogPlace> RevocationLogContract<P> {
    /// Returns the contract for the log at this place.
    pub fn new(place: P) -> Self {
        Self { place, made: 0, impossible: Impossible::none() }
    }

    /// Declares that a fault cannot happen to this log, and why. The rules about it are then skipped, and the reason is printed. The
    /// contract fails if the place answers [`Possible::No`](super::Possible::No) without this declaration, or if the fault happens
    /// although it is declared impossible.
    #[must_use]
    pub fn without(mut self, switch: Switch, reason: &'static str) -> Self {
        self.impossible.declare(switch, reason);
        self
    }

    /// Checks all rules.
    ///
    /// # Panics
    ///
    /// If the log breaks one. The message says which.
    pub async fn check(mut self) {
        self.an_empty_log_has_an_end().await;
        self.what_is_appended_is_read_by_everybody().await;
        self.every_level_and_every_text_comes_back_as_it_was().await;
        self.a_reader_goes_on_from_where_it_was().await;
        self.entries_of_one_writer_come_in_their_order().await;
        self.every_reader_sees_the_same_order().await;
        self.a_reader_waits_for_no_longer_than_its_patience().await;
        self.a_reader_that_waits_is_woken().await;
        self.a_read_that_is_given_up_takes_nothing_away().await;
        self.writers_at_the_same_time_leave_no_gap().await;
        self.texts_that_are_no_entries_are_counted_and_hide_nothing().await;
        self.a_log_that_ends_with_such_a_text_has_an_end().await;
        self.entries_that_are_over_take_no_other_with_them().await;
        self.a_long_log_is_read_in_pages().await;
        self.a_crash_loses_nothing_that_was_acknowledged().await;
        self.a_log_that_was_rolled_back_is_read_from_its_beginning().await;
        self.a_log_that_was_trimmed_hides_nothing_that_is_left().await;
        self.a_log_that_lost_everything_is_read_from_its_beginning().await;
        self.nothing_that_was_revoked_comes_back_to_life().await;
        // Last, because clocks cannot be set back.
        self.an_entry_is_kept_until_its_time().await;
        self.impossible.print("the log");
    }

    /// Returns the cursor after the last entry.
    pub(super) async fn end(&self) -> Option<Cursor> {
        let mut reader = self.reader().await;
        reader.catch_up().await;
        reader.cursor
    }

    pub(super) fn entries(&mut self, count: u64) -> Vec<RevocationEntry> {
        let first = self.made;
        self.made += count;
        let entry =
            |at: u64| RevocationEntry::new(Revocation::session("https://a.test", &format!("session-{at}")), LATE);
        (first..self.made).map(entry).collect()
    }

    pub(super) async fn reader(&self) -> LogReader<P::Log> {
        LogReader::new(self.place.open().await)
    }

    pub(super) async fn append(&mut self, count: u64) -> Vec<RevocationEntry> {
        let entries = self.entries(count);
        append(&self.place.open().await, &entries).await;
        entries
    }

    async fn an_empty_log_has_an_end(&mut self) {
        let mut reader = self.reader().await;
        reader.catch_up().await;
        assert!(reader.seen.is_empty(), "the contract starts with an empty log");
        assert_eq!(reader.restarts, 0, "a reader that begins with the first entry does not restart");
    }

    async fn what_is_appended_is_read_by_everybody(&mut self) {
        let mut early = self.reader().await;
        early.catch_up().await;
        let log = self.place.open().await;
        let entries = self.entries(3);
        append(&log, &entries).await;
        append(&log, &entries).await; // again: entries may be read twice, and nothing else
        let mut late = self.reader().await;
        for reader in [&mut early, &mut late] {
            reader.catch_up().await;
            assert!(entries.iter().all(|entry| reader.seen.contains(entry)), "a reader misses what was appended");
            assert_eq!((reader.seen.len(), reader.restarts), (3, 0));
        }
    }

    async fn every_level_and_every_text_comes_back_as_it_was(&mut self) {
        let odd = "línea\n\"quoted\" \\ \u{0} \u{1F980} ' ; -- $1 %s";
        let long = "x".repeat(1000);
        let (i, t) = ("https://a.test/", UnixTime::from_secs(1_900_000_000));
        let revocations = [
            Revocation::token(i, odd, LATE),
            Revocation::session(odd, odd),
            Revocation::subject(i, "alice", t),
            Revocation::version(i, "alice", u64::MAX),
            Revocation::client(i, "", t),
            Revocation::key(i, &long),
            Revocation::issuer(&long, t),
        ];
        // A log does not store a token's expiry separately from the entry's expiry.
        let entries: Vec<_> =
            revocations.into_iter().map(|revocation| RevocationEntry::new(revocation, LATE)).collect();
        let written: Vec<_> = entries.iter().map(RevocationEntry::to_json).collect();
        append(&self.place.open().await, &entries).await;
        let mut reader = self.reader().await;
        reader.catch_up().await;
        let read: Vec<_> = reader.seen.iter().map(RevocationEntry::to_json).collect();
        assert!(written.iter().all(|entry| read.contains(entry)), "an entry was changed");
        assert_eq!(reader.unreadable, 0);
    }

    async fn a_reader_goes_on_from_where_it_was(&mut self) {
        let mut reader = self.reader().await;
        reader.catch_up().await;
        let cursor = reader.cursor;
        drop(reader);
        let entries = self.append(2).await;
        let mut next = LogReader::at(self.place.open().await, cursor);
        next.catch_up().await;
        assert_eq!(next.restarts, 0);
        assert!(entries.iter().all(|entry| next.seen.contains(entry)), "what came meanwhile is missing");
    }

    async fn a_reader_waits_for_no_longer_than_its_patience(&mut self) {
        let mut reader = self.reader().await;
        reader.catch_up().await;
        for patience in [Duration::ZERO, PATIENCE] {
            let asked = Instant::now();
            let page = reader.must_read(patience).await;
            assert!(page.entries.is_empty() && page.is_last, "nothing came");
            let took = asked.elapsed();
            assert!(took + Duration::from_millis(50) >= patience, "it did not wait ({took:?} of {patience:?})");
        }
    }

    async fn a_reader_that_waits_is_woken(&mut self) {
        let mut reader = self.reader().await;
        reader.catch_up().await;
        let log = self.place.open().await;
        let entries = self.entries(1);
        let read = async {
            while !reader.has_all(&entries) {
                reader.must_read(FOR_EVER).await;
            }
        };
        // The reader is polled first, and waits.
        let both = async { tokio::join!(biased; read, append(&log, &entries)) };
        must(timeout(LIMIT, both).await, "the reader slept through an entry");
    }

    async fn a_read_that_is_given_up_takes_nothing_away(&mut self) {
        let mut reader = self.reader().await;
        reader.catch_up().await;
        for _ in 0..3 {
            let given_up = timeout(Duration::from_millis(20), reader.read(FOR_EVER)).await;
            assert!(given_up.is_err(), "nothing was to come");
            let entries = self.append(1).await;
            reader.catch_up().await;
            assert!(reader.seen.contains(&entries[0]), "the read that was given up took an entry with it");
        }
    }

    async fn writers_at_the_same_time_leave_no_gap(&mut self) {
        const WRITERS: usize = 8;
        let mut reader = self.reader().await;
        reader.catch_up().await;
        let mut logs = Vec::new();
        for _ in 0..WRITERS {
            logs.push((self.place.open().await, self.entries(50)));
        }
        let expected: Vec<_> = logs.iter().flat_map(|(_, entries)| entries.clone()).collect();
        let written = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let mut writers = tokio::task::JoinSet::new();
        for (log, entries) in logs {
            let written = Arc::clone(&written);
            writers.spawn(async move {
                for entry in entries {
                    append(&log, std::slice::from_ref(&entry)).await;
                }
                written.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            });
        }
        while written.load(std::sync::atomic::Ordering::SeqCst) < WRITERS {
            reader.must_read(Duration::from_millis(10)).await;
        }
        writers.join_all().await;
        reader.catch_up().await;
        let missing = expected.iter().filter(|entry| !reader.seen.contains(entry)).count();
        assert_eq!((missing, reader.restarts), (0, 0), "a reader misses what several writers appended");
    }

    async fn a_long_log_is_read_in_pages(&mut self) {
        let log = self.place.open().await;
        let entries = self.entries(12_000);
        for batch in entries.chunks(500) {
            append(&log, batch).await;
        }
        let mut reader = self.reader().await;
        reader.catch_up().await;
        let missing = entries.iter().filter(|entry| !reader.seen.contains(entry)).count();
        assert_eq!((missing, reader.restarts), (0, 0));
    }
}
