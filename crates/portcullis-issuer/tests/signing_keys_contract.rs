//! The contract of stores of signing keys: the stores of this crate keep it, and each of its checks notices a store that does not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "signing_keys_contract/faulty.rs"]
mod faulty;
#[path = "../../../tests/tests/support/planted.rs"]
mod planted;

use std::sync::Arc;

use faulty::{Fault, Faulty};
use portcullis_issuer::key_ring::SigningKeys;
use portcullis_test::contract::{Possible, SigningKeysContract, SigningKeysPlace, SigningKeysSwitch};

/// The store in memory, with a fault or without.
struct InMemory(Arc<Faulty>);

impl InMemory {
    fn new(fault: Option<Fault>) -> Self {
        Self(Arc::new(Faulty::new(fault)))
    }
}

impl SigningKeysPlace for InMemory {
    type Store = Faulty;

    async fn open(&self) -> Faulty {
        self.0.instance()
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
    SigningKeysContract::new(InMemory::new(None)).check().await;
}

#[test]
fn every_planted_fault_is_noticed() {
    planted::require_each_noticed(Fault::ALL, |fault| SigningKeysContract::new(InMemory::new(Some(fault))).check());
}

#[tokio::test]
#[should_panic(expected = "the place can crash, although its test declares that it cannot")]
async fn a_fault_that_can_happen_must_not_be_declared_away() {
    SigningKeysContract::new(InMemory::new(None)).without(SigningKeysSwitch::Crash, "that would be easy").check().await;
}

#[tokio::test]
async fn a_store_in_an_arc_is_the_same_store() {
    let store = Arc::new(portcullis_issuer::key_ring::MemorySigningKeys::new());
    store.replace(None, "{}").await.unwrap();
    assert_eq!(Arc::clone(&store).load().await.unwrap().unwrap().text(), "{}");
}

#[cfg(unix)]
mod file {
    use std::{fs, path::PathBuf};

    use portcullis_issuer::key_ring::FileSigningKeys;

    use super::{Possible, SigningKeysContract, SigningKeysPlace, SigningKeysSwitch};

    /// A folder that can be moved away, like one that is not mounted.
    struct InFolder {
        folder: PathBuf,
        away: PathBuf,
    }

    impl SigningKeysPlace for InFolder {
        type Store = FileSigningKeys;

        async fn open(&self) -> FileSigningKeys {
            FileSigningKeys::new(self.folder.join("document"))
        }

        async fn crash(&mut self) -> Possible {
            Possible::No
        }

        async fn cut_off(&mut self) -> Possible {
            fs::rename(&self.folder, &self.away).unwrap();
            Possible::Yes
        }

        async fn reconnect(&mut self) {
            fs::rename(&self.away, &self.folder).unwrap();
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_store_in_a_file_keeps_the_contract() {
        let temporary = tempfile::tempdir().unwrap();
        let place = InFolder { folder: temporary.path().join("keys"), away: temporary.path().join("away") };
        fs::create_dir(&place.folder).unwrap();
        let reason = "no process keeps it; `key_files.rs` kills processes that write";
        SigningKeysContract::new(place).without(SigningKeysSwitch::Crash, reason).check().await;
    }
}
