//! Rules about faults of a store.

use std::time::Duration;

use portcullis_core::{UnixTime, floors::FloorStore};
use tokio::time::timeout;

use super::{FloorPlace, FloorStoreContract, FloorSwitch};

/// How long a store that cannot be reached may take to say so.
const LIMIT: Duration = Duration::from_secs(60);

impl<P: FloorPlace> FloorStoreContract<P> {
    pub(super) async fn a_store_that_cannot_be_reached_is_an_error(&mut self) {
        self.raise("outage", 60).await;
        let (open, cut) = (self.place.open().await, self.place.cut_off().await);
        if !self.impossible.has_happened(FloorSwitch::CutOff, cut) {
            return;
        }
        let loaded = timeout(LIMIT, open.load()).await;
        let raised = timeout(LIMIT, open.raise("outage", UnixTime::from_secs(61))).await;
        let reset = timeout(LIMIT, open.reset("outage")).await;
        self.place.reconnect().await;
        assert!(!matches!(loaded, Ok(Ok(_))), "a store that cannot be reached was loaded");
        assert!(!matches!(raised, Ok(Ok(_))), "a store that cannot be reached has raised a floor");
        assert!(!matches!(reset, Ok(Ok(_))), "a store that cannot be reached has reset a floor");
        // The change may have been made.
        let seen = self.floors().await.get("outage").map(|time| time.as_secs());
        assert!(matches!(seen, Some(60 | 61)), "an outage has changed a floor: {seen:?}");
    }

    pub(super) async fn a_crash_loses_nothing_that_was_acknowledged(&mut self) {
        for secs in 1..=5 {
            self.raise("crash", secs).await;
            self.raise(&format!("crash {secs}"), secs).await;
            let before = self.floors().await;
            let crashed = self.place.crash().await;
            if !self.impossible.has_happened(FloorSwitch::Crash, crashed) {
                return;
            }
            assert!(self.floors().await == before, "acknowledged, and lost");
        }
        self.raise("crash", 6).await;
    }
}
