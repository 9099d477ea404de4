//! Rules about opening, finding, listing and forgetting families.

use std::time::Duration;

use portcullis_core::UnixTime;
use portcullis_issuer::refresh::{
    EndReason, Family, FamilyId, LogIn, Millis, Opened, Outcome, RefreshPolicy, RefreshStore,
};

use super::{CLIENT, RefreshPlace, RefreshStoreContract, by_client, grace, step};
use crate::must::must;

const DAY: Duration = Duration::from_secs(86_400);

/// Subjects that a careless store mixes up: patterns, separators, prefixes, other scripts.
const SUBJECTS: [&str; 12] =
    ["alice", "alic", "alice2", "alice:x", "a*", "*", "ali?e", "%", "a.b", "a b", "línea\n\"'; --\u{1F980}", ""];

impl<P: RefreshPlace> RefreshStoreContract<P> {
    pub(super) async fn what_is_opened_is_found_by_every_instance(&mut self) {
        let (here, there) = (self.store().await, self.store().await);
        let family = self.unopened(LogIn::new("opened", CLIENT), &RefreshPolicy::new()).await;
        let opened = must(here.open(family.clone()).await, "a family cannot be opened");
        assert_eq!(opened, Opened::New, "a family that is new is not told to be");
        for store in [&here, &there] {
            let (found, now) = must(store.find(family.id).await, "a family cannot be found");
            assert_eq!(found.as_ref(), Some(&family), "a family was opened, and another instance does not find it");
            assert!(now >= opened_at(&family), "the store's time runs backwards between instances");
            let listed = must(store.families_of("opened").await, "families cannot be listed");
            assert!(listed.iter().eq([&family]), "a family was opened, and its subject does not have it");
        }
    }

    pub(super) async fn a_family_is_opened_once(&mut self) {
        let family = self.family().await;
        let mut second = self.unopened(LogIn::new("second", CLIENT), &RefreshPolicy::new()).await;
        second.id = family.id;
        // That it exists is an answer, which must be told from an outage.
        for store in [self.store().await, self.store().await] {
            let opened = must(store.open(second.clone()).await, "a family that exists is an error");
            assert_eq!(opened, Opened::Exists, "a family was opened in the place of another one");
        }
        assert_eq!(self.found(family.id).await, Some(family.clone()), "a family that was opened twice has changed");
        assert!(self.listed("second").await.is_empty(), "a family that was not opened is listed");
        must(self.store().await.end(family.id, EndReason::LoggedOut).await, "a family cannot be ended");
        let opened = must(self.store().await.open(second).await, "a family that has ended is an error");
        assert_eq!(opened, Opened::Exists, "a family that has ended was opened again");
        let reason = self.found(family.id).await.and_then(|family| family.ended);
        assert_eq!(reason, Some(EndReason::LoggedOut), "a family that has ended was opened again");
    }

    pub(super) async fn a_family_that_does_not_exist_is_unknown(&mut self) {
        let family = self.unopened(LogIn::new("unknown", CLIENT), &RefreshPolicy::new()).await;
        assert_eq!(self.found(family.id).await, None);
        assert_eq!(self.take(step(&family, 0, &grace(60))).await, Outcome::Unknown);
        assert_eq!(self.found(family.id).await, None, "a step has made a family");
        assert_eq!(self.listed("unknown").await, [], "a subject that never logged in has sessions");
    }

    pub(super) async fn any_text_comes_back_as_it_was(&mut self) {
        let odd = "línea\n\"quoted\" \\ \u{0}\u{1F980} ' ; -- $1 %s";
        let log_in = LogIn::new("any", CLIENT)
            .scope("a b:c")
            .audience(odd)
            .version(u64::MAX >> 1)
            .acr(odd)
            .label(odd)
            .authenticated_at(UnixTime::from_secs(1));
        let family = self.family_by(log_in, &RefreshPolicy::new()).await;
        assert_eq!(self.found(family.id).await, Some(family), "a text has changed");
        let long = "x".repeat(255);
        let family = self.family_by(LogIn::new(long.as_str(), CLIENT), &RefreshPolicy::new()).await;
        assert!(self.listed(&long).await.iter().eq([&family]), "a long subject");
        // The client's name is compared on the server, in its own way.
        for client in SUBJECTS {
            let family = self.family_by(LogIn::new("clients", client), &RefreshPolicy::new()).await;
            for presenting in SUBJECTS {
                let step = by_client(presenting, step(&family, 0, &grace(60)));
                let is_mismatch = matches!(self.take(step).await, Outcome::ClientMismatch { .. });
                assert_eq!(is_mismatch, client != presenting, "{client:?} is taken for {presenting:?}");
            }
        }
    }

