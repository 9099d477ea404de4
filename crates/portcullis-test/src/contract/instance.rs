//! [`Instance`]: a minimal instance of a service, with a view, access to the log, and its own revocations.

use std::time::Duration;

use portcullis_core::{
    UnixTime,
    revocation::{Cursor, Revocation, RevocationEntry, RevocationLog, Verdict, ViewWriter},
    verified::Facts,
};

use super::reader::{LogReader, append};
use crate::FixedClock;

pub(super) struct Instance {
    writer: ViewWriter,
    clock: FixedClock,
    cursor: Option<Cursor>,
    own: Vec<RevocationEntry>,
}

impl Instance {
    pub(super) fn new(now: UnixTime, horizon: Duration) -> Self {
        let clock = FixedClock::at(now);
        let writer = ViewWriter::builder(horizon).clock(clock.clone()).build();
        Self { writer, clock, cursor: None, own: Vec::new() }
    }

    pub(super) async fn revoke(&mut self, revocations: &[Revocation], log: &impl RevocationLog) {
        let entries: Vec<_> = revocations.iter().map(|revocation| self.writer.entry(revocation)).collect();
        append(log, &entries).await;
        self.writer.merge(&entries);
        self.own.extend(entries);
    }

    /// Reads to the end. If the log had to be read from its beginning, appends this instance's own entries that are missing.
    pub(super) async fn follow<L: RevocationLog>(&mut self, log: L) {
        let mut reader = LogReader::at(log, self.cursor);
        let asked = self.writer.ask();
        reader.catch_up().await;
        self.writer.merge(&reader.order);
        self.writer.confirm(asked);
        self.cursor = reader.cursor;
        let lost: Vec<_> = self.own.iter().filter(|entry| !reader.seen.contains(entry)).cloned().collect();
        if reader.restarts > 0 && !lost.is_empty() {
            append(&reader.log, &lost).await;
        }
    }

    pub(super) fn refuses(&self, facts: &Facts) -> bool {
        matches!(self.writer.view().check(facts, portcullis_core::Clock::now(&self.clock)), Verdict::Revoked(_))
    }
}
