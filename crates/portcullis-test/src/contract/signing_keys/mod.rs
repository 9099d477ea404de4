//! [`SigningKeysContract`]: the rules that every store of signing keys has to follow.

mod faults;
mod place;
mod races;

use portcullis_issuer::key_ring::{DocumentVersion, Replaced, SigningKeys, StoredDocument};

pub use self::place::{SigningKeysPlace, SigningKeysSwitch};
use super::{Possible, impossible::Impossible};
use crate::must::must;

/// The contract of [`SigningKeys`](portcullis_issuer::key_ring::SigningKeys), for a store that is empty at first.
///
/// ```
/// use portcullis_test::contract::{SigningKeysContract, SigningKeysPlace};
///
/// async fn holds_for(place: impl SigningKeysPlace) {
///     SigningKeysContract::new(place).check().await;
/// }
/// ```
#[derive(Debug)]
pub struct SigningKeysContract<P> {
    place: P,
    /// Which faults cannot happen to this store, and why.
    impossible: Impossible<SigningKeysSwitch>,
}

/// A version that no store has given out.
const UNKNOWN: DocumentVersion = DocumentVersion::new(0x0123_4567_89ab_cdef);

impl<P: SigningKeysPlace> SigningKeysContract<P> {
    /// Returns the contract for the store at this place.
    pub fn new(place: P) -> Self {
        Self { place, impossible: Impossible::none() }
    }

    /// Declares that a fault cannot happen to this store, and why. The rules about it are then skipped, and the reason is printed. The
    /// contract fails if the place answers [`Possible::No`] without this declaration, or if the fault happens although it is declared
    /// impossible.
    #[must_use]
    pub fn without(mut self, switch: SigningKeysSwitch, reason: &'static str) -> Self {
        self.impossible.declare(switch, reason);
        self
    }

    /// Checks all rules.
    ///
    /// # Panics
    ///
    /// If the store breaks one. The message says which.
    pub async fn check(mut self) {
        self.an_empty_store_has_no_document().await;
        self.an_empty_store_that_cannot_be_reached_is_not_empty().await;
        self.one_of_many_callers_creates_the_document().await;
        self.any_text_comes_back_as_it_was_to_every_instance().await;
        self.a_change_of_another_version_changes_nothing().await;
        self.one_of_many_callers_changes_the_document().await;
        self.no_change_of_several_writers_is_lost().await;
        self.a_store_that_cannot_be_reached_is_an_error().await;
        self.a_crash_loses_nothing_that_was_acknowledged().await;
        self.impossible.print("the store");
    }

    async fn store(&self) -> P::Store {
        self.place.open().await
    }

    /// Returns the document as a new instance sees it.
    async fn stored(&self) -> Option<StoredDocument> {
        must(self.store().await.load().await, "the store cannot be read")
    }

    #[expect(clippy::panic, reason = "a contract that is broken is a test that has failed")]
    async fn version(&self) -> DocumentVersion {
        self.stored().await.map_or_else(|| panic!("the document is gone"), |stored| stored.version())
    }

    /// Replaces the document as a new instance, and makes sure that the next one sees it.
    async fn write(&self, text: &str) -> DocumentVersion {
        let before = self.stored().await.map(|stored| stored.version());
        let outcome = must(self.store().await.replace(before, text).await, "the store cannot be written");
        let stored = self.stored().await;
        let is_stored = stored.as_ref().is_some_and(|stored| outcome == Replaced::Stored(stored.version()));
        assert!(is_stored, "a change of the current version is {outcome:?}, and the next load has {stored:?}");
        assert!(stored.as_ref().map(StoredDocument::text) == Some(text), "a text was changed");
        assert_ne!(stored.map(|stored| stored.version()), before, "two changes have the same version");
        self.version().await
    }

    async fn an_empty_store_has_no_document(&self) {
        let store = self.store().await;
        assert_eq!(
            must(store.load().await, "the empty store cannot be read"),
            None,
            "the contract starts with an empty store"
        );
        let outcome = must(store.replace(Some(UNKNOWN), "text").await, "the empty store cannot be written");
        assert_eq!(outcome, Replaced::Conflict, "a document that does not exist was replaced");
        assert_eq!(self.stored().await, None, "a refused change was stored");
    }

    async fn any_text_comes_back_as_it_was_to_every_instance(&self) {
        let early = self.store().await;
        must(early.load().await.map(drop), "the store cannot be read");
        let odd = " {\"línea\":\"\\u0000 \u{1f980} ' ; -- $1 %s\"}\r\n\t ";
        let long = "{\"key\":\"0123456789\"}".repeat(25_000);
        // The same text again is another change.
        for text in [odd, &long, "{}", "{}"] {
            self.write(text).await;
            let seen = must(early.load().await, "the store cannot be read");
            assert!(
                seen.as_ref().map(StoredDocument::text) == Some(text),
                "an instance that was open sees another text"
            );
        }
    }

    async fn a_change_of_another_version_changes_nothing(&self) {
        let old = self.write("{\"n\":1}").await;
        let current = self.write("{\"n\":2}").await;
        for expected in [Some(old), Some(UNKNOWN), None] {
            let outcome = must(self.store().await.replace(expected, "{\"n\":3}").await, "the store cannot be written");
            assert_eq!(outcome, Replaced::Conflict, "a change of {expected:?} was stored over {current:?}");
            let stored = self.stored().await;
            let is_same = stored.is_some_and(|stored| stored.text() == "{\"n\":2}" && stored.version() == current);
            assert!(is_same, "a refused change of {expected:?} has changed the document");
        }
    }
}
