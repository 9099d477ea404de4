//! Rules about lists.

use std::collections::BTreeMap;

use portcullis_issuer::{
    api_tokens::{ApiTokenId, ApiTokenRow, ApiTokenStore, Changed, Owner},
    refresh::Millis,
};

use super::{ApiTokenPlace, ApiTokenStoreContract, FAR, TIME, id, ids, next};
use crate::must::must;

/// Ids of owners that stores may confuse with each other, or with a pattern.
const OWNERS: &[&str] = &[
    "",
    "a",
    "A",
    "ab",
    "a:",
    "a:b",
    "a b",
    " a",
    "a/b",
    "*",
    "a*",
    "%",
    "_",
    "?",
    "[a]",
    "{a}",
    "\\",
    "'",
    "\"",
    "';--",
    "$1",
    "-",
    "0",
    "user",
    "user:a",
    "https://id.example.com/users/1",
    "l\u{ed}nea",
    "li\u{301}nea",
    "\u{1f980}",
    "\u{10ffff}",
];

impl<P: ApiTokenPlace> ApiTokenStoreContract<P> {
    pub(super) async fn a_list_has_the_tokens_of_one_owner_in_order(&mut self) {
        let long = ["x".repeat(Owner::BYTE_LIMIT), "x".repeat(Owner::BYTE_LIMIT - 1)];
        let names: Vec<_> = OWNERS.iter().copied().chain(long.iter().map(String::as_str)).collect();
        let mut expected: BTreeMap<Owner, Vec<ApiTokenId>> = BTreeMap::new();
        let mut rows = Vec::new();
        for (at, name) in names.iter().chain(&names).enumerate() {
            let mut owners = vec![Owner::user(*name)];
            if at % 3 == 0 {
                owners.extend([Owner::application(*name), Owner::organisation(*name)]);
            }
            for owner in owners {
                let mut row = self.new_row();
                row.owner = owner.clone();
                expected.entry(owner).or_default().push(row.id);
                rows.push(row);
            }
        }
        // The last ones first: the order is that of the ids.
        for row in rows.iter().rev() {
            self.insert(row).await;
        }
        let store = self.store().await;
        for (owner, expected) in &expected {
            for most in [1, 2, 100] {
                let listed = listed(&store, owner, most).await;
                assert_eq!(&listed, expected, "the tokens of {owner:?} {:?}, {most} at a time", owner.id());
            }
            let none = must(store.list(owner, expected.last().copied(), 10).await, "tokens cannot be listed");
            assert!(none.rows.is_empty() && none.next.is_none(), "there are tokens behind the last one");
        }
        let unknown = must(store.list(&Owner::user("unknown"), None, 10).await, "tokens cannot be listed");
        assert!(unknown.rows.is_empty() && unknown.next.is_none(), "an owner without any has tokens");
    }

    pub(super) async fn pages_lose_no_token_and_repeat_none(&mut self) {
        let owner = Owner::organisation("pages");
        let mut rows: Vec<ApiTokenRow> = Vec::new();
        for _ in 0..9 {
            let mut row = self.new_row();
            row.owner = owner.clone();
            rows.push(row);
        }
        let late = [rows.remove(6), rows.remove(1)];
        for row in &rows {
            self.insert(row).await;
        }
        let store = self.store().await;
        let first = must(store.list(&owner, None, 3).await, "tokens cannot be listed");
        let expected: Vec<_> = rows.iter().map(|row| row.id).collect();
        assert_eq!(ids(&first), expected[..3], "the first page");
        assert_eq!(first.next, Some(expected[2]), "the next page begins behind the last token of this one");
        // Between the pages: one is added before the cursor and one behind it, and one on each side is changed.
        for row in &late {
            self.insert(row).await;
        }
        for row in [&rows[0], &rows[5]] {
            let changed = next(row, |row| row.warned_at = Some(Millis::new(TIME)));
            assert_eq!(self.replace(&changed, None).await, Changed::Stored);
        }
        let rest = must(store.list(&owner, first.next, 100).await, "tokens cannot be listed");
        let behind = [expected[3], expected[4], late[0].id, expected[5], expected[6]];
        assert_eq!(ids(&rest), behind, "the rest after a token was added between two pages");
        assert!(rest.next.is_none(), "there is more behind the last token");
        // A cursor need not be a token.
        let between = super::before(late[0].id);
        let rest = must(store.list(&owner, between, 100).await, "tokens cannot be listed");
        assert_eq!(ids(&rest), behind[2..], "the rest behind an id that no token has");
        self.all_tokens_are_listed(&rows, &late).await;
    }

    async fn all_tokens_are_listed(&self, rows: &[ApiTokenRow], late: &[ApiTokenRow]) {
        let store = self.store().await;
        for most in [7, 300] {
            let (mut all, mut after) = (Vec::new(), None);
            loop {
                let page = must(store.all(after, most).await, "tokens cannot be listed");
                assert!(page.rows.len() <= most, "a page has more tokens than were asked for");
                all.extend(ids(&page));
                after = super::onwards(after, page.next);
                if after.is_none() {
                    break;
                }
            }
            assert!(all.is_sorted_by(|one, other| one < other), "all tokens are not in the order of their ids");
            let is_listed = |row: &ApiTokenRow| all.contains(&row.id);
            assert!(rows.iter().chain(late).all(is_listed), "a token is not among all of them");
            assert!(!all.contains(&id(FAR)), "a token that does not exist is among all of them");
        }
    }
}

/// Returns the ids of an owner's tokens, page by page.
pub(super) async fn listed(store: &impl ApiTokenStore, owner: &Owner, most: usize) -> Vec<ApiTokenId> {
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = must(store.list(owner, after, most).await, "tokens cannot be listed");
        assert!(page.rows.len() <= most, "a page has more tokens than were asked for");
        listed.extend(ids(&page));
        after = super::onwards(after, page.next);
        if after.is_none() {
            return listed;
        }
    }
}
