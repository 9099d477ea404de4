//! [`ReplayStoreContract`]: the rules that every store of used proofs has to follow.

mod faults;
mod place;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use portcullis_core::{
    AuthError, UnixTime,
    authenticator::Attempt,
    possession::{Once, ReplayKey, ReplayStore},
};
use tokio::task::JoinSet;

pub use self::place::{ReplayPlace, ReplaySwitch};
use super::{Possible, impossible::Impossible};
use crate::must::must;

/// The contract of [`ReplayStore`](portcullis_core::possession::ReplayStore), for a store that is empty at first and has room for 2000 ids.
///
/// ```
/// use portcullis_test::contract::{ReplayPlace, ReplayStoreContract};
///
/// async fn holds_for(place: impl ReplayPlace) {
///     ReplayStoreContract::new(place).check().await;
/// }
/// ```
#[derive(Debug)]
pub struct ReplayStoreContract<P> {
    place: P,
    /// Which faults cannot happen to this store, and why.
    impossible: Impossible<ReplaySwitch>,
    /// How many ids were used, so that each rule has its own.
    used: AtomicU64,
}

/// The time of the callers. A store has no clock.
const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

/// When the proofs are over.
const UNTIL: UnixTime = UnixTime::from_secs(1_800_000_060);

const CALLERS: usize = 24;

impl<P: ReplayPlace> ReplayStoreContract<P> {
    /// Returns the contract for the store at this place.
    pub fn new(place: P) -> Self {
        Self { place, impossible: Impossible::none(), used: AtomicU64::new(0) }
    }

    /// Declares that a fault cannot happen to this store, and why. The rules about it are then skipped, and the reason is printed. The
    /// contract fails if the place answers [`Possible::No`] without this declaration, or if the fault happens although it is declared
    /// impossible.
    #[must_use]
    pub fn without(mut self, switch: ReplaySwitch, reason: &'static str) -> Self {
        self.impossible.declare(switch, reason);
        self
    }

    /// Checks all rules.
    ///
    /// # Panics
    ///
    /// If the store breaks one. The message says which.
    pub async fn check(mut self) {
        self.a_proof_is_accepted_once().await;
        self.a_proof_is_remembered_until_its_end().await;
        self.subject_and_id_both_count().await;
        self.a_proof_whose_time_is_over_is_not_accepted().await;
        self.every_instance_knows_what_another_has_accepted().await;
        self.many_proofs_are_kept_apart().await;
        self.one_of_many_callers_is_the_first().await;
        self.a_store_that_answers_at_once_does().await;
        self.a_store_that_cannot_be_reached_does_not_decide().await;
        self.a_crash_loses_nothing_that_was_acknowledged().await;
        self.a_full_store_does_not_decide().await;
        self.impossible.print("the store");
    }

    /// Returns the key of a proof that was not used yet.
    fn new_key(&self) -> ReplayKey {
        ReplayKey::new("contract", self.used.fetch_add(1, Ordering::Relaxed).to_be_bytes())
    }

    /// Asks as a new instance.
    async fn ask(&self, key: ReplayKey) -> Once {
        ask(&self.place.open().await, key).await
    }

    async fn a_proof_is_accepted_once(&self) {
        let store = self.place.open().await;
        let (one, other) = (self.new_key(), self.new_key());
        assert_eq!(ask(&store, one).await, Once::First, "a new proof was not accepted");
        for _ in 0..3 {
            assert_eq!(ask(&store, one).await, Once::Repeated, "a proof was accepted twice");
        }
        assert_eq!(ask(&store, other).await, Once::First, "a new proof was not accepted after another one");
    }

