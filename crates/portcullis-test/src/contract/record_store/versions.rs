//! Rules about versions.

use std::collections::HashSet;

use portcullis_issuer::records::{NewRecord, Swapped};

use super::{RecordPlace, RecordStoreContract, UNKNOWN};

impl<P: RecordPlace> RecordStoreContract<P> {
    pub(super) async fn a_change_of_another_version_changes_nothing(&mut self) {
        let key = self.new_key();
        let old = self.write(&key, NewRecord::new("1")).await;
        let current = self.write(&key, NewRecord::new("2")).await;
        for expected in [Some(old), Some(UNKNOWN), None] {
            for next in [Some(NewRecord::new("3")), None] {
                let outcome = self.swap(&key, expected, next.clone()).await;
                assert_eq!(
                    outcome,
                    Swapped::Conflict,
                    "a change of {expected:?} to {next:?} was stored over {current:?}"
                );
                let found = self.found(&key).await;
                let is_same = found.is_some_and(|found| found.text() == "2" && found.version() == current);
                assert!(is_same, "a refused change of {expected:?} to {next:?} has changed the record");
            }
        }
    }

    /// A client that was deleted stays deleted, whatever was read before.
    pub(super) async fn what_was_deleted_is_not_brought_back(&mut self) {
        let key = self.new_key();
        let old = self.write(&key, NewRecord::new("1")).await;
        self.delete(&key).await;
        let stale = async |what: &str| {
            for next in [Some(NewRecord::new("stale")), None] {
                let outcome = self.swap(&key, Some(old), next.clone()).await;
                assert_eq!(outcome, Swapped::Conflict, "a stale change to {next:?} was stored: the record {what}");
            }
        };
        stale("was deleted").await;
        assert_eq!(self.found(&key).await, None, "a record that was deleted was brought back");
        let created = self.write(&key, NewRecord::new("1")).await;
        stale("was deleted and created").await;
        assert_eq!(self.version(&key).await, Some(created), "a stale change has changed the record");
        self.delete(&key).await;
        stale("was deleted twice").await;
        assert_eq!(self.found(&key).await, None, "a record that was deleted was brought back");
    }

    /// Otherwise a caller that has read the first record changes the second, which it has not seen.
    pub(super) async fn a_version_is_never_used_twice(&mut self) {
        let (key, mut seen) = (self.new_key(), HashSet::new());
        for round in 0..20 {
            for text in ["a", "b"] {
                let version = self.write(&key, NewRecord::new(text)).await;
                assert!(seen.insert(version), "a version was used twice: {version:?} in round {round}");
            }
            self.delete(&key).await;
        }
    }
}
