//! Every store of refresh tokens keeps the contract, on the servers that are there; with any one feature alone.
#![cfg(feature = "issuer")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
#![allow(unused_imports, dead_code, reason = "each store uses a part of it")]

use std::{fs, path::Path, time::Duration};

use portcullis_issuer::refresh::{Family, FamilyId, Millis};
use portcullis_test::contract::{Possible, RefreshPlace, RefreshStoreContract, RefreshSwitch};

#[path = "refresh_contract/crowd.rs"]
mod crowd;
#[path = "refresh_contract/everywhere.rs"]
mod everywhere;
#[path = "refresh_contract/memory.rs"]
mod memory;
#[cfg(feature = "nats")]
#[path = "refresh_contract/nats.rs"]
mod nats;
#[cfg(feature = "postgres")]
#[path = "refresh_contract/postgres.rs"]
mod postgres;
#[cfg(feature = "redb")]
#[path = "refresh_contract/redb.rs"]
mod redb;
#[cfg(feature = "redis")]
#[path = "refresh_contract/redis.rs"]
mod redis;
#[path = "refresh_contract/rows.rs"]
mod rows;
#[path = "refresh_contract/sessions.rs"]
mod sessions;
mod support;

/// How many callers present one token at once.
const CALLERS: usize = 1000;

/// Returns the number of the form of a row with this text, where it is kept beside the text.
fn form(text: &str) -> &'static str {
    if Family::from_json(text).is_some() { "1" } else { "2" }
}

/// Returns an instant that is this much earlier.
fn earlier(at: Millis, by: Duration) -> Millis {
    Millis::new(at.get() - u64::try_from(by.as_millis()).unwrap())
}

/// Returns a family that is this much older.
fn older(mut family: Family, by: Duration) -> Family {
    family.rotated_at = family.rotated_at.map(|at| earlier(at, by));
    family.idle_until = earlier(family.idle_until, by);
    family.absolute_until = earlier(family.absolute_until, by);
    family
}

/// What a place can show of itself.
trait Dump {
    /// Returns all that a thief of the store would have.
    async fn dump(&mut self) -> Vec<u8>;
}

/// Returns the bytes of all files in a folder, and in those in it.
fn files_in(folder: &Path) -> Vec<u8> {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_in(&path) } else { fs::read(path).unwrap() }).collect()
}
