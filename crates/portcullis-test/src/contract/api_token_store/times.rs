//! Rules about the ends of tokens.

use portcullis_issuer::{
    api_tokens::{ApiTokenId, ApiTokenRow, ApiTokenStore, Changed, RevokedReason, Superseded, TokenRevoked},
    refresh::Millis,
};

use super::{ApiTokenPlace, ApiTokenStoreContract, digest, id, ids, lists::listed, next, revoked};
use crate::must::must;

/// No other rule has a time around this one.
const START: u64 = 1_000_000_000_000;

/// Nor this one.
const HERE: u64 = START / 2;

type Cursor = (Millis, Option<ApiTokenId>);

impl<P: ApiTokenPlace> ApiTokenStoreContract<P> {
    pub(super) async fn tokens_that_end_are_found_by_time(&mut self) {
        let mut rows = Vec::new();
        for end in [9, 5, 5, 5, 2, 7, 10] {
            let mut row = self.new_row();
            row.until = Some(Millis::new(START + end));
            rows.push(row);
        }
        // One of which the overlap is over before it expires, one that was revoked, and one that does not end.
        rows[0].superseded = Some(Superseded::new(id(1), Millis::new(0), Millis::new(START + 6), digest(1)));
        rows[4].revoked = Some(TokenRevoked::new(Millis::new(START + 3), RevokedReason::Asked));
        let endless = self.new_row();
        for row in rows.iter().chain([&endless]).rev() {
            self.insert(row).await;
        }
        let expected = [4, 1, 2, 3, 0, 5, 6].map(|at: usize| rows[at].id);
        let all = (Millis::new(START), None);
        for most in [1, 2, 3, 100] {
            assert_eq!(self.ending(all, START + 11, most).await, expected, "tokens by their ends, {most} at a time");
        }
        assert_eq!(self.ending(all, START + 10, 100).await, expected[..6], "one ends at the instant before which");
        assert_eq!(
            self.ending((Millis::new(START + 5), None), START + 11, 100).await,
            expected[1..],
            "from an instant"
        );
        let cursor = |at: u64, row: &ApiTokenRow| (Millis::new(START + at), Some(row.id));
        assert_eq!(self.ending(cursor(5, &rows[2]), START + 11, 100).await, expected[3..], "behind a token");
        assert_eq!(
            self.ending(cursor(6, &rows[2]), START + 11, 1).await,
            expected[5..],
            "behind an entry that there is not"
        );
        assert_eq!(self.ending(cursor(8, &rows[2]), START + 3, 1).await, [], "up to a time before the cursor");
        // A change moves it.
        let moved = next(&rows[6], |row| {
            row.superseded = Some(Superseded::new(id(1), Millis::new(0), Millis::new(START + 1), digest(1)));
        });
        assert_eq!(self.replace(&moved, None).await, Changed::Stored);
        let expected = [6, 4, 1, 2, 3, 0, 5].map(|at: usize| rows[at].id);
        assert_eq!(self.ending(all, START + 11, 2).await, expected, "after an end was moved");
    }

    async fn ending(&self, from: Cursor, before: u64, most: usize) -> Vec<ApiTokenId> {
        let (store, mut found, mut after) = (self.store().await, Vec::new(), from);
        loop {
            let page = must(store.ending(after, Millis::new(before), most).await, "ends cannot be listed");
            assert!(page.rows.len() <= most, "a page has more tokens than were asked for");
            found.extend(ids(&page));
            match page.next {
                Some(next) => {
                    assert_ne!(next, after, "a page begins where the one before began");
                    after = next;
                }
                None => return found,
            }
        }
    }

    pub(super) async fn only_what_is_over_is_forgotten(&mut self) {
        let (rows, store) = (self.tokens_of_which_five_are_over().await, self.store().await);
        let forget = async |time| must(store.forget_before(Millis::new(HERE + time)).await, "nothing can be forgotten");
        assert_eq!(forget(1).await, 0, "tokens were forgotten that were not over before the instant");
        assert_eq!(forget(5).await, 5, "of five tokens that are over");
        assert_eq!(forget(5).await, 0, "tokens were forgotten twice");
        for row in &rows[..5] {
            self.is_absent(row).await;
        }
        let left: Vec<_> = rows[5..].iter().map(|row| row.id).collect();
        for row in &rows[5..] {
            self.is_found(row).await;
            assert!(self.with_ancestors(row).await.ancestors.is_empty(), "an ancestor that was forgotten is found");
        }
        self.has_below(&rows[0], &left).await;
        assert_eq!(listed(&store, &rows[0].owner, 2).await, left, "the tokens of an owner after some were forgotten");
        assert_eq!(self.ending((Millis::new(HERE), None), HERE + 50, 2).await, left[..2], "ends");
        // Nothing is left of them: the same id and digest can be used again.
        for row in [&rows[4], &rows[3]] {
            self.insert(row).await;
        }
        assert_eq!(forget(5).await, 2, "tokens that were added again");
        self.is_found(&rows[7]).await;
    }

    /// Returns a root and what was derived from it: five of them are over before the fifth instant.
    async fn tokens_of_which_five_are_over(&mut self) -> Vec<ApiTokenRow> {
        let (store, at) = (self.store().await, |time: u64| Some(Millis::new(HERE + time)));
        // What other rules have left behind.
        must(store.forget_before(Millis::new(HERE)).await, "nothing can be forgotten");
        let mut rows = Vec::new();
        for _ in 0..8 {
            let mut row = self.new_row();
            row.path = rows.first().map(|root: &ApiTokenRow| root.id).into_iter().collect();
            row.owner = rows.first().map_or(row.owner, |root| root.owner.clone());
            rows.push(row);
        }
        // The root expires, two are over, one was revoked, one has an overlap that is over, one is over at the instant itself, one later, one never.
        (rows[0].until, rows[1].until, rows[2].until) = (at(3), at(1), at(2));
        rows[4].until = at(100);
        rows[4].superseded = Some(Superseded::new(id(1), Millis::new(0), Millis::new(HERE + 4), digest(1)));
        (rows[5].until, rows[6].until) = (at(5), at(6));
        for row in &rows {
            self.insert(row).await;
        }
        rows[3] = revoked(&rows[3], HERE + 1);
        rows[6] = revoked(&rows[6], HERE + 7);
        for row in [&rows[3], &rows[6]] {
            assert_eq!(self.replace(row, None).await, Changed::Stored);
        }
        rows
    }
}
