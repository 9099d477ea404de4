//! Rules about how many live tokens an owner has.

use portcullis_issuer::{
    api_tokens::{ApiTokenRow, ApiTokenStore, Changed, Owner, Superseded},
    refresh::Millis,
};

use super::{ApiTokenPlace, ApiTokenStoreContract, TIME, digest, revoked};
use crate::must::must;

impl<P: ApiTokenPlace> ApiTokenStoreContract<P> {
    pub(super) async fn live_tokens_of_an_owner_are_counted(&mut self) {
        let owner = Owner::organisation("counted");
        self.has_live(&owner, TIME, 0).await;
        let ends: [Option<u64>; 4] = [None, Some(TIME + 2), Some(TIME + 1), Some(TIME - 1)];
        let mut rows = Vec::new();
        for end in ends {
            let row = self.counted(&owner, |row| row.until = end.map(Millis::new)).await;
            rows.push(row);
        }
        for of_another in [Owner::user("counted"), Owner::application("counted"), Owner::organisation("counted too")] {
            self.counted(&of_another, |_| ()).await;
            self.has_live(&of_another, TIME, 1).await;
        }
        for (now, live) in [(TIME - 2, 4), (TIME - 1, 3), (TIME, 3), (TIME + 1, 2), (TIME + 2, 1), (u64::MAX, 1)] {
            self.has_live(&owner, now, live).await;
        }
        // A derived token counts, too.
        let parent = rows[0].id;
        let derived = self.counted(&owner, |row| row.path = vec![parent]).await;
        self.has_live(&owner, TIME + 5, 2).await;
        // So does a superseded one, until the overlap is over.
        let by = rows[1].id;
        let overlap = |row: &mut ApiTokenRow| {
            row.superseded = Some(Superseded::new(by, Millis::new(TIME), Millis::new(TIME + 10), digest(1)));
        };
        self.counted(&owner, overlap).await;
        for (now, live) in [(TIME + 9, 3), (TIME + 10, 2)] {
            self.has_live(&owner, now, live).await;
        }
        // A revoked one does not, even before its revocation.
        assert_eq!(self.replace(&revoked(&derived, TIME + 5), None).await, Changed::Stored);
        self.has_live(&owner, TIME + 9, 2).await;
        self.has_live(&owner, TIME, 4).await;
        // More than one.
        let many = Owner::user("counted many");
        for _ in 0..20 {
            self.counted(&many, |_| ()).await;
        }
        self.has_live(&many, TIME, 20).await;
    }

    /// Adds a token of this owner.
    async fn counted(&mut self, owner: &Owner, change: impl FnOnce(&mut ApiTokenRow)) -> ApiTokenRow {
        let mut row = self.new_row();
        row.owner = owner.clone();
        change(&mut row);
        self.insert(&row).await;
        row
    }

    /// Makes sure that every instance counts as many.
    pub(super) async fn has_live(&self, owner: &Owner, now: u64, expected: usize) {
        for _ in 0..2 {
            let live = self.store().await.count_live(owner, Millis::new(now)).await;
            let live = must(live, "the live tokens of an owner cannot be counted");
            assert_eq!(live, expected, "live tokens of {:?} at {now}", owner.id());
        }
    }
}
