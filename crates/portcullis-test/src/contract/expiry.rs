//! Rules about the expiry of entries.

use std::time::Duration;

use portcullis_core::{
    UnixTime,
    revocation::{Revocation, RevocationEntry},
};

use super::{LogPlace, LogReader, RevocationLogContract, Switch, reader::append};

const MINUTE: Duration = Duration::from_secs(60);

impl<P: LogPlace> RevocationLogContract<P> {
    /// Expired entries may be forgotten, but no other entries with them.
    pub(super) async fn entries_that_are_over_take_no_other_with_them(&mut self) {
        let cursor = self.end().await;
        let over = self.place.now().minus(48 * 60 * MINUTE);
        let mut alive = Vec::new();
        let log = self.place.open().await;
        for round in 0..30 {
            let entries = self.entries(2);
            let old = RevocationEntry::new(Revocation::session("https://a.test", &format!("over-{round}")), over);
            append(&log, &[entries[0].clone(), old.clone(), entries[1].clone()]).await;
            append(&log, &[old]).await;
            alive.extend(entries);
        }
        drop(log);
        for from in [None, cursor] {
            let mut reader = LogReader::at(self.place.open().await, from);
            reader.catch_up().await;
            assert!(reader.has_all(&alive), "an entry was forgotten before its time");
        }
    }

    /// An entry stays until it expires, however much is appended, and entries with a later expiry stay after that.
    pub(super) async fn an_entry_is_kept_until_its_time(&mut self) {
        let until = |after: Duration| self.place.now().plus(after);
        let session =
            |id: &str, until: UnixTime| RevocationEntry::new(Revocation::session("https://expiry.test", id), until);
        let short = session("short", until(10 * MINUTE));
        let long = session("long", until(7 * 24 * 60 * MINUTE));
        append(&self.place.open().await, &[short.clone(), long.clone()]).await;
        let cursor = self.end().await;
        let passed = self.place.pass(9 * MINUTE).await;
        if !self.impossible.has_happened(Switch::Pass, passed) {
            return;
        }
        self.append(3).await;
        let mut reader = self.reader().await;
        reader.catch_up().await;
        assert!(reader.has_all(&[short, long.clone()]), "an entry was forgotten before its time");

        let passed = self.place.pass(3 * 24 * 60 * MINUTE).await;
        assert!(self.impossible.has_happened(Switch::Pass, passed));
        let later = self.append(3).await;
        for from in [None, cursor] {
            let mut reader = LogReader::at(self.place.open().await, from);
            reader.catch_up().await;
            assert!(reader.has_all(&later), "an expired entry hides another one");
            assert!(from.is_some() || reader.has_all(std::slice::from_ref(&long)));
        }
    }
}
