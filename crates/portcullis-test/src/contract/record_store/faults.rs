//! Rules about faults of a store.

use std::{future::Future, time::Duration};

use portcullis_issuer::{
    StoreError,
    records::{NewRecord, RecordKey, RecordKind, RecordStore, Swapped},
};
use tokio::time::{Instant, sleep, timeout};

use super::{RecordPlace, RecordStoreContract, RecordSwitch, key};
use crate::must::must;

/// How long a store that starts again may fail, and how long one that cannot be reached may take to say so.
const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// How long a record lives that is to end.
const LIFE: Duration = Duration::from_secs(3);

impl<P: RecordPlace> RecordStoreContract<P> {
    /// What a later version wrote, or damage, is neither absent nor changed.
    pub(super) async fn a_row_that_cannot_be_read_is_an_error(&mut self) {
        let (unreadable, beside) =
            (key(RecordKind::Client, "unreadable", "row"), key(RecordKind::Client, "unreadable", "beside"));
        let other = self.new_key();
        self.write(&beside, NewRecord::new("beside")).await;
        self.write(&other, NewRecord::new("other")).await;
        let until = self.time().await.plus(LIFE);
        let version = self.write(&unreadable, NewRecord::new("before").until(until)).await;
        let overwritten = self.place.overwrite(&unreadable).await;
        if !self.impossible.has_happened(RecordSwitch::Overwrite, overwritten) {
            return;
        }
        // Only the later version knows whether it has ended.
        self.wait_until(until).await;
        let store = self.store().await;
        for round in 0..2 {
            let found = store.find(&unreadable).await;
            assert!(found.is_err(), "a row that cannot be read is not an error, but {found:?} ({round})");
            let listed = store.list(unreadable.group()).await;
            assert!(listed.is_err(), "a group with a row that cannot be read is {listed:?}");
            for expected in [None, Some(version)] {
                for next in [None, Some(NewRecord::new("over it"))] {
                    let outcome = store.swap(&unreadable, expected, next).await;
                    assert!(outcome.is_err(), "a change of a row that cannot be read is {outcome:?}");
                }
            }
            let _ = store.forget_before(until.plus(LIMIT)).await;
        }
        // It hides no other one.
        let found = must(store.find(&beside).await, "a record cannot be found");
        assert_eq!(found.map(|record| record.text().to_owned()).as_deref(), Some("beside"));
        assert_eq!(self.text(&other).await.as_deref(), Some("other"));
    }

    pub(super) async fn a_store_that_cannot_be_reached_is_an_error(&mut self) {
        let (here, absent) = (self.new_key(), self.new_key());
        let version = self.write(&here, NewRecord::new("before")).await;
        let (open, cut) = (self.store().await, self.place.cut_off().await);
        if !self.impossible.has_happened(RecordSwitch::CutOff, cut) {
            return;
        }
        // A call that does not return counts as failed, as its caller gives up.
        let mut answers = Vec::new();
        for at in [&here, &absent] {
            answers.push(("found", succeeds(open.find(at)).await));
            answers.push(("listed", succeeds(open.list(at.group())).await));
            for expected in [None, Some(version)] {
                answers.push(("deleted", succeeds(open.swap(at, expected, None)).await));
                answers.push(("changed", succeeds(open.swap(at, expected, Some(NewRecord::new("after")))).await));
            }
        }
        self.place.reconnect().await;
        let answered: Vec<_> = answers.iter().filter(|(_, answered)| *answered).map(|(what, _)| what).collect();
        assert!(answered.is_empty(), "a store that cannot be reached says that a record was {answered:?}");
        self.patiently(&here).await;
        assert_eq!(self.version(&here).await, Some(version), "an outage has changed a record");
        assert_eq!(self.found(&absent).await, None, "an outage has made a record");
    }

    /// Several times: what starts again has to write as before.
    pub(super) async fn a_crash_loses_nothing_that_was_acknowledged(&mut self) {
        let (kept, gone) = (self.new_key(), self.new_key());
        for round in 0..3 {
            let text = format!("crash {round}");
            self.write(&gone, NewRecord::new(&*text)).await;
            let stale = self.version(&gone).await;
            let until = self.time().await.plus(10 * LIMIT);
            let version = self.write(&kept, NewRecord::new(&*text).until(until)).await;
            self.delete(&gone).await;
            let crashed = self.place.crash().await;
            if !self.impossible.has_happened(RecordSwitch::Crash, crashed) {
                return;
            }
            self.patiently(&kept).await;
            let found = self.found(&kept).await;
            let is_same = found
                .is_some_and(|found| (found.text(), found.version(), found.until()) == (&*text, version, Some(until)));
            assert!(is_same, "acknowledged, and lost");
            assert_eq!(self.found(&gone).await, None, "a crash has brought back a record that was deleted");
            let outcome = self.store().await.swap(&gone, stale, Some(NewRecord::new("stale"))).await;
            assert!(
                must(outcome, "a record cannot be changed") == Swapped::Conflict,
                "a crash lets a stale change pass"
            );
        }
    }

    /// Waits for a store that starts again.
    async fn patiently(&self, key: &RecordKey) {
        let deadline = Instant::now() + LIMIT;
        while let Err(error) = self.store().await.find(key).await {
            assert!(Instant::now() < deadline, "the store does not come back: {error}");
            sleep(PAUSE).await;
        }
    }
}

async fn succeeds<T>(call: impl Future<Output = Result<T, StoreError>>) -> bool {
    matches!(timeout(LIMIT, call).await, Ok(Ok(_)))
}
