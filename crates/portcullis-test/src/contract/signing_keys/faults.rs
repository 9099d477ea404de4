//! Rules about faults of a store.

use std::time::Duration;

use portcullis_issuer::{
    key_ring::{SigningKeys, StoredDocument},
    refresh::StoreError,
};
use tokio::time::{Instant, sleep, timeout};

use super::{SigningKeysContract, SigningKeysPlace, SigningKeysSwitch, UNKNOWN};

/// How long a store that starts again may fail, and how long one that cannot be reached may take to say so.
const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

impl<P: SigningKeysPlace> SigningKeysContract<P> {
    /// A ring that takes an outage for an empty store makes new keys.
    pub(super) async fn an_empty_store_that_cannot_be_reached_is_not_empty(&mut self) {
        let Some((loaded, _)) = self.unreachable().await else { return };
        assert!(loaded, "a store that cannot be reached is said to be empty");
        assert!(self.patiently().await.is_none(), "an empty store has a document after an outage");
    }

    pub(super) async fn a_store_that_cannot_be_reached_is_an_error(&mut self) {
        let version = self.write("{\"before\":1}").await;
        let Some((loaded, replaced)) = self.unreachable().await else { return };
        assert!(loaded, "a store that cannot be reached was read");
        assert!(replaced, "a store that cannot be reached says what became of a change");
        let after = self.patiently().await.map(|stored| (stored.text().to_owned(), stored.version()));
        assert_eq!(after, Some(("{\"before\":1}".to_owned(), version)), "an outage has changed the document");
    }

    pub(super) async fn a_crash_loses_nothing_that_was_acknowledged(&mut self) {
        for number in 0..5 {
            let text = format!("{{\"crash\":{number}}}");
            let version = self.write(&text).await;
            let crashed = self.place.crash().await;
            if !self.impossible.has_happened(SigningKeysSwitch::Crash, crashed) {
                return;
            }
            let after = self.patiently().await.map(|stored| (stored.text().to_owned(), stored.version()));
            assert_eq!(after, Some((text, version)), "acknowledged, and lost");
        }
        self.write("{\"crash\":5}").await;
    }

    /// Returns whether a load and a change fail while the store cannot be reached. A call that does not return counts as failed, as its caller gives up.
    async fn unreachable(&mut self) -> Option<(bool, bool)> {
        let (open, cut) = (self.store().await, self.place.cut_off().await);
        if !self.impossible.has_happened(SigningKeysSwitch::CutOff, cut) {
            return None;
        }
        let loaded = timeout(LIMIT, open.load()).await;
        let replaced = timeout(LIMIT, open.replace(Some(UNKNOWN), "{}")).await;
        self.place.reconnect().await;
        Some((!matches!(loaded, Ok(Ok(_))), !matches!(replaced, Ok(Ok(_)))))
    }

    /// Returns the document of a store that starts again.
    #[expect(clippy::panic, reason = "a contract that is broken is a test that has failed")]
    async fn patiently(&self) -> Option<StoredDocument> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let outcome: Result<_, StoreError> = self.store().await.load().await;
            match outcome {
                Ok(stored) => return stored,
                Err(error) if Instant::now() > deadline => panic!("the store does not come back: {error}"),
                Err(_) => sleep(PAUSE).await,
            }
        }
    }
}
