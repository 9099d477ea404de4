//! Every store of records keeps the contract, on the servers that are there; with any one feature alone.
#![cfg(feature = "issuer")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
#![allow(unused_imports, dead_code, reason = "each store uses a part of it")]

use std::time::Duration;

use portcullis_issuer::{
    records::{NewRecord, Record, RecordGroup, RecordKey, RecordKind, RecordStore, RecordVersion, Swapped},
    refresh::Millis,
};
use portcullis_test::contract::{Possible, RecordPlace, RecordStoreContract, RecordSwitch};

#[cfg(feature = "nats")]
#[path = "record_contract/nats.rs"]
mod nats;
#[cfg(feature = "postgres")]
#[path = "record_contract/postgres.rs"]
mod postgres;
#[cfg(feature = "redb")]
#[path = "record_contract/redb.rs"]
mod redb;
#[cfg(feature = "redis")]
#[path = "record_contract/redis.rs"]
mod redis;
mod support;

/// A row as version 1 wrote it: of the record that [`is_of_version_1`] knows, by [`of_version_1`].
const ROW: &str = include_str!("rows/record-v1.txt");

/// A row of a later form, which only its number tells from one of version 1.
const LATER: &str = "2 5 -\ntext";

/// The key of the row of version 1.
fn of_version_1() -> RecordKey {
    RecordKey::new(RecordKind::UserOfClient, "https://app.example/línea", "alice/a.b").unwrap()
}

/// The name of another record.
fn other() -> RecordKey {
    RecordKey::new(RecordKind::UserOfClient, "https://app.example/línea", "other").unwrap()
}

/// Fails when a later version no longer reads what this one wrote.
async fn is_read(store: &impl RecordStore) {
    let record = store.find(&of_version_1()).await.unwrap().unwrap();
    assert_eq!(record.text(), "alice: línea\n");
    assert_eq!(record.version(), RecordVersion::new(5_150_334_871_234_567));
    assert_eq!(record.until(), Some(Millis::new(4_102_444_800_000)));
    assert_eq!(store.list(of_version_1().group()).await.unwrap(), [("alice/a.b".to_owned(), record.clone())]);
    // What this version writes is the same, but for the version.
    let next = NewRecord::new("alice: línea\n").until(Millis::new(4_102_444_800_000));
    assert_eq!(store.swap(&of_version_1(), Some(record.version()), Some(next.clone())).await.unwrap(), Swapped::Stored);
    assert_eq!(store.swap(&other(), None, Some(next)).await.unwrap(), Swapped::Stored);
}

/// Returns the row with the version of the fixture, to compare it.
fn with_the_version(row: &str) -> String {
    let parts: Vec<_> = row.splitn(3, ' ').collect();
    assert_ne!(parts[1], "5150334871234567", "a change has the version of the record before");
    format!("{} 5150334871234567 {}", parts[0], parts[2])
}

/// Writes a record that has ended, one that has not, and one that is deleted.
async fn three_of_which_one_lives(store: &impl RecordStore) -> RecordKey {
    let now = store.now().await.unwrap();
    let key = |id: &str| RecordKey::new(RecordKind::Code, "group", id).unwrap();
    let ended = NewRecord::new("ended").until(Millis::new(now.get() - 1000));
    assert_eq!(store.swap(&key("ended"), None, Some(ended)).await.unwrap(), Swapped::Stored);
    assert_eq!(store.swap(&key("deleted"), None, Some(NewRecord::new("x"))).await.unwrap(), Swapped::Stored);
    let version = store.find(&key("deleted")).await.unwrap().unwrap().version();
    assert_eq!(store.swap(&key("deleted"), Some(version), None).await.unwrap(), Swapped::Stored);
    let live = NewRecord::new("live").until(now.plus(Duration::from_secs(3600)));
    assert_eq!(store.swap(&key("live"), None, Some(live)).await.unwrap(), Swapped::Stored);
    key("live")
}
