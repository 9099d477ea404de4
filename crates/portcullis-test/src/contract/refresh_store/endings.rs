//! Rules about what has ended.

use std::time::Duration;

use portcullis_issuer::refresh::{EndReason, LogIn, Outcome, RefreshStore};

use super::{CLIENT, RefreshPlace, RefreshStoreContract, families::ids, grace, step};
use crate::must::must;

impl<P: RefreshPlace> RefreshStoreContract<P> {
    pub(super) async fn what_has_ended_stays_ended(&mut self) {
        let reasons = [
            EndReason::LoggedOut,
            EndReason::LoggedOutEverywhere,
            EndReason::Revoked,
            EndReason::Reuse,
            EndReason::SubjectRefused,
            EndReason::TooMany,
        ];
        for reason in reasons {
            let (family, other) = (self.family_of("ends").await, self.family_of("ends").await);
            let store = self.store().await;
            must(store.end(family.id, reason).await, "a family cannot be ended");
            for later in reasons {
                must(store.end(family.id, later).await, "a family cannot be ended again");
            }
            must(store.end_all_of("ends", Some(other.id), EndReason::Revoked).await, "families cannot be ended");
            for presented in [0, 1] {
                let outcome = self.take(step(&family, presented, &grace(60))).await;
                assert_eq!(outcome, Outcome::Ended(reason), "the first reason does not stay, or the session goes on");
            }
            let outcome = self.take(step(&other, 0, &grace(60))).await;
            assert!(matches!(outcome, Outcome::Rotated { .. }), "another session has ended, too: {outcome:?}");
            assert!(!ids(&self.listed("ends").await).contains(&family.id), "a session that has ended is listed");
        }
        // One that does not exist: nothing to do, and nothing is made.
        let unknown = self.unopened(LogIn::new("never", CLIENT), &grace(60)).await;
        must(
            self.store().await.end(unknown.id, EndReason::Revoked).await,
            "a family that does not exist cannot be ended",
        );
        assert_eq!(self.found(unknown.id).await, None, "ending a family has made one");
    }

    pub(super) async fn all_of_a_subject_end_and_no_others(&mut self) {
        // One that is over by its time ends, too: the clock may be set back.
        let over = self.family_of("over").await;
        self.place.age(over.id, Duration::from_secs(8 * 86_400)).await;
        let ended = self.store().await.end_all_of("over", None, EndReason::LoggedOutEverywhere).await;
        assert!(must(ended, "families cannot be ended").is_empty(), "a session that was over is reported");
        let after = self.found(over.id).await;
        let has_ended = after.is_none_or(|family| family.ended == Some(EndReason::LoggedOutEverywhere));
        assert!(has_ended, "a session that was over would come back with a clock that is set back");
        for subject in ["bob", "b*", "", "línea\n\"'; --"] {
            let mine = [self.family_of(subject).await, self.family_of(subject).await, self.family_of(subject).await];
            let others = [self.family_of("bobby").await, self.family_of("bo").await];
            let store = self.store().await;
            must(store.end(mine[0].id, EndReason::LoggedOut).await, "a family cannot be ended");
            let ended = store.end_all_of(subject, Some(mine[2].id), EndReason::LoggedOutEverywhere).await;
            let mut ended = must(ended, "families cannot be ended");
            ended.sort();
            let live = self.listed(subject).await;
            assert!(ended.contains(&mine[1].id), "a live session of {subject:?} did not end");
            assert!(!ended.contains(&mine[0].id), "a session that had ended before was reported");
            assert_eq!(
                ids(&live),
                [mine[2].id],
                "the one session of {subject:?} that was to stay is not the one that stayed"
            );
            for other in &others {
                let outcome = self.take(step(other, 0, &grace(60))).await;
                assert!(matches!(outcome, Outcome::Rotated { .. }), "a session of another subject ended: {outcome:?}");
            }
            let rest =
                must(store.end_all_of(subject, None, EndReason::LoggedOutEverywhere).await, "families cannot be ended");
            assert_eq!(rest, [mine[2].id]);
            let again =
                must(store.end_all_of(subject, None, EndReason::LoggedOutEverywhere).await, "families cannot be ended");
            assert!(again.is_empty(), "what had ended was ended again");
            let reason = self.found(mine[0].id).await.and_then(|family| family.ended);
            assert_eq!(reason, Some(EndReason::LoggedOut), "the first reason does not stay");
        }
    }
}
