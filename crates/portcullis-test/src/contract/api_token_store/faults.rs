//! Rules about faults of a store.

use std::{future::Future, time::Duration};

use portcullis_issuer::{
    StoreError,
    api_tokens::{ApiTokenRow, ApiTokenStore, ApiTokenUse, Changed, Inserted, LastUse, Owner, Superseded},
    refresh::Millis,
};
use tokio::time::{Instant, sleep, timeout};

use super::{ApiTokenPlace, ApiTokenStoreContract, ApiTokenSwitch, TIME, before, digest, ids, next, revoked};
use crate::must::must;

/// How long a store that starts again may fail, and how long one that cannot be reached may take to say so.
const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// When the rows end that cannot be read. No other rule has this time.
const END: u64 = 1_500_000_000_000;

impl<P: ApiTokenPlace> ApiTokenStoreContract<P> {
    /// What a later version wrote, or damage, is neither absent nor changed.
    pub(super) async fn a_row_that_cannot_be_read_is_an_error_and_hides_no_other(&mut self) {
        let owner = Owner::organisation("unreadable");
        let (root, mut rows) = (self.inserted().await, Vec::new());
        // What other rules have left behind.
        must(self.store().await.forget_before(Millis::new(END)).await, "nothing can be forgotten");
        for _ in 0..3 {
            let mut row = self.new_row();
            (row.owner, row.path, row.until) = (owner.clone(), vec![root.id], Some(Millis::new(END)));
            self.insert(&row).await;
            rows.push(row);
        }
        let mut below = self.new_row();
        below.path = vec![root.id, rows[1].id];
        self.insert(&below).await;
        self.close();
        let overwritten = self.place.overwrite(rows[1].id).await;
        if !self.impossible.has_happened(ApiTokenSwitch::Overwrite, overwritten) {
            return;
        }
        for _ in 0..2 {
            self.is_unreadable(&rows[1]).await;
            // Whether its ancestor was revoked cannot be known.
            let found = self.store().await.find(&below.digest).await;
            assert!(found.is_err(), "an ancestor that cannot be read is no error, but {found:?}");
            self.lists_name_it(&root, &rows, &below).await;
            self.is_found(&rows[0]).await;
            self.is_found(&rows[2]).await;
            // It may be live.
            self.has_live(&owner, END - 1, 3).await;
            let used = ApiTokenUse::new(rows[1].id, LastUse::new(Millis::new(TIME), None));
            must(self.store().await.record_uses(&[used]).await, "one row that cannot be read stops all others");
        }
        let forgotten = must(self.store().await.forget_before(Millis::new(END + 1)).await, "nothing can be forgotten");
        assert_eq!(forgotten, 2, "of three tokens that are over, one cannot be read");
        self.is_unreadable(&rows[1]).await;
    }

    async fn is_unreadable(&mut self, row: &ApiTokenRow) {
        let store = self.store().await;
        let found = store.find(&row.digest).await;
        assert!(found.is_err(), "a row that cannot be read is not an error, but {found:?}");
        let found = store.find_by_id(row.id).await;
        assert!(found.is_err(), "a row that cannot be read is not an error, but {found:?}");
        let successor = self.new_row();
        for successor in [None, Some(&successor)] {
            let outcome = store.replace(&revoked(row, TIME), successor).await;
            assert!(outcome.is_err(), "a change of a row that cannot be read is {outcome:?}");
        }
        self.is_absent(&successor).await;
        let (mut same_id, mut same_digest) = (self.new_row(), self.new_row());
        (same_id.id, same_digest.digest) = (row.id, row.digest);
        for taken in [same_id, same_digest] {
            let inserted = store.insert(&taken).await;
            assert!(!matches!(inserted, Ok(Inserted::New)), "a row that cannot be read was replaced");
        }
    }

    /// Every list names it once, and has the others.
    async fn lists_name_it(&self, root: &ApiTokenRow, rows: &[ApiTokenRow], below: &ApiTokenRow) {
        let (store, owner, of) = (self.store().await, &rows[0].owner, rows[1].id);
        let from = before(rows[0].id);
        let pages = [
            must(store.list(owner, None, 10).await, "tokens cannot be listed"),
            must(store.all(from, 3).await, "tokens cannot be listed"),
            must(store.derived_from(root.id, None, 3).await, "descendants cannot be listed"),
        ];
        for (number, page) in pages.iter().enumerate() {
            assert_eq!(ids(page), [rows[0].id, rows[2].id], "the others in list {number}");
            assert_eq!(page.unreadable, [of], "the row that cannot be read in list {number}");
            assert!(page.complete().is_err(), "a list without a row that cannot be read is complete");
        }
        let ending = store.ending((Millis::new(END), None), Millis::new(END + 1), 10).await;
        let ending = must(ending, "ends cannot be listed");
        assert_eq!((ids(&ending), &*ending.unreadable), (vec![rows[0].id, rows[2].id], &[of][..]), "ends");
        // Page by page, it ends no list.
        for most in [1, 2] {
            let (mut found, mut unreadable, mut after) = (Vec::new(), Vec::new(), None);
            loop {
                let page = must(store.derived_from(root.id, after, most).await, "descendants cannot be listed");
                found.extend(ids(&page));
                unreadable.extend(page.unreadable);
                after = super::onwards(after, page.next);
                if after.is_none() {
                    break;
                }
            }
            assert_eq!((found, unreadable), (vec![rows[0].id, rows[2].id, below.id], vec![of]), "{most} at a time");
        }
    }

