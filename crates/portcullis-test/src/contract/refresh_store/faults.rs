//! Rules about faults of a store.

use portcullis_issuer::refresh::{EndReason, Outcome, RefreshStore};

use super::{RefreshPlace, RefreshStoreContract, RefreshSwitch, families::ids, grace, step};
use crate::must::must;

/// What a later version wrote, and damage.
const UNREADABLE: [&str; 3] = [r#"{"v":2}"#, "hello", ""];

impl<P: RefreshPlace> RefreshStoreContract<P> {
    /// What a later version wrote, or damage, is no unknown family: the user would be logged out.
    pub(super) async fn a_row_that_cannot_be_read_is_an_error(&mut self) {
        for text in UNREADABLE {
            let subject = format!("unreadable {text}");
            let (family, beside) = (self.family_of(&subject).await, self.family_of(&subject).await);
            let overwritten = self.place.overwrite(family.id, text).await;
            if !self.impossible.has_happened(RefreshSwitch::Overwrite, overwritten) {
                return;
            }
            let store = self.store().await;
            assert!(store.find(family.id).await.is_err(), "a row that cannot be read is not an error");
            let outcome = store.rotate(step(&family, 0, &grace(60))).await;
            assert!(outcome.is_err(), "a step on a row that cannot be read has the outcome {outcome:?}");
            // It hides no other one.
            assert!(matches!(self.take(step(&beside, 0, &grace(60))).await, Outcome::Rotated { .. }));
            let listed = must(store.families_of(&subject).await, "a row that cannot be read fails its user's list");
            assert_eq!(ids(&listed), [beside.id], "a row that cannot be read hides another session, or is listed");
            let (readable, left_out) =
                must(store.readable_of(&subject).await, "a row that cannot be read fails its user's list");
            let told = (ids(&readable), left_out);
            assert_eq!(told, (vec![beside.id], 1), "a row that cannot be read is not counted, and its session goes on");
        }
    }

    /// No log-out everywhere stops at a row that cannot be read, and none says that it has ended what it has not.
    pub(super) async fn a_log_out_everywhere_ends_all_that_it_can(&mut self) {
        const SUBJECT: &str = "partly unreadable";
        let first = self.family_of(SUBJECT).await;
        let mut unreadable = Vec::new();
        for text in UNREADABLE {
            let family = self.family_of(SUBJECT).await;
            let overwritten = self.place.overwrite(family.id, text).await;
            if !self.impossible.has_happened(RefreshSwitch::Overwrite, overwritten) {
                return;
            }
            unreadable.push(family);
        }
        let last = self.family_of(SUBJECT).await;
        let ended = self.store().await.end_all_of(SUBJECT, None, EndReason::LoggedOutEverywhere).await;
        for beside in [&first, &last] {
            let outcome = self.take(step(beside, 0, &grace(60))).await;
            assert!(matches!(outcome, Outcome::Ended(_)), "a row that cannot be read keeps another session alive");
        }
        let mut left = 0;
        for family in &unreadable {
            // As an instance of the later version would read it.
            self.place.overwrite(family.id, &family.to_json()).await;
            left += usize::from(self.found(family.id).await.is_some_and(|family| family.ended.is_none()));
        }
        let told = ended.as_ref().map_or_else(ToString::to_string, |_| String::new());
        let is_told = if left == 0 { ended.is_ok() } else { told.contains(&format!("{left} of")) };
        assert!(is_told, "{left} sessions go on after a log-out everywhere, and the store says {ended:?}");
    }

    pub(super) async fn a_crash_loses_nothing_that_was_acknowledged(&mut self) {
        let (opened, rotated, ended) =
            (self.family_of("crash").await, self.family_of("crash").await, self.family_of("crash").await);
        self.take(step(&rotated, 0, &grace(60))).await;
        must(self.store().await.end(ended.id, EndReason::LoggedOut).await, "a family cannot be ended");
        let before = (self.found(opened.id).await, self.found(rotated.id).await, self.found(ended.id).await);
        let crashed = self.place.crash().await;
        if !self.impossible.has_happened(RefreshSwitch::Crash, crashed) {
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
        if !self.impossible.has_happened(RefreshSwitch::RollBack, saved) {
            return;
        }
        for (family, rotations) in &families {
            for generation in 0..*rotations {
                self.take(step(family, generation, &grace(0))).await;
            }
        }
        let rolled_back = self.place.roll_back().await;
        assert!(self.impossible.has_happened(RefreshSwitch::RollBack, rolled_back));
        for (family, rotations) in &families {
            let outcome = self.take(step(family, *rotations, &grace(60))).await;
            let goes_on = matches!(outcome, Outcome::Rotated { lost_writes, .. } if lost_writes == *rotations);
            assert!(goes_on, "a store that lost {rotations} rotations logs its user out: {outcome:?}");
        }
        let outcome = self.take(step(&quiet, 1, &grace(60))).await;
        assert!(matches!(outcome, Outcome::Reuse { behind: 2, .. }), "an old token serves again: {outcome:?}");
    }
}
