//! Rules about many callers at once.

use std::sync::Arc;

use portcullis_issuer::records::{NewRecord, RecordKey, RecordStore, RecordVersion, Swapped};
use tokio::task::JoinSet;

use super::{RecordPlace, RecordStoreContract};
use crate::must::must;

/// How many callers have the same version.
const CALLERS: usize = 64;

/// How many handles they share, like instances.
const INSTANCES: usize = 4;

/// How many changes each of several writers makes.
const CHANGES: usize = 25;

impl<P: RecordPlace> RecordStoreContract<P> {
    pub(super) async fn one_of_many_callers_creates_a_record(&mut self) {
        for _ in 0..5 {
            let key = self.new_key();
            self.at_once(&key, None, |_| false).await;
            self.delete(&key).await;
            self.at_once(&key, None, |_| false).await;
        }
    }

    pub(super) async fn one_of_many_callers_changes_a_record(&mut self) {
        let key = self.new_key();
        self.write(&key, NewRecord::new("before")).await;
        for _ in 0..10 {
            let version = self.version(&key).await;
            self.at_once(&key, version, |_| false).await;
        }
    }

    pub(super) async fn a_record_that_is_changed_and_deleted_at_once_is_one_of_them(&mut self) {
        for _ in 0..10 {
            let key = self.new_key();
            let version = self.write(&key, NewRecord::new("before")).await;
            self.at_once(&key, Some(version), |number| number % 2 == 0).await;
        }
    }

    /// Makes sure that one of many changes of the same version succeeds, and that all instances see this one.
    async fn at_once(&self, key: &RecordKey, expected: Option<RecordVersion>, deletes: impl Fn(usize) -> bool) {
        let (stores, mut callers) = (self.instances().await, JoinSet::new());
        for number in 0..CALLERS {
            let (store, key) = (Arc::clone(&stores[number % INSTANCES]), key.clone());
            let text = (!deletes(number)).then(|| format!("caller {number}"));
            callers.spawn(async move {
                let outcome = store.swap(&key, expected, text.as_deref().map(NewRecord::new)).await;
                (must(outcome, "a record cannot be changed"), text)
            });
        }
        let outcomes = callers.join_all().await;
        let won: Vec<_> = outcomes.iter().filter(|(outcome, _)| *outcome == Swapped::Stored).collect();
        assert_eq!(won.len(), 1, "of {CALLERS} changes of the same version ({expected:?}), {} were stored", won.len());
        assert_eq!(self.text(key).await, won[0].1, "the change that was acknowledged is not the one that is read");
    }

    async fn instances(&self) -> Vec<Arc<P::Store>> {
        let mut stores = Vec::new();
        for _ in 0..INSTANCES {
            stores.push(Arc::new(self.store().await));
        }
        stores
    }

    /// Several instances count together.
    pub(super) async fn no_change_of_several_writers_is_lost(&mut self) {
        let (key, mut writers) = (self.new_key(), JoinSet::new());
        self.write(&key, NewRecord::new("0")).await;
        for store in self.instances().await {
            let key = key.clone();
            writers.spawn(async move {
                let mut left = CHANGES;
                while left > 0 {
                    let found = must(store.find(&key).await, "a record cannot be found");
                    let number: u64 = found.as_ref().map_or(0, |found| found.text().parse().unwrap_or_default());
                    let next = NewRecord::new((number + 1).to_string());
                    let outcome = store.swap(&key, found.map(|found| found.version()), Some(next)).await;
                    if must(outcome, "a record cannot be changed") == Swapped::Stored {
                        left -= 1;
                    }
                }
            });
        }
        writers.join_all().await;
        let counted = self.text(&key).await;
        assert_eq!(counted, Some((INSTANCES * CHANGES).to_string()), "changes that were acknowledged are lost");
    }
}