    async fn a_proof_is_remembered_until_its_end(&self) {
        let (store, key) = (self.place.open().await, self.new_key());
        assert_eq!(ask(&store, key).await, Once::First, "a new proof was not accepted");
        // Others in between give the store an occasion to forget.
        for secs in [1, 30, 59] {
            let now = NOW.plus(Duration::from_secs(secs));
            let later = now.plus(Duration::from_secs(60));
            let other =
                must(store.accept_once(self.new_key(), later, now).outcome().await, "the store does not decide");
            assert_eq!(other, Once::First, "a new proof was not accepted after {secs} s");
            for until in [UNTIL, later] {
                let again = must(store.accept_once(key, until, now).outcome().await, "the store does not decide");
                assert_eq!(again, Once::Repeated, "a proof was forgotten {secs} s after its use, before its end");
            }
        }
    }

    async fn subject_and_id_both_count(&self) {
        let store = self.place.open().await;
        let keys = [("alice", "contract-1"), ("alice", "contract-2"), ("bob", "contract-1"), ("bob", "contract-2")];
        for (subject, id) in keys {
            let key = ReplayKey::new(subject, id);
            assert_eq!(ask(&store, key).await, Once::First, "the proof {id} of {subject} is taken for another one");
        }
    }

    async fn a_proof_whose_time_is_over_is_not_accepted(&self) {
        let store = self.place.open().await;
        for (until, is_over) in
            [(NOW, true), (NOW.minus(Duration::from_secs(1)), true), (NOW.plus(Duration::from_secs(1)), false)]
        {
            let answer = store.accept_once(self.new_key(), until, NOW).outcome().await;
            if is_over {
                assert!(answer.as_ref().is_err_and(is_undecided), "a proof whose time is over: {answer:?}");
            } else {
                assert_eq!(must(answer, "the store does not decide"), Once::First, "a proof in its last second");
            }
        }
    }

    async fn every_instance_knows_what_another_has_accepted(&self) {
        let (early, key) = (self.place.open().await, self.new_key());
        assert_eq!(ask(&early, self.new_key()).await, Once::First, "a new proof was not accepted");
        assert_eq!(self.ask(key).await, Once::First, "a new proof was not accepted");
        assert_eq!(ask(&early, key).await, Once::Repeated, "an instance accepts what another one has accepted");
        assert_eq!(self.ask(key).await, Once::Repeated, "a later instance accepts what another one has accepted");
    }

    async fn many_proofs_are_kept_apart(&self) {
        let store = self.place.open().await;
        let keys: Vec<_> = (0..500).map(|_| self.new_key()).collect();
        for expected in [Once::First, Once::Repeated] {
            for key in &keys {
                assert_eq!(ask(&store, *key).await, expected, "one of many proofs");
            }
        }
    }

    async fn one_of_many_callers_is_the_first(&self) {
        let mut stores = Vec::new();
        for _ in 0..3 {
            stores.push(std::sync::Arc::new(self.place.open().await));
        }
        for _ in 0..20 {
            let (key, mut callers) = (self.new_key(), JoinSet::new());
            for number in 0..CALLERS {
                let store = std::sync::Arc::clone(&stores[number % stores.len()]);
                callers.spawn(async move { ask(&store, key).await });
            }
            let answers = callers.join_all().await;
            let first = answers.iter().filter(|answer| **answer == Once::First).count();
            assert_eq!(first, 1, "of {CALLERS} callers at once with the same proof, {first} were the first");
        }
    }

    async fn a_store_that_answers_at_once_does(&self) {
        let store = self.place.open().await;
        if store.answers_at_once() {
            let attempt = store.accept_once(self.new_key(), UNTIL, NOW);
            assert!(matches!(attempt, Attempt::Done(_)), "a store that answers at once has to be waited for");
        }
    }
}

async fn ask(store: &impl ReplayStore, key: ReplayKey) -> Once {
    must(store.accept_once(key, UNTIL, NOW).outcome().await, "the store does not decide")
}

/// Whether the error says that the store could not decide.
fn is_undecided(error: &AuthError) -> bool {
    error.code() == portcullis_core::Code::ReplayUndecided && error.retry_after().is_some()
}
