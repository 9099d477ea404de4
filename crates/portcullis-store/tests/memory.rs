//! The log in memory keeps the contract.

use portcullis_core::{Clock, UnixTime};
use portcullis_store::MemoryLog;
use portcullis_test::contract::{LogPlace, Possible, RevocationLogContract};

#[derive(Debug, Default)]
struct Place {
    log: MemoryLog,
    saved: usize,
}

impl LogPlace for Place {
    type Log = MemoryLog;

    async fn open(&self) -> MemoryLog {
        self.log.clone()
    }

    async fn crash(&mut self) -> Possible {
        Possible::No // it ends with the process
    }

    async fn lose_everything(&mut self) -> Possible {
        self.log.lose_everything();
        Possible::Yes
    }

    async fn save(&mut self) -> Possible {
        self.saved = self.log.len();
        Possible::Yes
    }

    async fn roll_back(&mut self) -> Possible {
        self.log.roll_back(self.saved);
        Possible::Yes
    }

    async fn trim(&mut self) -> Possible {
        self.log.trim(100);
        Possible::Yes
    }
}

#[tokio::test]
async fn the_log_in_memory_keeps_the_contract() {
    RevocationLogContract::new(Place::default()).check().await;
}

#[test]
fn clocks_of_the_contract_are_far_behind_its_entries() {
    assert!(portcullis_core::SystemClock.now() < UnixTime::from_secs(4_000_000_000));
}
