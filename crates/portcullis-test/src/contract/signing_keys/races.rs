//! Rules about many callers at once.

use std::sync::Arc;

use portcullis_issuer::key_ring::{DocumentVersion, Replaced, SigningKeys, StoredDocument};
use tokio::task::JoinSet;

use super::{SigningKeysContract, SigningKeysPlace};
use crate::must::must;

const CALLERS: usize = 24;

/// How many changes each of several writers makes.
const CHANGES: usize = 25;
const WRITERS: usize = 4;

impl<P: SigningKeysPlace> SigningKeysContract<P> {
    pub(super) async fn one_of_many_callers_creates_the_document(&self) {
        self.at_once(None).await;
    }

    pub(super) async fn one_of_many_callers_changes_the_document(&self) {
        for _ in 0..10 {
            self.at_once(Some(self.version().await)).await;
        }
    }

    /// Makes sure that one of many changes of the same version succeeds, and that all instances see this one.
    async fn at_once(&self, expected: Option<DocumentVersion>) {
        let mut callers = JoinSet::new();
        for number in 0..CALLERS {
            let store = self.store().await;
            callers.spawn(async move {
                let text = format!("{{\"caller\":{number}}}");
                (must(store.replace(expected, &text).await, "the store cannot be written"), text)
            });
        }
        let outcomes = callers.join_all().await;
        let won: Vec<_> = outcomes.iter().filter(|(outcome, _)| *outcome != Replaced::Conflict).collect();
        assert_eq!(won.len(), 1, "of {CALLERS} changes of the same version ({expected:?}), {} were stored", won.len());
        let stored = self.stored().await;
        let is_stored =
            stored.is_some_and(|stored| won[0] == &(Replaced::Stored(stored.version()), stored.text().to_owned()));
        assert!(is_stored, "the change that was acknowledged is not the one that is read");
    }

    /// Several instances count together, as instances of a ring change one document.
    pub(super) async fn no_change_of_several_writers_is_lost(&self) {
        self.write("0").await;
        let mut writers = JoinSet::new();
        for _ in 0..WRITERS {
            let store = Arc::new(self.store().await);
            writers.spawn(async move {
                let mut left = CHANGES;
                while left > 0 {
                    let stored = must(store.load().await, "the store cannot be read");
                    let number: u64 = stored.as_ref().map_or(0, |stored| stored.text().parse().unwrap_or_default());
                    let version = stored.as_ref().map(StoredDocument::version);
                    let outcome = store.replace(version, &(number + 1).to_string()).await;
                    if must(outcome, "the store cannot be written") != Replaced::Conflict {
                        left -= 1;
                    }
                }
            });
        }
        writers.join_all().await;
        let counted = self.stored().await.map(|stored| stored.text().to_owned());
        assert_eq!(counted, Some((WRITERS * CHANGES).to_string()), "changes that were acknowledged are lost");
    }
}
