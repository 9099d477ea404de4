//! Every log keeps the contract, on the servers that are there; with any one feature alone.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use portcullis_test::contract::{LogPlace, Possible, RevocationLogContract, Switch};

#[path = "contract/memory.rs"]
mod memory;
#[cfg(feature = "nats")]
#[path = "contract/nats.rs"]
mod nats;
#[cfg(feature = "postgres")]
#[path = "contract/postgres.rs"]
mod postgres;
#[cfg(feature = "redb")]
#[path = "contract/redb.rs"]
mod redb;
#[cfg(feature = "redis")]
#[path = "contract/redis.rs"]
mod redis;
mod support;

/// Why no test lets time pass for a server.
#[cfg(any(feature = "redis", feature = "nats", feature = "postgres"))]
const CLOCK_OF_THE_MACHINE: &str =
    "the server reads the machine's clock; that nothing goes early is in the log's own tests";

#[test]
fn clocks_of_the_contract_are_far_behind_its_entries() {
    assert!(portcullis_core::Clock::now(&portcullis_core::clock::SystemClock).as_secs() < 4_000_000_000);
}
