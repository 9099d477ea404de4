//! [`FloorStoreContract`]: the rules that every store of floors has to follow.

mod faults;
mod place;

use std::{collections::HashMap, sync::Arc};

use portcullis_core::{
    UnixTime,
    floors::{FloorErrorKind, FloorStore, MAX_NAME_LEN},
};
use tokio::task::JoinSet;

pub use self::place::{FloorPlace, FloorSwitch};
use super::{Possible, impossible::Impossible};
use crate::must::must;

/// The contract of [`FloorStore`](portcullis_core::floors::FloorStore), for a store that is empty at first.
///
/// ```
/// use portcullis_test::contract::{FloorPlace, FloorStoreContract};
///
/// async fn holds_for(place: impl FloorPlace) {
///     FloorStoreContract::new(place).check().await;
/// }
/// ```
#[derive(Debug)]
pub struct FloorStoreContract<P> {
    place: P,
    /// Which faults cannot happen to this store, and why.
    impossible: Impossible<FloorSwitch>,
}

impl<P: FloorPlace> FloorStoreContract<P> {
    /// Returns the contract for the store at this place.
    pub fn new(place: P) -> Self {
        Self { place, impossible: Impossible::none() }
    }

    /// Declares that a fault cannot happen to this store, and why. The rules about it are then skipped, and the reason is printed. The
    /// contract fails if the place answers [`Possible::No`] without this declaration, or if the fault happens although it is declared
    /// impossible.
    #[must_use]
    pub fn without(mut self, switch: FloorSwitch, reason: &'static str) -> Self {
        self.impossible.declare(switch, reason);
        self
    }

    /// Checks all rules.
    ///
    /// # Panics
    ///
    /// If the store breaks one. The message says which.
    pub async fn check(mut self) {
        self.an_empty_store_has_no_floors().await;
        self.a_floor_only_rises().await;
        self.any_name_comes_back_as_it_was().await;
        self.a_bad_name_is_refused().await;
        self.of_many_callers_the_highest_counts().await;
        self.a_reset_floor_is_forgotten_and_no_other().await;
        self.a_name_beyond_the_limit_is_refused_and_none_is_dropped().await;
        self.a_store_that_cannot_be_reached_is_an_error().await;
        self.a_crash_loses_nothing_that_was_acknowledged().await;
        self.impossible.print("the store");
    }

    /// Returns the floors as a new handle sees them.
    async fn floors(&self) -> HashMap<String, UnixTime> {
        must(self.place.open().await.load().await, "the floors cannot be loaded")
    }

    /// Raises a floor by a new handle. Returns the floor afterwards.
    async fn raise(&self, name: &str, secs: u64) -> u64 {
        raise(&self.place.open().await, name, secs).await
    }

    async fn an_empty_store_has_no_floors(&self) {
        assert!(self.floors().await.is_empty(), "the contract starts with an empty store");
        let reset = must(self.place.open().await.reset("absent").await, "a floor cannot be reset");
        assert_eq!(reset, None, "a floor was reset that does not exist");
    }

    async fn a_floor_only_rises(&self) {
        let early = self.place.open().await;
        let latest = UnixTime::MAX.as_secs();
        for (secs, floor) in [
            (5, 5),
            (4, 5),
            (5, 5),
            (0, 5),
            (6, 6),
            (1_800_000_000, 1_800_000_000),
            (7, 1_800_000_000),
            (latest, latest),
            (1, latest),
        ] {
            assert_eq!(self.raise("rising", secs).await, floor, "the answer to raising a floor to {secs}");
            let seen = self.floors().await.get("rising").map(|time| time.as_secs());
            assert_eq!(seen, Some(floor), "the floor after it was raised to {secs}");
            let seen = must(early.load().await, "the floors cannot be loaded").get("rising").map(|time| time.as_secs());
            assert_eq!(seen, Some(floor), "the floor that an open handle sees");
        }
        assert_eq!(self.raise("zero", 0).await, 0, "the lowest floor");
        assert!(self.floors().await.contains_key("zero"), "the lowest floor is not stored");
    }

