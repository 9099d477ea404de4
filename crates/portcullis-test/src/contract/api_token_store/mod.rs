//! [`ApiTokenStoreContract`]: the rules that every store of API tokens has to follow.

mod ancestors;
mod changes;
mod counts;
mod faults;
mod lists;
mod place;
mod races;
mod texts;
mod times;
mod unique;
mod uses;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_issuer::{
    api_tokens::{
        ApiTokenDigest, ApiTokenId, ApiTokenKind, ApiTokenPage, ApiTokenRow, ApiTokenStore, Changed, FoundApiToken,
        Inserted, Owner, RevokedReason, TokenRevoked,
    },
    refresh::Millis,
};

pub use self::place::{ApiTokenPlace, ApiTokenSwitch};
use super::{Possible, impossible::Impossible};
use crate::must::must;

/// The contract of [`ApiTokenStore`](portcullis_issuer::api_tokens::ApiTokenStore), for a store that is empty at first.
///
/// ```
/// use portcullis_test::contract::{ApiTokenPlace, ApiTokenStoreContract};
///
/// async fn holds_for(place: impl ApiTokenPlace) {
///     ApiTokenStoreContract::new(place).check().await;
/// }
/// ```
#[derive(Debug)]
pub struct ApiTokenStoreContract<P: ApiTokenPlace> {
    place: P,
    /// Handles that are open, and how often one was used.
    open: Mutex<(usize, Vec<Arc<P::Store>>)>,
    /// The number of rows made, so that no two are alike.
    made: u64,
    /// Which faults cannot happen to this store, and why.
    impossible: Impossible<ApiTokenSwitch>,
}

/// How many handles are open at once: as many instances.
const INSTANCES: usize = 4;

/// A time of the contract: in 2033.
const TIME: u64 = 2_000_000_000_000;

/// A number that no row has. Ids have room for eight times as many.
const FAR: u64 = 1 << 54;

impl<P: ApiTokenPlace> ApiTokenStoreContract<P> {
    /// Returns the contract for the store at this place.
    pub fn new(place: P) -> Self {
        Self { place, open: Mutex::default(), made: 0, impossible: Impossible::none() }
    }

    /// Declares that a fault cannot happen to this store, and why. The rules about it are then skipped, and the reason is printed. The
    /// contract fails if the place answers [`Possible::No`] without this declaration, or if the fault happens although it is declared
    /// impossible.
    #[must_use]
    pub fn without(mut self, switch: ApiTokenSwitch, reason: &'static str) -> Self {
        self.impossible.declare(switch, reason);
        self
    }

    /// Checks all rules.
    ///
    /// # Panics
    ///
    /// If the store breaks one. The message says which.
    pub async fn check(mut self) {
        self.an_absent_token_is_none().await;
        self.a_row_comes_back_as_it_was_to_every_instance().await;
        self.what_some_store_cannot_keep_is_refused().await;
        self.an_id_and_a_digest_belong_to_one_row().await;
        self.a_change_is_seen_and_keeps_the_last_use().await;
        self.a_change_of_another_version_changes_nothing().await;
        self.a_digest_can_be_replaced_but_not_taken().await;
        self.a_successor_is_added_with_the_change_or_not_at_all().await;
        self.ancestors_come_with_the_token_in_the_order_of_its_path().await;
        self.ancestors_are_read_in_one_step().await;
        self.a_list_has_the_tokens_of_one_owner_in_order().await;
        self.pages_lose_no_token_and_repeat_none().await;
        self.live_tokens_of_an_owner_are_counted().await;
        self.descendants_are_listed_at_any_depth().await;
        self.tokens_that_end_are_found_by_time().await;
        self.only_what_is_over_is_forgotten().await;
        self.the_latest_use_is_kept().await;
        self.one_of_many_callers_inserts().await;
        self.one_of_many_callers_changes_a_row().await;
        self.one_of_many_rows_gets_a_successor().await;
        self.no_change_of_several_writers_is_lost().await;
        self.a_row_that_cannot_be_read_is_an_error_and_hides_no_other().await;
        self.a_store_that_cannot_be_reached_is_an_error().await;
        self.a_crash_loses_nothing_that_was_acknowledged().await;
        self.impossible.print("the store");
    }

    /// Returns another handle than the last time: what one instance writes, another one reads.
    async fn store(&self) -> Arc<P::Store> {
        {
            let mut open = self.handles();
            open.0 += 1;
            if open.1.len() == INSTANCES {
                return Arc::clone(&open.1[open.0 % INSTANCES]);
            }
        }
        let store = Arc::new(self.place.open().await);
        self.handles().1.push(Arc::clone(&store));
        store
    }

    /// Closes all handles.
    fn close(&self) {
        self.handles().1.clear();
    }

    fn handles(&self) -> MutexGuard<'_, (usize, Vec<Arc<P::Store>>)> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the row of a token that does not exist, with an owner of its own. Its id is behind that of all before.
    fn new_row(&mut self) -> ApiTokenRow {
        let id = self.new_id();
        let owner = Owner::user(format!("owner {}", self.made));
        let mut row = ApiTokenRow::new(id, digest(self.made), ApiTokenKind::ServiceAccount, owner);
        row.created_at = Millis::new(TIME);
        row
    }