    pub(super) async fn a_store_that_cannot_be_reached_is_an_error(&mut self) {
        let (here, absent) = (self.inserted().await, self.new_row());
        let (open, cut) = (self.store().await, self.place.cut_off().await);
        if !self.impossible.has_happened(ApiTokenSwitch::CutOff, cut) {
            return;
        }
        let changed = revoked(&here, TIME);
        // A call that does not return counts as failed, as its caller gives up.
        let mut answers = Vec::new();
        for row in [&here, &absent] {
            answers.push(("found", succeeds(open.find(&row.digest)).await));
            answers.push(("found by its id", succeeds(open.find_by_id(row.id)).await));
            answers.push(("added", succeeds(open.insert(row)).await));
            answers.push(("listed", succeeds(open.list(&row.owner, None, 10)).await));
            answers.push(("counted", succeeds(open.count_live(&row.owner, Millis::new(TIME))).await));
            answers.push(("derived", succeeds(open.derived_from(row.id, None, 10)).await));
        }
        answers.push(("changed", succeeds(open.replace(&changed, None)).await));
        answers.push(("superseded", succeeds(open.replace(&changed, Some(&absent))).await));
        answers.push(("among all", succeeds(open.all(None, 10)).await));
        answers.push(("ending", succeeds(open.ending((Millis::new(0), None), Millis::new(TIME), 10)).await));
        let used = ApiTokenUse::new(here.id, LastUse::new(Millis::new(TIME), None));
        answers.push(("used", succeeds(open.record_uses(&[used])).await));
        answers.push(("forgotten", succeeds(open.forget_before(Millis::new(1))).await));
        self.place.reconnect().await;
        let answered: Vec<_> = answers.iter().filter(|(_, answered)| *answered).map(|(what, _)| what).collect();
        assert!(answered.is_empty(), "a store that cannot be reached says that a token was {answered:?}");
        self.patiently(&here).await;
        self.is_found(&here).await;
        self.is_absent(&absent).await;
    }

    /// Several times: what starts again has to write as before.
    pub(super) async fn a_crash_loses_nothing_that_was_acknowledged(&mut self) {
        let mut kept = self.inserted().await;
        for round in 0..3 {
            let (mut over, successor) = (self.new_row(), self.new_row());
            over.until = Some(Millis::new(1));
            self.insert(&over).await;
            kept = next(&kept, |row| {
                let end = Millis::new(TIME + round);
                row.superseded = Some(Superseded::new(successor.id, end, end, digest(1)));
            });
            assert_eq!(self.replace(&kept, Some(&successor)).await, Changed::Stored);
            let used = LastUse::new(Millis::new(TIME + round), Some("192.0.2.0/24".to_owned()));
            kept.last_used = Some(used.clone());
            must(self.store().await.record_uses(&[ApiTokenUse::new(kept.id, used)]).await, "a use is not recorded");
            must(self.store().await.forget_before(Millis::new(2)).await, "nothing can be forgotten");
            self.close();
            let crashed = self.place.crash().await;
            if !self.impossible.has_happened(ApiTokenSwitch::Crash, crashed) {
                return;
            }
            self.patiently(&kept).await;
            self.is_found(&kept).await;
            self.is_found(&successor).await;
            self.is_absent(&over).await;
        }
    }

    /// Waits for a store that starts again.
    async fn patiently(&self, row: &ApiTokenRow) {
        let deadline = Instant::now() + LIMIT;
        while let Err(error) = self.store().await.find_by_id(row.id).await {
            assert!(Instant::now() < deadline, "the store does not come back: {error}");
            sleep(PAUSE).await;
        }
    }
}

async fn succeeds<T>(call: impl Future<Output = Result<T, StoreError>>) -> bool {
    matches!(timeout(LIMIT, call).await, Ok(Ok(_)))
}
