//! Every store of used proofs keeps the contract, on the servers that are there; with any one feature alone.
#![cfg(any(feature = "postgres", feature = "redis"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
#![allow(dead_code, reason = "each store uses a part of it")]

use std::{sync::Arc, time::Duration};

use portcullis_core::{
    Code, UnixTime,
    metrics::{Measured, Snapshot},
    possession::{Once, ReplayKey, ReplayStore},
};
use portcullis_test::contract::{Possible, ReplayPlace, ReplayStoreContract, ReplaySwitch};
use tokio::task::JoinSet;

#[cfg(feature = "postgres")]
#[path = "replay_contract/postgres.rs"]
mod postgres;
#[cfg(feature = "redis")]
#[path = "replay_contract/redis.rs"]
mod redis;
mod support;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const UNTIL: UnixTime = UnixTime::from_secs(1_800_000_060);

fn key(id: &str) -> ReplayKey {
    ReplayKey::new("alice", id)
}

async fn ask(store: &impl ReplayStore, id: &str) -> Once {
    store.accept_once(key(id), UNTIL, NOW).outcome().await.unwrap()
}

/// Returns the code and the text of the error's cause.
async fn fault(store: &impl ReplayStore, id: &str) -> (Code, String) {
    let error = store.accept_once(key(id), UNTIL, NOW).outcome().await.unwrap_err();
    let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    (error.code(), cause)
}

/// Two instances, and 1000 requests with the same proof at once.
async fn of_a_thousand_duplicates_one_is_accepted(instances: [impl ReplayStore; 2]) {
    let instances = Arc::new(instances);
    for (number, instance) in instances.iter().enumerate() {
        assert_eq!(ask(instance, &format!("connects {number}")).await, Once::First);
    }
    let mut requests = JoinSet::new();
    for number in 0..1000 {
        let instances = Arc::clone(&instances);
        requests.spawn(async move { instances[number % 2].accept_once(key("duplicate"), UNTIL, NOW).outcome().await });
    }
    let answers = requests.join_all().await;
    let undecided = answers.iter().filter(|answer| answer.is_err()).count();
    let first = answers.iter().filter(|answer| matches!(answer, Ok(Once::First))).count();
    // On a slow machine, some may have waited for too long.
    assert!(first == 1 || (first == 0 && undecided > 0), "{first} of a thousand are accepted, {undecided} undecided");
    assert!(undecided < 1000, "no answer at all");
    assert_eq!(ask(&instances[0], "duplicate").await, Once::Repeated);
}

/// Returns what metrics say about the store.
fn figures(store: &impl Measured) -> String {
    let mut snapshot = Snapshot::default();
    store.measure("proofs", &mut snapshot);
    snapshot.to_prometheus()
}