    pub(super) async fn sessions_are_listed_by_their_subject_alone(&mut self) {
        let mut all = Vec::new();
        for subject in SUBJECTS {
            let expected: Vec<_> = [self.family_of(subject).await, self.family_of(subject).await].into();
            all.push((subject, expected));
        }
        for (subject, expected) in all {
            let mut listed = self.listed(subject).await;
            listed.sort_by_key(|family| family.id);
            let mut expected = expected;
            expected.sort_by_key(|family| family.id);
            assert_eq!(listed, expected, "the sessions of {subject:?} are others");
        }
        // A session that is over is not listed, nor one that was ended.
        let (over, live) = (self.family_of("lists").await, self.family_of("lists").await);
        self.place.age(over.id, 8 * DAY).await;
        assert_eq!(
            ids(&self.listed("lists").await),
            [live.id],
            "a session that is over is listed, or a live one is not"
        );
    }

    pub(super) async fn families_that_are_over_are_forgotten_and_no_others(&mut self) {
        let (over, used, live) = (self.family_of("f").await, self.family_of("f").await, self.family_of("f").await);
        // This one is used just before its end, so that it goes on.
        self.place.age(used.id, 6 * DAY).await;
        assert!(matches!(self.take(step(&used, 0, &grace(60))).await, Outcome::Rotated { .. }));
        self.place.age(used.id, 2 * DAY).await;
        self.place.age(over.id, 8 * DAY).await;
        let store = self.store().await;
        let now = must(store.now().await, "the store has no time");
        must(store.forget_before(now).await, "families cannot be forgotten");
        for (family, what) in [(&used, "a session that was used"), (&live, "a live session")] {
            assert!(self.found(family.id).await.is_some(), "{what} was forgotten before its end");
        }
        let outcome = self.take(step(&over, 0, &grace(60))).await;
        assert!(matches!(outcome, Outcome::Unknown | Outcome::Expired), "a session came back to life: {outcome:?}");
        assert_eq!(self.listed("f").await.len(), 2, "a session that was forgotten is listed, or another one is not");
        let again = must(store.forget_before(now).await, "families cannot be forgotten");
        assert_eq!(again, 0, "what was forgotten is forgotten again");
    }

    /// Of too many live sessions, those that end first; no others, and none that has ended.
    pub(super) async fn sessions_that_are_too_many_are_those_that_end_first(&mut self) {
        let mut mine = Vec::new();
        for days in [3, 5, 1, 4, 2] {
            let family = self.family_of("many").await;
            self.place.age(family.id, days * DAY).await;
            mine.push((days, family.id));
        }
        mine.sort_by(|one, other| other.cmp(one));
        let (ended, over) = (self.family_of("many").await, self.family_of("many").await);
        self.place.age(over.id, 8 * DAY).await;
        self.family_of("many others").await;
        let store = self.store().await;
        must(store.end(ended.id, EndReason::LoggedOut).await, "a family cannot be ended");
        for most in 0..7 {
            let mut surplus = must(store.surplus_of("many", most).await, "families cannot be counted");
            let mut expected: Vec<_> = mine.iter().map(|(_, id)| *id).take(5_usize.saturating_sub(most)).collect();
            surplus.sort();
            expected.sort();
            assert_eq!(surplus, expected, "with {most} allowed, other sessions are too many");
        }
        let unknown = must(store.surplus_of("no one", 0).await, "families cannot be counted");
        assert_eq!(unknown, [], "a subject without sessions has too many");
    }

    pub(super) async fn listed(&self, subject: &str) -> Vec<Family> {
        must(self.store().await.families_of(subject).await, "families cannot be listed")
    }
}

pub(super) fn ids(families: &[Family]) -> Vec<FamilyId> {
    let mut ids: Vec<_> = families.iter().map(|family| family.id).collect();
    ids.sort();
    ids
}

/// Returns when the family was opened.
fn opened_at(family: &Family) -> Millis {
    Millis::new(family.log_in.at().as_secs() * 1000)
}
