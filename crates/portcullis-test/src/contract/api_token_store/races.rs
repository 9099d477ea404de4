//! Rules about many callers at once.

use std::sync::Arc;

use portcullis_issuer::{
    api_tokens::{ApiTokenRow, ApiTokenStore, ApiTokenUse, Changed, Inserted, LastUse},
    refresh::Millis,
};
use tokio::task::JoinSet;

use super::{ApiTokenPlace, ApiTokenStoreContract, INSTANCES, TIME, changes::superseded, next};
use crate::must::must;

/// How many callers there are.
const CALLERS: usize = 32;

/// How many changes each of several writers makes.
const CHANGES: u64 = 25;

impl<P: ApiTokenPlace> ApiTokenStoreContract<P> {
    pub(super) async fn one_of_many_callers_inserts(&mut self) {
        for shares_id in [true, false, true, false] {
            let first = self.new_row();
            let mut rows = Vec::new();
            for _ in 0..CALLERS {
                let mut row = self.new_row();
                if shares_id {
                    row.id = first.id;
                } else {
                    row.digest = first.digest;
                }
                rows.push(row);
            }
            let (stores, mut callers) = (self.instances().await, JoinSet::new());
            for (number, row) in rows.iter().cloned().enumerate() {
                let store = Arc::clone(&stores[number % INSTANCES]);
                callers.spawn(async move { (must(store.insert(&row).await, "a token cannot be added"), row) });
            }
            let outcomes = callers.join_all().await;
            let added: Vec<_> = outcomes.iter().filter(|(outcome, _)| *outcome == Inserted::New).collect();
            assert_eq!(added.len(), 1, "of {CALLERS} tokens with the same id or digest, {} were added", added.len());
            self.is_found(&added[0].1).await;
            for row in rows.iter().filter(|row| row.id != added[0].1.id) {
                self.is_absent(row).await;
            }
        }
    }

    /// Each with a successor of its own: as many clients that rotate the same token.
    pub(super) async fn one_of_many_callers_changes_a_row(&mut self) {
        for _ in 0..5 {
            let row = self.inserted().await;
            let mut pairs = Vec::new();
            for _ in 0..CALLERS {
                let successor = self.new_row();
                pairs.push((superseded(&row, &successor), successor));
            }
            let won = self.at_once(&pairs).await;
            assert_eq!(won.len(), 1, "of {CALLERS} changes of the same version, {} were stored", won.len());
            self.is_found(&pairs[won[0]].0).await;
            for (number, (_, successor)) in pairs.iter().enumerate() {
                if number == won[0] {
                    self.is_found(successor).await;
                } else {
                    self.is_absent(successor).await;
                }
            }
        }
    }

    /// Many rows, and the same successor, by its id or its digest.
    pub(super) async fn one_of_many_rows_gets_a_successor(&mut self) {
        for shares_id in [true, false, true, false] {
            let (shared, mut pairs, mut before) = (self.new_row(), Vec::new(), Vec::new());
            for _ in 0..CALLERS / 2 {
                let (row, mut successor) = (self.inserted().await, self.new_row());
                if shares_id {
                    successor.id = shared.id;
                } else {
                    successor.digest = shared.digest;
                }
                pairs.push((superseded(&row, &successor), successor));
                before.push(row);
            }
            let won = self.at_once(&pairs).await;
            assert_eq!(won.len(), 1, "the same successor took the place of {} tokens", won.len());
            for (number, (changed, successor)) in pairs.iter().enumerate() {
                if number == won[0] {
                    self.is_found(changed).await;
                    self.is_found(successor).await;
                } else {
                    self.is_found(&before[number]).await;
                }
            }
        }
    }

    /// Asks for all changes at the same time. Returns which were stored.
    async fn at_once(&self, pairs: &[(ApiTokenRow, ApiTokenRow)]) -> Vec<usize> {
        let (stores, mut callers) = (self.instances().await, JoinSet::new());
        for (number, (row, successor)) in pairs.iter().cloned().enumerate() {
            let store = Arc::clone(&stores[number % INSTANCES]);
            callers.spawn(async move {
                let outcome = store.replace(&row, Some(&successor)).await;
                (number, must(outcome, "a token cannot be changed"))
            });
        }
        let outcomes = callers.join_all().await;
        outcomes.into_iter().filter(|(_, outcome)| *outcome == Changed::Stored).map(|(number, _)| number).collect()
    }

    async fn instances(&self) -> Vec<Arc<P::Store>> {
        let mut stores = Vec::new();
        for _ in 0..INSTANCES {
            stores.push(self.store().await);
        }
        stores
    }

    /// Several instances change one row, while others record its uses: nothing is lost.
    pub(super) async fn no_change_of_several_writers_is_lost(&mut self) {
        let (mut row, other, mut writers) = (self.new_row(), self.inserted().await, JoinSet::new());
        row.warned_at = Some(Millis::new(0));
        self.insert(&row).await;
        for (number, store) in self.instances().await.into_iter().enumerate() {
            let (row, other, counts) = (row.clone(), other.id, number % 2 == 0);
            writers.spawn(async move {
                let mut left = CHANGES;
                while left > 0 {
                    left -= if counts { u64::from(count(&*store, &row).await) } else { 1 };
                    let at = LastUse::new(Millis::new(TIME + CHANGES - left), None);
                    // In either order.
                    let (one, two) = if left.is_multiple_of(2) { (row.id, other) } else { (other, row.id) };
                    let uses = [ApiTokenUse::new(one, at.clone()), ApiTokenUse::new(two, at)];
                    must(store.record_uses(&uses).await, "uses cannot be recorded");
                }
            });
        }
        writers.join_all().await;
        let found = self.found(&row).await;
        let expected = CHANGES * (INSTANCES as u64) / 2;
        let counted = found.as_ref().and_then(|row| row.warned_at).map(Millis::get);
        assert_eq!(counted, Some(expected), "changes that were acknowledged are lost");
        let used = found.and_then(|row| row.last_used).map(|used| used.at.get());
        assert_eq!(used, Some(TIME + CHANGES), "a use that was recorded is lost");
    }
}

/// Counts by one, and returns whether that was stored.
async fn count(store: &impl ApiTokenStore, row: &ApiTokenRow) -> bool {
    let found = must(store.find_by_id(row.id).await, "a token cannot be found");
    let found = super::present(found, "a token is gone");
    let counted = next(&found, |row| row.warned_at = row.warned_at.map(|count| Millis::new(count.get() + 1)));
    must(store.replace(&counted, None).await, "a token cannot be changed") == Changed::Stored
}
