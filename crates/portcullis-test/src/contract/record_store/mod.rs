//! [`RecordStoreContract`]: the rules that every store of records has to follow.

mod endings;
mod faults;
mod groups;
mod place;
mod races;
mod texts;
mod versions;

use portcullis_issuer::records::{
    NewRecord, Record, RecordGroup, RecordKey, RecordKind, RecordStore, RecordVersion, Swapped,
};

pub use self::place::{RecordPlace, RecordSwitch};
use super::{Possible, impossible::Impossible};
use crate::must::must;

/// The contract of [`RecordStore`](portcullis_issuer::records::RecordStore), for a store that is empty at first.
///
/// ```
/// use portcullis_test::contract::{RecordPlace, RecordStoreContract};
///
/// async fn holds_for(place: impl RecordPlace) {
///     RecordStoreContract::new(place).check().await;
/// }
/// ```
#[derive(Debug)]
pub struct RecordStoreContract<P> {
    place: P,
    /// The number of keys made, so that no two are alike.
    made: u64,
    /// Which faults cannot happen to this store, and why.
    impossible: Impossible<RecordSwitch>,
}

/// A version that no store has given out.
const UNKNOWN: RecordVersion = RecordVersion::new(0x000a_bcde_f012_3456);

impl<P: RecordPlace> RecordStoreContract<P> {
    /// Returns the contract for the store at this place.
    pub fn new(place: P) -> Self {
        Self { place, made: 0, impossible: Impossible::none() }
    }

    /// Declares that a fault cannot happen to this store, and why. The rules about it are then skipped, and the reason is printed. The
    /// contract fails if the place answers [`Possible::No`] without this declaration, or if the fault happens although it is declared
    /// impossible.
    #[must_use]
    pub fn without(mut self, switch: RecordSwitch, reason: &'static str) -> Self {
        self.impossible.declare(switch, reason);
        self
    }

    /// Checks all rules.
    ///
    /// # Panics
    ///
    /// If the store breaks one. The message says which.
    pub async fn check(mut self) {
        self.an_absent_record_is_none().await;
        self.any_text_comes_back_as_it_was_to_every_instance().await;
        self.a_text_that_is_too_long_is_refused().await;
        self.a_change_of_another_version_changes_nothing().await;
        self.what_was_deleted_is_not_brought_back().await;
        self.a_version_is_never_used_twice().await;
        self.what_has_ended_is_absent_for_every_method().await;
        self.an_end_can_be_moved().await;
        self.only_what_has_ended_is_forgotten().await;
        self.a_group_lists_its_records_and_no_others().await;
        self.one_of_many_callers_creates_a_record().await;
        self.one_of_many_callers_changes_a_record().await;
        self.a_record_that_is_changed_and_deleted_at_once_is_one_of_them().await;
        self.no_change_of_several_writers_is_lost().await;
        self.a_row_that_cannot_be_read_is_an_error().await;
        self.a_store_that_cannot_be_reached_is_an_error().await;
        self.a_crash_loses_nothing_that_was_acknowledged().await;
        self.impossible.print("the store");
    }

    async fn store(&self) -> P::Store {
        self.place.open().await
    }

    /// Returns the key of a record that does not exist, in a group of its own.
    fn new_key(&mut self) -> RecordKey {
        self.made += 1;
        key(RecordKind::Client, &format!("group {}", self.made), "id")
    }

    /// Returns a record as a new instance sees it, and makes sure that its group lists it likewise.
    async fn found(&self, key: &RecordKey) -> Option<Record> {
        let store = self.store().await;
        let found = must(store.find(key).await, "a record cannot be found");
        let listed = must(store.list(key.group()).await, "a group cannot be listed");
        let mut of_id = listed.into_iter().filter(|(id, _)| id == key.id()).map(|(_, record)| record);
        assert!(of_id.next() == found, "a group lists another record than the one that is found: {found:?}");
        assert!(of_id.next().is_none(), "a group lists a record twice");
        found
    }

    async fn text(&self, key: &RecordKey) -> Option<String> {
        self.found(key).await.map(|record| record.text().to_owned())
    }

    async fn version(&self, key: &RecordKey) -> Option<RecordVersion> {
        self.found(key).await.map(|record| record.version())
    }

    /// Asks for a change as a new instance.
    async fn swap(&self, key: &RecordKey, expected: Option<RecordVersion>, next: Option<NewRecord>) -> Swapped {
        must(self.store().await.swap(key, expected, next).await, "a record cannot be changed")
    }

    /// Writes a record over the one that is there, if any, and returns its version.
    #[expect(clippy::panic, reason = "a contract that is broken is a test that has failed")]
    async fn write(&self, key: &RecordKey, next: NewRecord) -> RecordVersion {
        let before = self.version(key).await;
        let outcome = self.swap(key, before, Some(next.clone())).await;
        assert_eq!(outcome, Swapped::Stored, "a change of the current version was not stored");
        let Some(record) = self.found(key).await else { panic!("a record that was stored is not found: {next:?}") };
        assert!(record.text() == next.text(), "a text was changed");
        assert_eq!(record.until(), next.ends_at(), "the end of a record was changed");
        assert_ne!(Some(record.version()), before, "two changes have the same version");
        record.version()
    }

    async fn delete(&self, key: &RecordKey) {
        let before = self.version(key).await;
        assert_eq!(self.swap(key, before, None).await, Swapped::Stored, "a record cannot be deleted");
        assert_eq!(self.found(key).await, None, "a record that was deleted is found");
    }
}

fn key(kind: RecordKind, group: &str, id: &str) -> RecordKey {
    must(RecordKey::new(kind, group, id), "a key of the contract is not valid")
}

fn group(kind: RecordKind, name: &str) -> RecordGroup {
    must(RecordGroup::new(kind, name), "a group of the contract is not valid")
}
