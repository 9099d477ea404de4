//! The contract of stores of API tokens: the store in memory keeps it, and each of its checks notices a store that does not.
#![cfg(feature = "api-tokens")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "api_token_contract/fault.rs"]
mod fault;
#[path = "api_token_contract/faulty.rs"]
mod faulty;
#[path = "api_token_contract/lists.rs"]
mod lists;
#[path = "../../../tests/tests/support/planted.rs"]
mod planted;
#[path = "api_token_contract/steps.rs"]
mod steps;

use std::sync::Arc;

use fault::Fault;
use faulty::Faulty;
use portcullis_issuer::api_tokens::{
    ApiTokenDigest, ApiTokenId, ApiTokenKind, ApiTokenPage, ApiTokenRow, ApiTokenStore, Inserted, MemoryApiTokenStore,
    Owner,
};
use portcullis_test::contract::{ApiTokenPlace, ApiTokenStoreContract, ApiTokenSwitch, Possible};

/// The store in memory.
#[derive(Default)]
struct InMemory(MemoryApiTokenStore);

impl ApiTokenPlace for InMemory {
    type Store = MemoryApiTokenStore;

    async fn open(&self) -> MemoryApiTokenStore {
        self.0.clone()
    }

    async fn overwrite(&mut self, _: ApiTokenId) -> Possible {
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
struct WithFault(Faulty);

impl WithFault {
    fn new(fault: Option<Fault>) -> Self {
        Self(Faulty::new(fault))
    }
}

impl ApiTokenPlace for WithFault {
    type Store = Faulty;

    async fn open(&self) -> Faulty {
        self.0.instance()
    }

    async fn overwrite(&mut self, id: ApiTokenId) -> Possible {
        self.0.make_unreadable(id);
        Possible::Yes
    }

    async fn crash(&mut self) -> Possible {
        self.0.crash();
        Possible::Yes
    }

    async fn cut_off(&mut self) -> Possible {
        self.0.cut_off(true);
        Possible::Yes
    }

    async fn reconnect(&mut self) {
        self.0.cut_off(false);
    }
}

#[tokio::test]
async fn the_store_in_memory_keeps_the_contract() {
    let contract = ApiTokenStoreContract::new(InMemory::default());
    let contract = contract.without(ApiTokenSwitch::Overwrite, "it has no other form");
    let contract = contract.without(ApiTokenSwitch::Crash, "it ends with the process");
    contract.without(ApiTokenSwitch::CutOff, "it is in the process").check().await;
}

#[tokio::test(start_paused = true)]
async fn the_store_of_the_faults_keeps_the_contract_without_one() {
    ApiTokenStoreContract::new(WithFault::new(None)).check().await;
}

#[test]
fn every_planted_fault_is_noticed() {
    planted::require_each_noticed(Fault::ALL, |fault| ApiTokenStoreContract::new(WithFault::new(Some(fault))).check());
}

#[tokio::test]
#[should_panic(expected = "the place can crash, although its test declares that it cannot")]
async fn a_fault_that_can_happen_must_not_be_declared_away() {
    let contract = ApiTokenStoreContract::new(WithFault::new(None));
    contract.without(ApiTokenSwitch::Crash, "that would be easy").check().await;
}

#[tokio::test]
#[should_panic(expected = "the place cannot crash, and its test does not declare that")]
async fn a_fault_that_cannot_happen_has_to_be_declared() {
    let contract = ApiTokenStoreContract::new(InMemory::default());
    contract.without(ApiTokenSwitch::Overwrite, "").without(ApiTokenSwitch::CutOff, "").check().await;
}

fn row() -> ApiTokenRow {
    let (id, digest) = (ApiTokenId::from_bytes([1; 16]), ApiTokenDigest::from_bytes([2; 32]));
    ApiTokenRow::new(id, digest, ApiTokenKind::UserToPlatform, Owner::user("alice"))
}

#[tokio::test]
async fn a_store_in_an_arc_is_the_same_store() {
    let (store, row) = (Arc::new(MemoryApiTokenStore::new()), row());
    assert_eq!(Arc::clone(&store).insert(&row).await.unwrap(), Inserted::New);
    assert_eq!(store.find_by_id(row.id).await.unwrap(), Some(row.clone()));
    assert_eq!(store.find(&row.digest).await.unwrap().unwrap().row, row);
    assert_eq!(store.list(&row.owner, None, 9).await.unwrap().rows, [row]);
}

#[test]
fn a_page_that_leaves_one_out_is_not_complete() {
    let page = ApiTokenPage::<ApiTokenId>::new(vec![row()]);
    assert_eq!(page.complete().unwrap(), [row()]);
    let error = page.with_unreadable(vec![row().id]).complete().unwrap_err().to_string();
    assert!(error.contains(&row().id.to_string()), "{error}");
}

#[test]
fn names_of_owners_are_not_shown() {
    let mut row = row();
    row.name = "her-token".to_owned();
    let page = ApiTokenPage::<ApiTokenId>::new(vec![row.clone()]);
    let shown = format!("{row:?} {:?} {page:?} {:?}", row.owner, MemoryApiTokenStore::new());
    assert!(!shown.contains("alice") && !shown.contains("her-"), "{shown}");
}
