//! Rules about faults of a store.

use std::time::Duration;

use portcullis_core::possession::{Once, ReplayKey, ReplayStore};
use tokio::time::{Instant, sleep, timeout};

use super::{NOW, ReplayPlace, ReplayStoreContract, ReplaySwitch, UNTIL, is_undecided};

/// How long a store that starts again may fail.
const LIMIT: Duration = Duration::from_secs(60);

/// How long one that cannot be reached may take to say so: a request waits for it.
const PROMPTLY: Duration = Duration::from_secs(10);

const PAUSE: Duration = Duration::from_millis(50);

impl<P: ReplayPlace> ReplayStoreContract<P> {
    pub(super) async fn a_store_that_cannot_be_reached_does_not_decide(&mut self) {
        let (open, used, new) = (self.place.open().await, self.new_key(), self.new_key());
        assert_eq!(self.ask(used).await, Once::First, "a new proof was not accepted");
        // With a connection, if it has any.
        assert_eq!(super::ask(&open, self.new_key()).await, Once::First, "a new proof was not accepted");
        let cut = self.place.cut_off().await;
        if !self.impossible.has_happened(ReplaySwitch::CutOff, cut) {
            return;
        }
        for store in [open, self.place.open().await] {
            for key in [used, new] {
                let answer = timeout(PROMPTLY, store.accept_once(key, UNTIL, NOW).outcome()).await;
                assert!(
                    answer.as_ref().is_ok_and(|answer| answer.as_ref().is_err_and(is_undecided)),
                    "a store that cannot be reached answers {answer:?}"
                );
            }
        }
        self.place.reconnect().await;
        assert_eq!(self.patiently(used).await, Once::Repeated, "a proof was forgotten in an outage");
        assert_eq!(self.patiently(self.new_key()).await, Once::First, "a new proof was not accepted after an outage");
    }

    pub(super) async fn a_crash_loses_nothing_that_was_acknowledged(&mut self) {
        for _ in 0..3 {
            let keys: Vec<_> = (0..10).map(|_| self.new_key()).collect();
            for key in &keys {
                assert_eq!(self.ask(*key).await, Once::First, "a new proof was not accepted");
            }
            let crashed = self.place.crash().await;
            if !self.impossible.has_happened(ReplaySwitch::Crash, crashed) {
                return;
            }
            for key in keys {
                assert_eq!(self.patiently(key).await, Once::Repeated, "acknowledged, and lost");
            }
        }
    }

    pub(super) async fn a_full_store_does_not_decide(&mut self) {
        let used = self.new_key();
        assert_eq!(self.ask(used).await, Once::First, "a new proof was not accepted");
        let filled = self.place.fill().await;
        if !self.impossible.has_happened(ReplaySwitch::Fill, filled) {
            return;
        }
        let store = self.place.open().await;
        for _ in 0..3 {
            let answer = store.accept_once(self.new_key(), UNTIL, NOW).outcome().await;
            assert!(answer.as_ref().is_err_and(is_undecided), "a full store answers {answer:?}");
        }
        let answer = store.accept_once(used, UNTIL, NOW).outcome().await;
        assert!(!matches!(answer, Ok(Once::First)), "a full store accepts a proof twice");
    }

    /// Asks a store that starts again.
    #[expect(clippy::panic, reason = "a contract that is broken is a test that has failed")]
    async fn patiently(&self, key: ReplayKey) -> Once {
        let deadline = Instant::now() + LIMIT;
        let store = self.place.open().await;
        loop {
            // Each time another proof: after an error, it may be stored.
            match store.accept_once(self.new_key(), UNTIL, NOW).outcome().await {
                Ok(_) => return super::ask(&store, key).await,
                Err(error) if Instant::now() > deadline => panic!("the store does not come back: {error}"),
                Err(_) => sleep(PAUSE).await,
            }
        }
    }
}
