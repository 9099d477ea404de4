//! Rules about steps: what a store decides, and what it writes.

use std::time::Duration;

use portcullis_issuer::refresh::{
    EndReason, Family, LogIn, Millis, Outcome, RefreshPolicy, RefreshStore, Rotation, ShareDigest, Step,
};

use super::{CLIENT, RefreshPlace, RefreshStoreContract, by_client, grace, step};
use crate::must::must;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// How far a store's clock may go on between two calls of a test.
const SLACK: Duration = Duration::from_secs(30);

/// How old the current token is in a test.
#[derive(Clone, Copy, Debug)]
enum Age {
    /// It was never replaced.
    First,
    /// Replaced a moment ago.
    Fresh,
    /// Replaced this long ago.
    After(Duration),
}

impl<P: RefreshPlace> RefreshStoreContract<P> {
    /// Compares each step with [`Step::decide`], for all combinations of what decides.
    pub(super) async fn every_step_decides_as_the_reference_does(&mut self) {
        let ages = [Age::First, Age::Fresh, Age::After(2 * MINUTE), Age::After(8 * DAY), Age::After(31 * DAY)];
        let policies = [grace(0), grace(60), grace(300), grace(60).rotation(Rotation::Never)];
        for age in ages {
            for policy in &policies {
                let family = self.aged(age, policy).await;
                for presented in [family.generation.saturating_sub(1), family.generation] {
                    self.agrees(&step(&family, presented, policy), &format!("{age:?}, {policy:?}, {presented}")).await;
                }
                self.agrees(&step(&family, 0, policy), &format!("{age:?}, {policy:?}, the first")).await;
            }
        }
        for age in [Age::First, Age::Fresh] {
            let family = self.aged(age, &grace(60)).await;
            let current = step(&family, family.generation, &grace(60));
            self.agrees(&by_client("another", current), "another client").await;
            let mut forged = current;
            forged.share = ShareDigest::from_bytes([9; 16]);
            self.agrees(&forged, "a wrong share").await;
            self.agrees(&by_client("another", forged), "a wrong share of another client").await;
            must(self.store().await.end(family.id, EndReason::Revoked).await, "a family cannot be ended");
            self.agrees(&step(&family, family.generation, &grace(60)), "a family that has ended").await;
        }
    }

    /// Returns a family of generation 3, unless it is to be in its first.
    async fn aged(&mut self, age: Age, policy: &RefreshPolicy) -> Family {
        let family = self.family_by(LogIn::new(format!("s{}", self.made), CLIENT), policy).await;
        if let Age::First = age {
            return family;
        }
        for generation in 0..3 {
            let taken = self.take(step(&family, generation, &grace(0))).await;
            assert!(matches!(taken, Outcome::Rotated { .. }), "a current token was not replaced: {taken:?}");
        }
        if let Age::After(age) = age {
            self.place.age(family.id, age).await;
        }
        self.found(family.id).await.unwrap_or(family)
    }

    /// Takes the step, and makes sure that the outcome and what is stored afterwards are what the reference says.
    async fn agrees(&self, step: &Step<'_>, case: &str) {
        let (before, asked) = self.found_at(step.family).await;
        let outcome = self.take(*step).await;
        let (after, answered) = self.found_at(step.family).await;
        let mut reference = *step;
        reference.grace = step.grace.min(self.longest_grace);
        // The step was taken at some instant between the two, which the family tells if it was written.
        let decisions: Vec<_> = instants(asked, answered, after.as_ref())
            .map(|now| reference.decide(before.as_ref(), now))
            .map(|(expected, written)| (expected, written.or_else(|| before.clone())))
            .collect();
        let is_one = |(expected, stored): &(Outcome, Option<Family>)| alike(expected, &outcome) && *stored == after;
        // A server may forget by itself what is over.
        let is_forgotten = before.is_none() && outcome == Outcome::Unknown;
        let expected = decisions.first().map(|(expected, _)| expected);
        assert!(
            decisions.iter().any(is_one) || is_forgotten,
            "{case}: the store answers {outcome:?} and has {}, and the reference says {expected:?}",
            shown(after.as_ref()),
        );
    }

    pub(super) async fn a_step_that_replaces_nothing_writes_nothing(&mut self) {
        let family = self.aged(Age::Fresh, &grace(300)).await;
        let current = family.generation;
        for (presented, client) in [(current, CLIENT), (current - 1, CLIENT), (0, CLIENT), (current, "another")] {
            let outcome = self.take(by_client(client, step(&family, presented, &grace(300)))).await;
            assert!(!matches!(outcome, Outcome::Rotated { .. } | Outcome::Kept { .. }), "{outcome:?}");
            assert_eq!(self.found(family.id).await, Some(family.clone()), "{outcome:?} has changed the family");
        }
    }