    async fn any_name_comes_back_as_it_was(&self) {
        let long = "n".repeat(MAX_NAME_LEN);
        let names = ["A", "a", " a", "a ", "a\nb", "\r\n", "\"'\\;{}$1%s", "línea \u{1f980}", "\0", &long];
        let before = self.floors().await.len();
        for (secs, name) in (100..).zip(names) {
            assert_eq!(self.raise(name, secs).await, secs, "{name:?} is taken for another name");
        }
        let floors = self.floors().await;
        for (secs, name) in (100..).zip(names) {
            assert_eq!(floors.get(name).map(|time| time.as_secs()), Some(secs), "the floor of {name:?}");
        }
        assert_eq!(floors.len(), before + names.len(), "there are other names than were stored");
    }

    async fn a_bad_name_is_refused(&self) {
        let before = self.floors().await;
        for bad in ["", &"n".repeat(MAX_NAME_LEN + 1)] {
            let raised = self.place.open().await.raise(bad, UnixTime::EPOCH).await;
            let kind = raised.map_err(|error| error.kind());
            assert_eq!(kind, Err(FloorErrorKind::BadName), "a name of {} bytes", bad.len());
        }
        assert!(self.floors().await == before, "a bad name was stored");
    }

    async fn of_many_callers_the_highest_counts(&self) {
        let store = Arc::new(self.place.open().await);
        let mut callers = JoinSet::new();
        // Neither the first nor the last one is the highest.
        for secs in (1..=24).map(|number| number * 7 % 25) {
            let store = Arc::clone(&store);
            callers.spawn(async move { (secs, raise(&*store, "crowd", secs).await) });
        }
        for (secs, floor) in callers.join_all().await {
            assert!(floor >= secs, "the floor is {floor} after it was raised to {secs}");
        }
        let seen = self.floors().await.get("crowd").map(|time| time.as_secs());
        assert_eq!(seen, Some(24), "the highest of many times is lost");
    }

    async fn a_reset_floor_is_forgotten_and_no_other(&self) {
        for name in ["reset", "kept"] {
            self.raise(name, 50).await;
        }
        let before = self.floors().await.len();
        for expected in [Some(50), None] {
            let reset = must(self.place.open().await.reset("reset").await, "a floor cannot be reset");
            assert_eq!(reset.map(UnixTime::as_secs), expected, "the floor that was reset");
        }
        let floors = self.floors().await;
        assert!(!floors.contains_key("reset"), "a floor is still there after it was reset");
        assert_eq!(floors.len(), before - 1, "another floor was reset");
        assert_eq!(self.raise("reset", 40).await, 40, "a floor that was reset still counts");
    }

    async fn a_name_beyond_the_limit_is_refused_and_none_is_dropped(&self) {
        let small = self.place.open_small(3).await;
        for name in ["a", "b", "c"] {
            raise(&small, name, 10).await;
        }
        for _ in 0..2 {
            let kind = small.raise("d", UnixTime::from_secs(10)).await.map_err(|error| error.kind());
            assert_eq!(kind, Err(FloorErrorKind::Full), "a name beyond the limit");
        }
        assert_eq!(raise(&small, "b", 11).await, 11, "a known name in a full store");
        let mut names: Vec<_> = must(small.load().await, "the floors cannot be loaded").into_keys().collect();
        names.sort();
        assert_eq!(names, ["a", "b", "c"], "the names of a full store");
        must(small.reset("a").await.map(drop), "a floor cannot be reset");
        assert_eq!(raise(&small, "d", 10).await, 10, "a new name in the place of one that was reset");
    }
}

async fn raise(store: &impl FloorStore, name: &str, secs: u64) -> u64 {
    must(store.raise(name, UnixTime::from_secs(secs)).await, "a floor cannot be raised").as_secs()
}
