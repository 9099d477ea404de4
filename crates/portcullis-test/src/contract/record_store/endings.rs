//! Rules about what has ended.

use std::time::Duration;

use portcullis_issuer::{
    records::{NewRecord, RecordKey, RecordStore, RecordVersion, Swapped},
    refresh::Millis,
};
use tokio::time::{Instant, sleep};

use super::{RecordPlace, RecordStoreContract};
use crate::must::must;

/// How long a store's clock may stand still.
const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// How long a record lives that is to be prolonged.
const LIFE: Duration = Duration::from_secs(3);

const HOUR: Duration = Duration::from_secs(3600);

impl<P: RecordPlace> RecordStoreContract<P> {
    pub(super) async fn what_has_ended_is_absent_for_every_method(&mut self) {
        for deletes in [false, true] {
            let next = || (!deletes).then(|| NewRecord::new("stale"));
            // One that ends while it is there.
            let key = self.new_key();
            let version = self.ended(&key).await;
            assert_eq!(self.found(&key).await, None, "a record that has ended is found");
            let outcome = self.swap(&key, Some(version), next()).await;
            assert_eq!(outcome, Swapped::Conflict, "a record that has ended was changed");
            assert_eq!(self.found(&key).await, None, "a record that had ended was brought back");
            if deletes {
                assert_eq!(self.swap(&key, None, None).await, Swapped::Stored, "a record that has ended is none");
            }
            let created = self.write(&key, NewRecord::new("new")).await;
            assert_ne!(created, version, "the version of a record that has ended was used again");
            assert_eq!(self.swap(&key, Some(version), next()).await, Swapped::Conflict, "a stale change was stored");
            assert_eq!(self.text(&key).await.as_deref(), Some("new"));
        }
        // One whose end has passed when it is written.
        let (key, now) = (self.new_key(), self.time().await);
        for (before, expected) in [(None, 1), (Some("live"), 1), (None, 0)] {
            if let Some(text) = before {
                self.write(&key, NewRecord::new(text)).await;
            }
            let version = self.version(&key).await;
            let past = NewRecord::new("past").until(Millis::new(now.get() - expected));
            assert_eq!(
                self.swap(&key, version, Some(past)).await,
                Swapped::Stored,
                "a record that is over is not stored"
            );
            assert_eq!(self.found(&key).await, None, "a record whose end has passed is found");
        }
        self.write(&key, NewRecord::new("new")).await;
    }

    /// What is used goes on, and is not forgotten at its first end.
    pub(super) async fn an_end_can_be_moved(&mut self) {
        let keys = [self.new_key(), self.new_key(), self.new_key()];
        let soon = self.time().await.plus(LIFE);
        for key in &keys {
            self.swap(key, None, Some(NewRecord::new("before").until(soon))).await;
        }
        let moved =
            [NewRecord::new("later").until(soon.plus(HOUR)), NewRecord::new("for ever"), NewRecord::new("before")];
        for (key, next) in keys.iter().zip(&moved) {
            let version = self.version(key).await;
            self.swap(key, version, Some(next.clone())).await;
        }
        // The last one gets an end.
        let version = self.version(&keys[2]).await;
        self.swap(&keys[2], version, Some(NewRecord::new("shorter").until(soon))).await;
        self.wait_until(soon).await;
        must(self.store().await.forget_before(soon.plus(HOUR)).await, "nothing can be forgotten");
        let texts = [self.text(&keys[0]).await, self.text(&keys[1]).await, self.text(&keys[2]).await];
        assert_eq!(texts, [Some("later".into()), Some("for ever".into()), None], "an end that was moved");
    }

    pub(super) async fn only_what_has_ended_is_forgotten(&mut self) {
        let store = self.store().await;
        must(store.forget_before(self.time().await).await, "nothing can be forgotten");
        let keys: Vec<RecordKey> = (0..4).map(|_| self.new_key()).collect();
        self.write(&keys[0], NewRecord::new("for ever")).await;
        self.write(&keys[1], NewRecord::new("live").until(self.time().await.plus(HOUR))).await;
        let first = self.time().await;
        self.ended(&keys[2]).await;
        let end = self.ended_at(&keys[3]).await;
        let forgotten = must(store.forget_before(first).await, "nothing can be forgotten");
        assert_eq!(forgotten, 0, "records were forgotten that had not ended by then");
        let forgotten = must(store.forget_before(end.plus(48 * HOUR)).await, "nothing can be forgotten");
        assert!(forgotten <= 2, "of two records that have ended, {forgotten} are forgotten");
        let forgotten = must(store.forget_before(end.plus(48 * HOUR)).await, "nothing can be forgotten");
        assert_eq!(forgotten, 0, "what has been forgotten is forgotten again");
        let texts = [self.text(&keys[0]).await, self.text(&keys[1]).await];
        assert_eq!(texts, [Some("for ever".into()), Some("live".into())], "a record was forgotten that had not ended");
        for key in &keys[2..] {
            assert_eq!(self.found(key).await, None);
            self.write(key, NewRecord::new("again")).await;
        }
    }

    pub(super) async fn time(&self) -> Millis {
        must(self.store().await.now().await, "the store has no time")
    }

    /// Writes a record, and lets it end. Returns the version that it had.
    async fn ended(&mut self, key: &RecordKey) -> RecordVersion {
        self.ends(key).await.0
    }

    async fn ended_at(&mut self, key: &RecordKey) -> Millis {
        self.ends(key).await.1
    }

    async fn ends(&mut self, key: &RecordKey) -> (RecordVersion, Millis) {
        let mut life = Duration::from_secs(1);
        loop {
            let until = self.time().await.plus(life);
            let outcome = self.swap(key, None, Some(NewRecord::new("ends").until(until))).await;
            assert_eq!(outcome, Swapped::Stored, "a record with an end cannot be created");
            let found = self.found(key).await;
            let was_in_time = self.time().await < until;
            self.wait_until(until).await;
            match found {
                Some(record) => return (record.version(), until),
                // This machine was too slow.
                None if !was_in_time && life < LIMIT => life *= 4,
                None => broken("a record is gone before its end"),
            }
        }
    }

    /// Waits until the store's time has come there.
    pub(super) async fn wait_until(&mut self, until: Millis) {
        let left = until.since(self.time().await);
        self.place.pass(left + Duration::from_secs(1)).await;
        let (store, deadline) = (self.store().await, Instant::now() + LIMIT);
        while must(store.now().await, "the store has no time") < until {
            if Instant::now() > deadline {
                broken("the time of the store stands still");
            }
            sleep(PAUSE).await;
        }
    }
}

#[expect(clippy::panic, reason = "a contract that is broken is a test that has failed")]
fn broken(what: &str) -> ! {
    panic!("{what}")
}
