use super::*;
use crate::{Algorithm, Secret};

const NOW: UnixTime = UnixTime::from_secs(1_795_323_002);
const LATER: UnixTime = UnixTime::from_secs(1_795_323_602);

fn secret(id: &str) -> Secret {
    Secret::new(id, Algorithm::Hs256, [7; 32]).unwrap()
}

fn ring(others: &[&str]) -> KeyRing {
    let ring = KeyRing::new(secret("a")).unwrap();
    for id in others {
        ring.add_standby(secret(id)).unwrap();
    }
    ring
}

fn verifies(ring: &KeyRing, id: &str, now: UnixTime) -> bool {
    matches!(ring.resolve(KeyHint::new(Algorithm::Hs256, Some(id)), now), Resolved::Keys(_))
}

fn refusal<T: std::fmt::Debug>(step: Result<T, RingError>) -> RingErrorKind {
    step.unwrap_err().kind()
}

#[test]
fn a_planned_rotation_refuses_no_token() {
    let ring = ring(&[]);
    assert_eq!(ring.active_id().as_deref(), Some("a"));
    assert!(verifies(&ring, "a", NOW) && !verifies(&ring, "b", NOW));

    ring.add_standby(secret("b")).unwrap();
    assert!(verifies(&ring, "a", NOW) && verifies(&ring, "b", NOW));

    ring.activate("b", LATER).unwrap();
    assert_eq!(ring.active_id().as_deref(), Some("b"));
    assert!(verifies(&ring, "a", LATER.minus(std::time::Duration::from_secs(1))) && verifies(&ring, "b", LATER));
    assert!(!verifies(&ring, "a", LATER));

    assert!(ring.prune(NOW).is_empty());
    assert_eq!(ring.prune(LATER), ["a"]);
    assert_eq!(ring.states(), [("b".to_owned(), KeyState::Active)]);
}

/// By its edition, a cache knows that what it remembers may be over.
#[test]
fn the_edition_changes_with_every_step_and_at_the_end_of_every_key() {
    let ring = ring(&["b"]);
    let at_first = ring.edition(NOW);
    assert_eq!(ring.edition(LATER), at_first, "time changes nothing while no key retires");
    ring.activate("b", LATER).unwrap();
    let (before, after) = (ring.edition(LATER.minus(std::time::Duration::from_secs(1))), ring.edition(LATER));
    assert_ne!(before, at_first, "a step");
    assert_ne!(after, before, "the end of a key");
}

#[test]
fn a_rotation_can_be_undone() {
    let ring = ring(&["b"]);
    ring.activate("b", LATER).unwrap();
    ring.activate("a", LATER).unwrap();
    assert_eq!(ring.active_id().as_deref(), Some("a"));
    assert_eq!(ring.states()[1], ("b".to_owned(), KeyState::Retiring { until: LATER }));
}

#[test]
fn a_revoked_key_verifies_nothing_at_once_and_for_good() {
    let ring = ring(&["b"]);
    let before = ring.clone();
    ring.revoke("a").unwrap();
    assert!(!verifies(&before, "a", NOW), "clones share the ring");
    assert!(verifies(&ring, "b", NOW));
    assert_eq!(ring.active_id(), None);
    ring.revoke("a").unwrap();
    assert_eq!(refusal(ring.activate("a", LATER)), RingErrorKind::Revoked);
    assert_eq!(refusal(ring.retire("a", LATER)), RingErrorKind::Revoked);
    assert_eq!(refusal(ring.add_standby(secret("a"))), RingErrorKind::DuplicateId);

    ring.activate("b", LATER).unwrap();
    assert_eq!(ring.states()[0], ("a".to_owned(), KeyState::Revoked), "not retiring");
    ring.remove("a", NOW).unwrap();
    assert_eq!(ring.states().len(), 1);
}

#[test]
fn the_active_key_cannot_just_go() {
    let ring = ring(&["b"]);
    assert_eq!(refusal(ring.retire("a", LATER)), RingErrorKind::Active);
    assert_eq!(refusal(ring.remove("a", NOW)), RingErrorKind::Active);
    assert_eq!(refusal(ring.activate("a", LATER)), RingErrorKind::Active);
    ring.activate("b", LATER).unwrap();
    ring.retire("a", NOW).unwrap();
    assert!(!verifies(&ring, "a", NOW));
}

#[test]
fn a_retiring_key_is_pruned_not_removed() {
    let ring = ring(&["b", "c"]);
    ring.activate("b", LATER).unwrap();
    assert_eq!(refusal(ring.remove("a", NOW)), RingErrorKind::Retiring);
    ring.remove("c", NOW).unwrap();
    assert_eq!(ring.prune(LATER), ["a"]);
    assert_eq!(refusal(ring.remove("a", NOW)), RingErrorKind::UnknownId);
}

#[test]
fn ids_must_be_there_and_be_known_and_be_new() {
    let ring = ring(&["b"]);
    assert_eq!(refusal(ring.add_standby(secret("a"))), RingErrorKind::DuplicateId);
    for step in [ring.activate("x", LATER), ring.retire("x", LATER), ring.revoke("x"), ring.remove("x", NOW)] {
        assert_eq!(refusal(step), RingErrorKind::UnknownId);
    }
    let nameless = VerifyingKey::from_jwk(&crate::key::testing::p256().jwk("")).unwrap();
    assert_eq!(refusal(KeyRing::new(nameless.clone())), RingErrorKind::MissingId);
    assert_eq!(refusal(ring.add_standby(nameless.clone())), RingErrorKind::MissingId);
    ring.add_standby(nameless.with_id("c").unwrap()).unwrap();
}

#[test]
fn a_refused_step_changes_nothing() {
    let ring = ring(&["b"]);
    let before = ring.states();
    assert!(ring.activate("x", LATER).is_err());
    assert!(ring.remove("a", NOW).is_err());
    assert!(ring.add_standby(secret("b")).is_err());
    assert_eq!(ring.states(), before);
}

#[test]
fn keys_without_use_do_not_count_as_candidates() {
    // Five keys, one of them past its time and one revoked: the others may be tried without a key id.
    let ring = ring(&["b", "c", "d", "e"]);
    ring.retire("e", NOW).unwrap();
    let hint = KeyHint::new(Algorithm::Hs256, None);
    assert!(matches!(ring.resolve(hint, NOW.minus(std::time::Duration::from_secs(1))), Resolved::Ambiguous));
    assert!(matches!(ring.resolve(hint, NOW), Resolved::Keys(keys) if keys.iter().len() == 4));
    ring.revoke("d").unwrap();
    assert!(matches!(ring.resolve(hint, NOW), Resolved::Keys(keys) if keys.iter().len() == 3));
}

#[test]
fn steps_of_many_threads_are_all_kept_while_readers_go_on() {
    let ring = ring(&[]);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let ring = &ring;
            scope.spawn(move || {
                for n in 0..25 {
                    ring.add_standby(secret(&format!("{thread}-{n}"))).unwrap();
                    assert!(verifies(ring, "a", NOW));
                }
            });
        }
    });
    assert_eq!(ring.states().len(), 101);
}
