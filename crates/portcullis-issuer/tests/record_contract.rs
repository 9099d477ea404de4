//! The contract of stores of records: the store in memory keeps it, and each of its checks notices a store that does not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "record_contract/fault.rs"]
mod fault;
#[path = "record_contract/faulty.rs"]
mod faulty;
#[path = "../../../tests/tests/support/planted.rs"]
mod planted;

use std::{sync::Arc, time::Duration};

use fault::Fault;
use faulty::Faulty;
use portcullis_issuer::{
    records::{MemoryRecordStore, NewRecord, Record, RecordGroup, RecordKey, RecordKind, RecordStore, Swapped},
    refresh::Millis,
};
use portcullis_test::{
    FixedClock,
    contract::{Possible, RecordPlace, RecordStoreContract, RecordSwitch},
};

/// The store in memory.
#[derive(Default)]
struct InMemory {
    clock: FixedClock,
    store: Option<MemoryRecordStore>,
}

impl InMemory {
    fn new() -> Self {
        let clock = FixedClock::default();
        Self { store: Some(MemoryRecordStore::with_clock(clock.clone())), clock }
    }
}

impl RecordPlace for InMemory {
    type Store = MemoryRecordStore;

    async fn open(&self) -> MemoryRecordStore {
        self.store.clone().unwrap()
    }

    async fn pass(&mut self, time: Duration) {
        self.clock.advance(time);
    }

    async fn overwrite(&mut self, _: &RecordKey) -> Possible {
        Possible::No
    }

    async fn crash(&mut self) -> Possible {
        Possible::No
    }

    async fn cut_off(&mut self) -> Possible {
        Possible::No
    }

    async fn reconnect(&mut self) {}
}

/// A store that can have a fault.
struct WithFault {
    clock: FixedClock,
    store: Faulty,
}

impl WithFault {
    fn new(fault: Option<Fault>) -> Self {
        let clock = FixedClock::default();
        Self { store: Faulty::new(clock.clone(), fault), clock }
    }
}

impl RecordPlace for WithFault {
    type Store = Faulty;

    async fn open(&self) -> Faulty {
        self.store.instance()
    }

    async fn pass(&mut self, time: Duration) {
        self.clock.advance(time);
    }

    async fn overwrite(&mut self, key: &RecordKey) -> Possible {
        self.store.make_unreadable(key);
        Possible::Yes
    }

    async fn crash(&mut self) -> Possible {
        self.store.crash();
        Possible::Yes
    }

    async fn cut_off(&mut self) -> Possible {
        self.store.cut_off(true);
        Possible::Yes
    }

    async fn reconnect(&mut self) {
        self.store.cut_off(false);
    }
}

#[tokio::test]
async fn the_store_in_memory_keeps_the_contract() {
    let contract = RecordStoreContract::new(InMemory::new());
    let contract = contract.without(RecordSwitch::Overwrite, "it has no other form");
    let contract = contract.without(RecordSwitch::Crash, "it ends with the process");
    contract.without(RecordSwitch::CutOff, "it is in the process").check().await;
}

#[tokio::test(start_paused = true)]
async fn the_store_of_the_faults_keeps_the_contract_without_one() {
    RecordStoreContract::new(WithFault::new(None)).check().await;
}

#[test]
fn every_planted_fault_is_noticed() {
    planted::require_each_noticed(Fault::ALL, |fault| RecordStoreContract::new(WithFault::new(Some(fault))).check());
}

#[tokio::test]
#[should_panic(expected = "the place can crash, although its test declares that it cannot")]
async fn a_fault_that_can_happen_must_not_be_declared_away() {
    RecordStoreContract::new(WithFault::new(None)).without(RecordSwitch::Crash, "that would be easy").check().await;
}

#[tokio::test]
#[should_panic(expected = "the place cannot crash, and its test does not declare that")]
async fn a_fault_that_cannot_happen_has_to_be_declared() {
    RecordStoreContract::new(InMemory::new())
        .without(RecordSwitch::Overwrite, "")
        .without(RecordSwitch::CutOff, "")
        .check()
        .await;
}

#[tokio::test]
async fn a_store_in_an_arc_is_the_same_store() {
    let store = Arc::new(MemoryRecordStore::new());
    let key = RecordKey::new(RecordKind::Client, "", "a").unwrap();
    assert_eq!(Arc::clone(&store).swap(&key, None, Some(NewRecord::new("{}"))).await.unwrap(), Swapped::Stored);
    assert_eq!(store.find(&key).await.unwrap().unwrap().text(), "{}");
    assert_eq!(Arc::clone(&store).list(key.group()).await.unwrap().len(), 1);
}

#[test]
fn names_that_no_store_can_keep_are_refused() {
    let most = RecordGroup::MOST_BYTES;
    for (name, is_kept) in
        [("x".repeat(most), true), ("x".repeat(most + 1), false), ("a\0".into(), false), ("a\n".into(), false)]
    {
        assert_eq!(RecordGroup::new(RecordKind::Client, &*name).is_ok(), is_kept);
        assert_eq!(RecordKey::new(RecordKind::Client, "", &*name).is_ok(), is_kept);
        assert_eq!(RecordKey::new(RecordKind::Client, &*name, "").is_ok(), is_kept);
    }
}

#[test]
fn names_of_kinds_differ() {
    let mut names: Vec<_> = RecordKind::ALL.iter().map(|kind| kind.name()).collect();
    assert!(
        names.iter().all(|name| name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')),
        "{names:?}"
    );
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), RecordKind::ALL.len());
}

#[test]
fn an_end_is_one_that_every_store_can_keep() {
    let ends_at = |at| NewRecord::new("").until(Millis::new(at)).ends_at().map(Millis::get);
    assert_eq!(ends_at(1), Some(1));
    assert_eq!(ends_at(u64::MAX), Some(NewRecord::LATEST_END.get()));
    assert!(NewRecord::LATEST_END.get() < 1 << 53, "a number of Lua");
}

#[test]
fn texts_and_names_are_not_shown() {
    let key = RecordKey::new(RecordKind::Consent, "alice", "her-client").unwrap();
    let (new, version) = (NewRecord::new("her-secret"), portcullis_issuer::records::RecordVersion::new(7));
    let record = Record::new("her-secret".to_owned(), version, None);
    let shown = format!("{key:?} {:?} {new:?} {record:?} {:?}", key.group(), MemoryRecordStore::new());
    assert!(!shown.contains("alice") && !shown.contains("her-"), "{shown}");
}