    fn new_id(&mut self) -> ApiTokenId {
        self.made += 1;
        id(self.made)
    }

    /// Adds a row that is new, and makes sure that every method finds it.
    async fn insert(&self, row: &ApiTokenRow) {
        let inserted = must(self.store().await.insert(row).await, "a token cannot be added");
        assert_eq!(inserted, Inserted::New, "a token that is new was not added: {row:?}");
        self.is_found(row).await;
    }

    /// Returns a token that was added.
    async fn inserted(&mut self) -> ApiTokenRow {
        let row = self.new_row();
        self.insert(&row).await;
        row
    }

    async fn replace(&self, row: &ApiTokenRow, successor: Option<&ApiTokenRow>) -> Changed {
        must(self.store().await.replace(row, successor).await, "a token cannot be changed")
    }

    /// Returns the row as a new instance sees it, and makes sure that digest, id and list say the same.
    async fn found(&self, of: &ApiTokenRow) -> Option<ApiTokenRow> {
        let store = self.store().await;
        let by_id = must(store.find_by_id(of.id).await, "a token cannot be found by its id");
        let digest = by_id.as_ref().map_or(of.digest, |row| row.digest);
        let by_digest = must(store.find(&digest).await, "a token cannot be found by its digest");
        let by_digest = by_digest.map(|found| found.row).filter(|row| row.id == of.id);
        is_same(by_digest.as_ref(), by_id.as_ref(), "a token is another one by its digest than by its id");
        let owner = by_id.as_ref().map_or(&of.owner, |row| &row.owner);
        let page = must(store.list(owner, before(of.id), 1).await, "tokens cannot be listed");
        let listed = page.rows.iter().find(|row| row.id == of.id);
        is_same(listed, by_id.as_ref(), "a token is another one in the list of its owner");
        by_id
    }

    async fn is_found(&self, row: &ApiTokenRow) {
        is_same(self.found(row).await.as_ref(), Some(row), "a row is not what was stored");
    }

    async fn is_absent(&self, row: &ApiTokenRow) {
        is_same(self.found(row).await.as_ref(), None, "there is a token that was not stored");
        let store = self.store().await;
        let by_digest = must(store.find(&row.digest).await, "a token cannot be found by its digest");
        assert!(by_digest.is_none_or(|found| found.row.id != row.id), "a digest finds a token that was not stored");
    }

    async fn with_ancestors(&self, row: &ApiTokenRow) -> FoundApiToken {
        let found = must(self.store().await.find(&row.digest).await, "a token cannot be found by its digest");
        present(found, "a token that was stored is not found by its digest")
    }
}

/// Makes sure of it, and shows how rows differ: they have no secret.
#[track_caller]
fn is_same(found: Option<&ApiTokenRow>, expected: Option<&ApiTokenRow>, what: &str) {
    let text = |row: &ApiTokenRow| row.to_json();
    assert!(found == expected, "{what}: {:?}, and not {:?}", found.map(text), expected.map(text));
}

#[track_caller]
#[expect(clippy::panic, reason = "a contract that is broken is a test that has failed")]
fn present<T>(found: Option<T>, what: &str) -> T {
    found.unwrap_or_else(|| panic!("{what}"))
}

/// Returns the row after a change.
fn next(row: &ApiTokenRow, change: impl FnOnce(&mut ApiTokenRow)) -> ApiTokenRow {
    let mut next = row.clone();
    next.version += 1;
    change(&mut next);
    next
}

/// Returns the row after it was revoked.
fn revoked(row: &ApiTokenRow, at: u64) -> ApiTokenRow {
    next(row, |row| row.revoked = Some(TokenRevoked::new(Millis::new(at), RevokedReason::Asked)))
}

/// Returns the id of this number: ids have the order of their numbers.
fn id(number: u64) -> ApiTokenId {
    ApiTokenId::from_bytes((u128::from(number) << 70 | 0x5a5a).to_be_bytes())
}

/// Returns the last id before this one.
fn before(id: ApiTokenId) -> Option<ApiTokenId> {
    let before = u128::from_be_bytes(*id.as_bytes()).checked_sub(1)?;
    Some(ApiTokenId::from_bytes(before.to_be_bytes()))
}

/// Returns a digest that no other number has.
fn digest(number: u64) -> ApiTokenDigest {
    let mut bytes = [0x9d; 32];
    bytes[12..20].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    ApiTokenDigest::from_bytes(bytes)
}

/// Returns the cursor of the next page, and makes sure that it is another one.
#[track_caller]
fn onwards(after: Option<ApiTokenId>, next: Option<ApiTokenId>) -> Option<ApiTokenId> {
    assert!(next.is_none() || next > after, "a page begins where the one before began, or earlier");
    next
}

fn ids<C>(page: &ApiTokenPage<C>) -> Vec<ApiTokenId> {
    page.rows.iter().map(|row| row.id).collect()
}
