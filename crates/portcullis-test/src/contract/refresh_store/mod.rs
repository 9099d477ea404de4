//! [`RefreshStoreContract`]: the rules that every store of refresh tokens has to follow.

mod endings;
mod families;
mod faults;
mod place;
mod races;
mod steps;

use std::time::Duration;

use portcullis_issuer::refresh::{
    Family, FamilyId, LogIn, Millis, Opened, Outcome, RefreshPolicy, RefreshStore, ShareDigest, Step, StoreError,
};
use tokio::time::{Instant, sleep};

pub use self::place::{RefreshPlace, RefreshSwitch};
use super::{Possible, impossible::Impossible};
use crate::must::must;

/// The contract of [`RefreshStore`](portcullis_issuer::refresh::RefreshStore), for a store that is empty at first.
///
/// ```
/// use portcullis_test::contract::{RefreshPlace, RefreshStoreContract};
///
/// async fn holds_for(place: impl RefreshPlace) {
///     RefreshStoreContract::new(place).check().await;
/// }
/// ```
#[derive(Debug)]
pub struct RefreshStoreContract<P> {
    place: P,
    /// The number of families made, so that no two are alike.
    made: u64,
    callers: usize,
    longest_grace: Duration,
    /// Which faults cannot happen to this store, and why.
    impossible: Impossible<RefreshSwitch>,
}

/// The client of most families.
const CLIENT: &str = "web";

/// The number of the key that tokens are written with.
const KEY: u8 = 7;

/// How long a store that starts again may fail.
const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

impl<P: RefreshPlace> RefreshStoreContract<P> {
    /// Returns the contract for the store at this place.
    pub fn new(place: P) -> Self {
        Self { place, made: 0, callers: 100, longest_grace: Duration::MAX, impossible: Impossible::none() }
    }

    /// Sets how many callers present one token at the same time. Defaults to 100.
    #[must_use]
    pub fn callers(self, callers: usize) -> Self {
        Self { callers, ..self }
    }

    /// Declares that the store takes every longer grace for this one. It has to be longer than any wait of a test: 30 seconds or more. Defaults to
    /// none.
    #[must_use]
    pub fn longest_grace(self, longest_grace: Duration) -> Self {
        Self { longest_grace, ..self }
    }

    /// Declares that a fault cannot happen to this store, and why. The rules about it are then skipped, and the reason is printed. The
    /// contract fails if the place answers [`Possible::No`] without this declaration, or if the fault happens although it is declared
    /// impossible.
    #[must_use]
    pub fn without(mut self, switch: RefreshSwitch, reason: &'static str) -> Self {
        self.impossible.declare(switch, reason);
        self
    }

    /// Checks all rules.
    ///
    /// # Panics
    ///
    /// If the store breaks one. The message says which.
    pub async fn check(mut self) {
        self.what_is_opened_is_found_by_every_instance().await;
        self.a_family_is_opened_once().await;
        self.a_family_that_does_not_exist_is_unknown().await;
        self.any_text_comes_back_as_it_was().await;
        self.sessions_are_listed_by_their_subject_alone().await;
        self.families_that_are_over_are_forgotten_and_no_others().await;
        self.sessions_that_are_too_many_are_those_that_end_first().await;
        self.every_step_decides_as_the_reference_does().await;
        self.a_step_that_replaces_nothing_writes_nothing().await;
        self.a_session_that_is_kept_is_prolonged_at_most_once_an_hour().await;
        self.no_refresh_moves_the_end().await;
        self.tokens_that_are_ahead_roll_the_store_forward().await;
        self.ages_are_never_negative().await;
        self.what_has_ended_stays_ended().await;
        self.all_of_a_subject_end_and_no_others().await;
        self.one_of_many_callers_opens_a_family().await;
        self.one_of_many_callers_rotates().await;
        self.a_token_that_arrives_while_its_session_ends_is_refused_afterwards().await;
        self.a_row_that_cannot_be_read_is_an_error().await;
        self.a_log_out_everywhere_ends_all_that_it_can().await;
        self.a_crash_loses_nothing_that_was_acknowledged().await;
        self.a_store_that_was_rolled_back_goes_on().await;
        self.impossible.print("the store");
    }

    /// Opens a family of a subject of its own.
    async fn family(&mut self) -> Family {
        let subject = format!("subject-{}", self.made);
        self.family_of(&subject).await
    }

    async fn family_of(&mut self, subject: &str) -> Family {
        self.family_by(LogIn::new(subject, CLIENT), &RefreshPolicy::new()).await
    }

    async fn family_by(&mut self, log_in: LogIn, policy: &RefreshPolicy) -> Family {
        let family = self.unopened(log_in, policy).await;
        let opened = self.store().await.open(family.clone()).await;
        let opened = opened.unwrap_or_else(|error| broken("cannot be written", &error));
        assert_eq!(opened, Opened::New, "a family that is new is not told to be");
        family
    }

    /// Returns a family that is not in the store.
    async fn unopened(&mut self, log_in: LogIn, policy: &RefreshPolicy) -> Family {
        self.made += 1;
        let id = FamilyId::from_bytes(u128::from(self.made).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        let share = ShareDigest::from_bytes(u128::from(self.made).to_be_bytes());
        let now = must(self.store().await.now().await, "the store has no time");
        Family::new(id, share, KEY, log_in, policy, now)
    }

    async fn store(&self) -> P::Store {
        self.place.open().await
    }

    /// Returns the family as the store has it now.
    async fn found(&self, id: FamilyId) -> Option<Family> {
        self.found_at(id).await.0
    }

    /// Returns it with the store's time. A store that starts again may fail for up to a minute.
    async fn found_at(&self, id: FamilyId) -> (Option<Family>, Millis) {
        let store = self.store().await;
        patiently(async || store.find(id).await).await
    }

    async fn take(&self, step: Step<'_>) -> Outcome {
        take_by(&self.store().await, step).await
    }
}

/// Returns the step of the family's client that presents the token of this generation.
fn step(family: &Family, generation: u64, policy: &RefreshPolicy) -> Step<'static> {
    Step::new(family.id, generation, family.share, CLIENT, KEY, policy)
}

/// Returns the step if this client takes it.
fn by_client<'a>(client_id: &'a str, mut step: Step<'a>) -> Step<'a> {
    step.client_id = client_id;
    step
}

/// Returns the rules of a client with this grace.
fn grace(secs: u64) -> RefreshPolicy {
    RefreshPolicy::new().grace(Duration::from_secs(secs))
}

/// Takes the step; a store that starts again may fail for up to a minute.
async fn take_by(store: &impl RefreshStore, step: Step<'_>) -> Outcome {
    let asked = Instant::now();
    loop {
        match store.rotate(step).await {
            Ok(outcome) => return outcome,
            Err(error) if asked.elapsed() > LIMIT => broken("does not answer", &error),
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// Asks until the store answers, for up to a minute: one that is starting again may fail.
async fn patiently<T>(ask: impl AsyncFn() -> Result<T, StoreError>) -> T {
    let asked = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) if asked.elapsed() > LIMIT => broken("does not answer", &error),
            Err(_) => sleep(PAUSE).await,
        }
    }
}

#[expect(clippy::panic, reason = "a contract that is broken is a test that has failed")]
fn broken(what: &str, error: &StoreError) -> ! {
    panic!("the store {what}: {error}")
}
