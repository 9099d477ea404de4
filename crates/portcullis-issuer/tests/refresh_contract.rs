//! The contract of stores of refresh tokens: the store in memory keeps it, and each of its checks notices a store that does not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "refresh_contract/faulty.rs"]
mod faulty;
#[path = "../../../tests/tests/support/planted.rs"]
mod planted;

use std::{sync::Arc, time::Duration};

use faulty::{Fault, Faulty};
use portcullis_issuer::refresh::{Family, FamilyId, MemoryRefreshStore, Millis, RefreshStore};
use portcullis_test::{
    FixedClock,
    contract::{Possible, RefreshPlace, RefreshStoreContract, RefreshSwitch},
};

/// The store in memory, with a fault or without.
struct InMemory {
    store: Arc<Faulty>,
    saved: Vec<Family>,
}

impl InMemory {
    fn new(fault: Option<Fault>) -> Self {
        let store = Faulty::new(MemoryRefreshStore::with_clock(FixedClock::default()), fault);
        Self { store: Arc::new(store), saved: Vec::new() }
    }
}

impl RefreshPlace for InMemory {
    type Store = Arc<Faulty>;

    async fn open(&self) -> Arc<Faulty> {
        Arc::clone(&self.store)
    }

    async fn age(&mut self, family: FamilyId, by: Duration) {
        let earlier = |at: Millis| Millis::new(at.get().saturating_sub(u64::try_from(by.as_millis()).unwrap()));
        self.store.edit(family, |family| {
            family.rotated_at = family.rotated_at.map(earlier);
            family.idle_until = earlier(family.idle_until);
            family.absolute_until = earlier(family.absolute_until);
        });
    }

    async fn overwrite(&mut self, family: FamilyId, text: &str) -> Possible {
        self.store.make_readable(family, Family::from_json(text).is_some());
        Possible::Yes
    }

    async fn crash(&mut self) -> Possible {
        self.store.crash();
        Possible::Yes
    }

    async fn save(&mut self) -> Possible {
        self.saved = self.store.inner.dump();
        Possible::Yes
    }

    async fn roll_back(&mut self) -> Possible {
        self.store.inner.restore(self.saved.clone());
        Possible::Yes
    }
}

#[tokio::test]
async fn the_store_in_memory_keeps_the_contract() {
    RefreshStoreContract::new(InMemory::new(None)).callers(1000).check().await;
}

#[test]
fn every_planted_fault_is_noticed() {
    planted::require_each_noticed(Fault::ALL, |fault| RefreshStoreContract::new(InMemory::new(Some(fault))).check());
}

#[tokio::test]
#[should_panic(expected = "the place can crash, although its test declares that it cannot")]
async fn a_fault_that_can_happen_must_not_be_declared_away() {
    RefreshStoreContract::new(InMemory::new(None)).without(RefreshSwitch::Crash, "that would be easy").check().await;
}

#[tokio::test]
async fn a_store_in_an_arc_is_the_same_store() {
    let store = Arc::new(MemoryRefreshStore::new());
    assert_eq!(store.families_of("alice").await.unwrap(), []);
}