    pub(super) async fn a_session_that_is_kept_is_prolonged_at_most_once_an_hour(&mut self) {
        let policy = grace(60).rotation(Rotation::Never);
        let family = self.family_by(LogIn::new("kept", CLIENT), &policy).await;
        for (passed, is_written) in [(MINUTE, false), (50 * MINUTE, false), (20 * MINUTE, true), (MINUTE, false)] {
            self.place.age(family.id, passed).await;
            let before = self.found(family.id).await;
            let outcome = self.take(step(&family, 0, &policy)).await;
            assert!(matches!(outcome, Outcome::Kept { .. }), "{outcome:?}");
            assert_eq!(self.found(family.id).await != before, is_written, "after {passed:?} more");
        }
        // A month later.
        self.place.age(family.id, 29 * DAY).await;
        let outcome = self.take(step(&family, 0, &policy)).await;
        assert_eq!(outcome, Outcome::Expired, "a session without use for its idle time goes on");
    }

    /// A session of an hour, whose client may be idle for a week: no refresh prolongs it.
    pub(super) async fn no_refresh_moves_the_end(&mut self) {
        for rotation in [Rotation::EveryUse, Rotation::Never] {
            let policy = grace(0).rotation(rotation).absolute(60 * MINUTE);
            let family = self.family_by(LogIn::new("short", CLIENT), &policy).await;
            let mut expected = family.clone();
            // As if the session had been opened with a shorter idle time, so that there is something to prolong.
            self.place.age(family.id, 30 * MINUTE).await;
            if let Outcome::Rotated { family, .. } | Outcome::Kept { family } =
                self.take(step(&family, 0, &policy)).await
            {
                expected = family;
            }
            let stored = self.found(family.id).await;
            assert_eq!(stored.as_ref(), Some(&expected), "a step has stored something else than it says");
            let is_in_time = stored.is_some_and(|family| family.idle_until <= family.absolute_until);
            assert!(is_in_time, "a refresh has moved the end of its session");
        }
    }

    pub(super) async fn tokens_that_are_ahead_roll_the_store_forward(&mut self) {
        for ahead in [1, 2, 10, Step::MOST_LOST_WRITES] {
            let family = self.family().await;
            let outcome = self.take(step(&family, ahead, &grace(60))).await;
            let is_forward = matches!(&outcome, Outcome::Rotated { family, lost_writes }
                if *lost_writes == ahead && family.generation == ahead + 1);
            assert!(is_forward, "a store that lost {ahead} rotations does not go on: {outcome:?}");
            assert_eq!(self.found(family.id).await.map(|family| family.generation), Some(ahead + 1));
            // Further ahead than any loss.
            let outcome = self.take(step(&family, ahead + Step::MOST_LOST_WRITES + 2, &grace(60))).await;
            assert_eq!(outcome, Outcome::Forged, "a token was accepted that is further ahead than a loss can be");
        }
    }

    /// The age that a store tells, and the instants that it keeps, are on one clock, which does not run backwards in a family.
    pub(super) async fn ages_are_never_negative(&mut self) {
        let family = self.family().await;
        for generation in 0..50 {
            let outcome = self.take(step(&family, generation, &grace(0))).await;
            assert!(matches!(outcome, Outcome::Rotated { .. }), "{outcome:?}");
            // With no grace, a retry is reuse, however little time has passed.
            let outcome = self.take(step(&family, generation, &grace(0))).await;
            let is_strict = matches!(outcome, Outcome::Reuse { behind: 1, age, .. } if age < SLACK);
            assert!(is_strict, "a retry was let through without a grace: {outcome:?}");
        }
        // The clock was set back: the last rotation is in the future.
        let family = self.aged(Age::Fresh, &grace(60)).await;
        let (Some(before), _) = self.found_at(family.id).await else { return };
        assert!(before.rotated_at.is_some_and(|at| at.since(Millis::new(0)) > DAY), "`rotated_at` is no instant");
        self.agrees(&step(&family, family.generation - 1, &grace(0)), "no grace").await;
    }
}

/// Whether two outcomes are the same, apart from a little time.
fn alike(expected: &Outcome, actual: &Outcome) -> bool {
    match (expected, actual) {
        (Outcome::Early { family, age }, Outcome::Early { family: other, age: its })
        | (Outcome::Retry { family, age }, Outcome::Retry { family: other, age: its }) => {
            family == other && age.abs_diff(*its) < SLACK
        }
        (Outcome::Reuse { family, behind, age }, Outcome::Reuse { family: other, behind: its_behind, age: its }) => {
            family == other && behind == its_behind && age.abs_diff(*its) < SLACK
        }
        (Outcome::Rotated { family, lost_writes }, Outcome::Rotated { family: other, lost_writes: its }) => {
            family == other && lost_writes == its
        }
        (expected, actual) => expected == actual,
    }
}

/// Returns the instants at which the step may have been taken.
fn instants(asked: Millis, answered: Millis, after: Option<&Family>) -> impl Iterator<Item = Millis> {
    let written = after.and_then(|family| family.rotated_at).filter(|at| (asked..=answered).contains(at));
    let between = (asked.get()..=answered.get().min(asked.get() + 2000)).map(Millis::new);
    written.into_iter().chain(between)
}

fn shown(family: Option<&Family>) -> String {
    family.map_or_else(|| "nothing".to_owned(), Family::to_json)
}
