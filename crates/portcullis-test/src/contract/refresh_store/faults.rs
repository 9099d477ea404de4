//! Rules about faults of a store.

use portcullis_issuer::refresh::{EndReason, Outcome, RefreshStore};

use super::{RefreshPlace, RefreshStoreContract, RefreshSwitch, grace, step};
use crate::must::must;

impl<P: RefreshPlace> RefreshStoreContract<P> {
    /// What a later version wrote, or damage, is no unknown family: the user would be logged out.
    pub(super) async fn a_row_that_cannot_be_read_is_an_error(&mut self) {
        for text in [r#"{"v":2}"#, "hello", ""] {
            let family = self.family_of("unreadable").await;
            let beside = self.family_of("unreadable").await;
            let overwritten = self.place.overwrite(family.id, text).await;
            if !self.has_happened(RefreshSwitch::Overwrite, overwritten) {
                return;
            }
            let store = self.store().await;
            assert!(store.find(family.id).await.is_err(), "a row that cannot be read is not an error");
            let outcome = store.rotate(step(&family, 0, &grace(60))).await;
            assert!(outcome.is_err(), "a step on a row that cannot be read has the outcome {outcome:?}");
            // It hides no other one, and no log-out everywhere stops at it.
            assert!(matches!(self.take(step(&beside, 0, &grace(60))).await, Outcome::Rotated { .. }));
            let _ = store.end_all_of("unreadable", None, EndReason::LoggedOutEverywhere).await;
            let outcome = self.take(step(&beside, 1, &grace(60))).await;
            assert!(matches!(outcome, Outcome::Ended(_)), "a row that cannot be read keeps another session alive");
        }
    }

    pub(super) async fn a_crash_loses_nothing_that_was_acknowledged(&mut self) {
        let (opened, rotated, ended) =
            (self.family_of("crash").await, self.family_of("crash").await, self.family_of("crash").await);
        self.take(step(&rotated, 0, &grace(60))).await;
        must(self.store().await.end(ended.id, EndReason::LoggedOut).await, "a family cannot be ended");
        let before = (self.found(opened.id).await, self.found(rotated.id).await, self.found(ended.id).await);
        let crashed = self.place.crash().await;
        if !self.has_happened(RefreshSwitch::Crash, crashed) {
            return;
        }
        let after = (self.found(opened.id).await, self.found(rotated.id).await, self.found(ended.id).await);
        assert_eq!(after, before, "acknowledged, and lost");
        assert_eq!(self.listed("crash").await.len(), 2, "the subject's sessions are lost");
        let outcome = self.take(step(&rotated, 0, &grace(300))).await;
        assert!(matches!(outcome, Outcome::Retry { .. }), "a retry after a crash gets another answer: {outcome:?}");
    }

    /// Tokens that are newer than the store go on; older ones than it has are still reuse.
    pub(super) async fn a_store_that_was_rolled_back_goes_on(&mut self) {
        let families = [(self.family().await, 1), (self.family().await, 2), (self.family().await, 10)];
        let quiet = self.family().await;
        for generation in 0..3 {
            self.take(step(&quiet, generation, &grace(0))).await;
        }
        let saved = self.place.save().await;
        if !self.has_happened(RefreshSwitch::RollBack, saved) {
            return;
        }
        for (family, rotations) in &families {
            for generation in 0..*rotations {
                self.take(step(family, generation, &grace(0))).await;
            }
        }
        let rolled_back = self.place.roll_back().await;
        assert!(self.has_happened(RefreshSwitch::RollBack, rolled_back));
        for (family, rotations) in &families {
            let outcome = self.take(step(family, *rotations, &grace(60))).await;
            let goes_on = matches!(outcome, Outcome::Rotated { lost_writes, .. } if lost_writes == *rotations);
            assert!(goes_on, "a store that lost {rotations} rotations logs its user out: {outcome:?}");
        }
        let outcome = self.take(step(&quiet, 1, &grace(60))).await;
        assert!(matches!(outcome, Outcome::Reuse { behind: 2, .. }), "an old token serves again: {outcome:?}");
    }
}
