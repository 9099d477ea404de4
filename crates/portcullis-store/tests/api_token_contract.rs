//! Every store of API tokens keeps the contract, on the servers that are there; with any one feature alone.
#![cfg(feature = "api-tokens")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
#![allow(unused_imports, dead_code, reason = "each store uses a part of it")]

use std::slice;

use portcullis_issuer::{
    api_tokens::{
        ApiTokenDigest, ApiTokenId, ApiTokenKind, ApiTokenRow, ApiTokenStore, ApiTokenUse, Changed, Grant, Inserted,
        LastUse, Owner, PepperId, RevokedReason, Superseded, TokenRevoked,
    },
    refresh::Millis,
};
use portcullis_test::contract::{ApiTokenPlace, ApiTokenStoreContract, ApiTokenSwitch, Possible};

#[path = "api_token_contract/instances.rs"]
mod instances;
#[cfg(feature = "postgres")]
#[path = "api_token_contract/postgres.rs"]
mod postgres;
#[cfg(feature = "redb")]
#[path = "api_token_contract/redb.rs"]
mod redb;
#[cfg(feature = "redis")]
#[path = "api_token_contract/redis.rs"]
mod redis;
mod support;

/// The text of the row that [`of_version_1`] returns, as version 1 wrote it.
const ROW: &str = include_str!("rows/api-token-v1.json");

/// A row of a later form, which only its number tells from one of version 1.
fn later() -> String {
    ROW.trim().replace("{\"v\":1,", "{\"v\":2,")
}

/// A row in which everything is set.
fn of_version_1() -> ApiTokenRow {
    let mut row = numbered(7);
    row.id = "01J9ZK8C3QV6T5W4X2Y1R0ABCD".parse().unwrap();
    row.kind = ApiTokenKind::RoleToInstance;
    row.owner = Owner::organisation("línea/1");
    row.version = 3;
    row.pepper = PepperId::new('b');
    "x7Qz".clone_into(&mut row.last_four);
    "live".clone_into(&mut row.environment);
    "nightly \"build\"\n".clone_into(&mut row.name);
    row.grants = [
        Grant::scope("orders:read"),
        Grant::role("writer", "orders"),
        Grant::role_everywhere("reader"),
        Grant::Everything,
    ]
    .into_iter()
    .collect();
    row.path = vec![numbered(5).id, numbered(6).id];
    row.created_at = Millis::new(1_728_000_000_123);
    "alice".clone_into(&mut row.created_by);
    row.until = Some(Millis::new(4_102_444_800_000));
    let [at, until] = [1_728_000_001_000, 4_000_000_000_000].map(Millis::new);
    row.superseded = Some(Superseded::new(numbered(8).id, at, until, ApiTokenDigest::from_bytes([8; 32])));
    row.revoked = Some(TokenRevoked::new(Millis::new(4_000_000_000_001), RevokedReason::Leaked));
    row.warned_at = Some(Millis::new(1_728_000_002_000));
    row.last_used = Some(LastUse::new(Millis::new(1_728_000_003_000), Some("192.0.2.0/24".to_owned())));
    row
}

fn numbered(number: u32) -> ApiTokenRow {
    let mut digest = [7; 32];
    digest[..4].copy_from_slice(&number.to_be_bytes());
    let id = ApiTokenId::from_bytes(u128::from(number).to_be_bytes());
    let owner = Owner::user("alice");
    ApiTokenRow::new(id, ApiTokenDigest::from_bytes(digest), ApiTokenKind::ServiceAccount, owner)
}

#[test]
fn the_text_of_a_row_is_that_of_version_1() {
    let mut row = of_version_1();
    assert_eq!(ApiTokenRow::from_json(ROW.trim()).unwrap(), {
        row.last_used = None;
        row.clone()
    });
    assert_eq!(row.to_json(), ROW.trim(), "this version writes another form: give it a number, and files of its own");
}

/// Fails when a later version no longer reads what this one wrote.
async fn is_read(store: &impl ApiTokenStore) {
    let row = of_version_1();
    assert_eq!(store.find_by_id(row.id).await.unwrap(), Some(row.clone()));
    assert_eq!(store.find(&row.digest).await.unwrap().unwrap().row, row);
    assert_eq!(store.list(&row.owner, None, 9).await.unwrap().rows, slice::from_ref(&row));
    assert_eq!(store.all(None, 9).await.unwrap().rows, slice::from_ref(&row));
    for ancestor in &row.path {
        assert_eq!(store.derived_from(*ancestor, None, 9).await.unwrap().rows, slice::from_ref(&row));
    }
    let from = (Millis::new(4_000_000_000_000), None);
    let ending = store.ending(from, Millis::new(4_000_000_000_001), 9).await.unwrap();
    assert_eq!(ending.rows, slice::from_ref(&row));
    // What this version writes is the same.
    assert_eq!(store.forget_before(Millis::new(4_000_000_000_001)).await.unwrap(), 1);
    assert_eq!(store.all(None, 9).await.unwrap().rows, []);
    assert_eq!(store.insert(&row).await.unwrap(), Inserted::New);
}

/// Adds many tokens that are over, the first of which cannot be read, and one that is not. Returns the number of those that are forgotten.
async fn many_that_are_over(store: &impl ApiTokenStore, number: u32) {
    for at in 0..number {
        let mut row = numbered(at);
        row.until = Some(Millis::new(1));
        assert_eq!(store.insert(&row).await.unwrap(), Inserted::New);
    }
    let mut live = numbered(number);
    live.until = Some(Millis::new(1000));
    assert_eq!(store.insert(&live).await.unwrap(), Inserted::New);
}
