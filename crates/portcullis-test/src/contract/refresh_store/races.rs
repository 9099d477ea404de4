//! Rules about many callers at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use portcullis_issuer::refresh::{EndReason, LogIn, Opened, Outcome, RefreshStore, ShareDigest, Step};
use tokio::task::JoinSet;

use super::{CLIENT, RefreshPlace, RefreshStoreContract, grace, patiently, step, take_by};
use crate::must::must;

/// How many handles the callers share, like instances.
const INSTANCES: usize = 3;

impl<P: RefreshPlace> RefreshStoreContract<P> {
    /// One of many callers that present one token replaces it: all others see that it was, with and without a grace.
    pub(super) async fn one_of_many_callers_rotates(&mut self) {
        for (secs, generation) in [(0, 0), (60, 0), (0, 5), (60, 5)] {
            let family = self.family().await;
            for earlier in 0..generation {
                self.take(step(&family, earlier, &grace(0))).await;
            }
            self.place.age(family.id, Duration::from_secs(61)).await;
            let outcomes = self.at_once(step(&family, generation, &grace(secs))).await;
            let rotated = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Rotated { .. })).count();
            assert_eq!(rotated, 1, "{rotated} of {} callers replaced one token", outcomes.len());
            let is_of_the_others = |outcome: &Outcome| match outcome {
                Outcome::Rotated { lost_writes, .. } => *lost_writes == 0,
                Outcome::Retry { .. } => secs > 0,
                Outcome::Reuse { behind, .. } => secs == 0 && *behind == 1,
                _ => false,
            };
            let odd = outcomes.iter().find(|outcome| !is_of_the_others(outcome));
            assert_eq!(odd, None, "with a grace of {secs} s");
            let reached = self.found(family.id).await.map(|family| family.generation);
            assert_eq!(reached, Some(generation + 1), "the family is not one generation further");
        }
    }

    /// Of many callers that open families of one id, one opens its own.
    pub(super) async fn one_of_many_callers_opens_a_family(&mut self) {
        let first = self.unopened(LogIn::new("opens", CLIENT), &grace(60)).await;
        let stores = self.instances().await;
        let mut callers = JoinSet::new();
        for at in 0..self.callers {
            let (store, mut family) = (Arc::clone(&stores[at % INSTANCES]), first.clone());
            family.share = ShareDigest::from_bytes(u128::from(at as u64).to_be_bytes());
            callers.spawn(async move {
                let opened = must(store.open(family.clone()).await, "a family cannot be opened, or exists");
                (opened == Opened::New).then_some(family)
            });
        }
        let new: Vec<_> = callers.join_all().await.into_iter().flatten().collect();
        assert_eq!(new.len(), 1, "{} of {} callers opened one family", new.len(), self.callers);
        assert_eq!(
            self.found(first.id).await,
            new.first().cloned(),
            "the family is not that of the caller who opened it"
        );
        assert_eq!(self.listed("opens").await, new, "the family is listed in another way than it was opened");
    }

    async fn instances(&self) -> Vec<Arc<P::Store>> {
        let mut stores = Vec::new();
        for _ in 0..INSTANCES {
            stores.push(Arc::new(self.store().await));
        }
        stores
    }

    /// Returns what many callers get for the same step.
    async fn at_once(&self, step: Step<'static>) -> Vec<Outcome> {
        let stores = self.instances().await;
        let mut callers = JoinSet::new();
        for at in 0..self.callers {
            let store = Arc::clone(&stores[at % INSTANCES]);
            callers.spawn(async move { take_by(&*store, step).await });
        }
        callers.join_all().await
    }

    /// Ends a family while it is refreshed again and again: once that is acknowledged, no step succeeds.
    pub(super) async fn a_token_that_arrives_while_its_session_ends_is_refused_afterwards(&mut self) {
        for _ in 0..20 {
            let family = self.family().await;
            let (store, ending) = (self.store().await, self.store().await);
            let has_ended = AtomicBool::new(false);
            let refresh = async {
                let mut reached = 0;
                loop {
                    // Read before the step: one that is taken after the end must not succeed.
                    let is_after = has_ended.load(Ordering::SeqCst);
                    match take_by(&store, step(&family, reached, &grace(0))).await {
                        Outcome::Rotated { family, .. } if !is_after => reached = family.generation,
                        outcome => return outcome,
                    }
                    tokio::task::yield_now().await;
                }
            };
            let end = async {
                tokio::task::yield_now().await;
                must(ending.end(family.id, EndReason::LoggedOut).await, "a family cannot be ended");
                has_ended.store(true, Ordering::SeqCst);
                patiently(async || ending.find(family.id).await).await.0
            };
            let (outcome, found) = tokio::join!(refresh, end);
            assert_eq!(outcome, Outcome::Ended(EndReason::LoggedOut), "a session that had ended was refreshed");
            let generation = found.map(|family| family.generation);
            let now = self.found(family.id).await;
            assert_eq!(now.as_ref().map(|family| family.generation), generation, "it moved on after its end");
            assert_eq!(now.and_then(|family| family.ended), Some(EndReason::LoggedOut));
        }
    }
}
