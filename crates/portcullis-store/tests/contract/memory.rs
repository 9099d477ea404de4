//! The log in memory.

use portcullis_core::{Clock, UnixTime};
use portcullis_store::MemoryLog;
use portcullis_test::FixedClock;

use super::*;

struct Place {
    log: MemoryLog,
    clock: FixedClock,
    saved: usize,
}

impl LogPlace for Place {
    type Log = MemoryLog;

    async fn open(&self) -> MemoryLog {
        self.log.clone()
    }

    fn now(&self) -> UnixTime {
        self.clock.now()
    }

    async fn crash(&mut self) -> Possible {
        Possible::No
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

    async fn write(&mut self, texts: &[&str]) -> Possible {
        for text in texts {
            self.log.append_text(text);
        }
        Possible::Yes
    }

    async fn pass(&mut self, time: Duration) -> Possible {
        self.clock.advance(time);
        Possible::Yes
    }
}

fn place() -> Place {
    let clock = FixedClock::default();
    Place { log: MemoryLog::new().clock(clock.clone()), clock, saved: 0 }
}

#[tokio::test]
async fn the_log_in_memory_keeps_the_contract() {
    let contract = RevocationLogContract::new(place());
    contract.without(Switch::Crash, "the log in memory ends with its process").check().await;
}

// The contract itself: no rule can vanish.

#[tokio::test]
#[should_panic(expected = "the place cannot crash, and its test does not declare that")]
async fn a_switch_that_cannot_be_thrown_has_to_be_declared() {
    RevocationLogContract::new(place()).check().await;
}

#[tokio::test]
#[should_panic(expected = "the place can trim, although its test declares that it cannot")]
async fn a_switch_that_can_be_thrown_must_not_be_declared_away() {
    let contract = RevocationLogContract::new(place()).without(Switch::Crash, "it ends with its process");
    contract.without(Switch::Trim, "that would be convenient").check().await;
}
