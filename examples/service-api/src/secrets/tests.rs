use portcullis::keys::{KeyHint, KeySource, Resolved};
use zeroize::Zeroizing;

use super::*;

const LIFE: u64 = 900;
const ROLLOUT: u64 = 60;
const START: UnixTime = UnixTime::from_secs(1_800_000_000);

type Listed<'a> = (&'a str, ListedState, u8);

fn list(listed: &[Listed<'_>]) -> Vec<ListedSecret> {
    let secret = |(id, state, byte): &Listed<'_>| ListedSecret {
        id: (*id).to_owned(),
        state: *state,
        material: Material::Given(Zeroizing::new(vec![*byte; 32])),
    };
    listed.iter().map(secret).collect()
}

fn open(listed: &[Listed<'_>]) -> Secrets {
    let timing = Timing { token_life: Duration::from_secs(LIFE), rollout: Duration::from_secs(ROLLOUT) };
    Secrets::open(&list(listed), timing, START).unwrap()
}

fn later(secs: u64) -> UnixTime {
    START.plus(Duration::from_secs(secs))
}

/// Each secret with `+` if it verifies now, and the one that signs.
fn summary(secrets: &Secrets, now: UnixTime) -> String {
    let ring = secrets.ring();
    let verifies = |id: &str| {
        let hint = KeyHint::new(portcullis::Algorithm::Hs256, Some(id));
        matches!(ring.resolve(hint, now), Resolved::Keys(_))
    };
    let states = secrets.states().into_iter();
    let states: Vec<_> = states.map(|(id, _)| format!("{id}{}", if verifies(&id) { "+" } else { "-" })).collect();
    format!("{} signed by {}", states.join(" "), secrets.signer().id())
}

use ListedState::{Active, Retiring, Revoked, Standby};

const OLD: Listed<'_> = ("old", Active, 1);
const OLD_RETIRING: Listed<'_> = ("old", Retiring, 1);
const OLD_REVOKED: Listed<'_> = ("old", Revoked, 1);
const NEW_STANDBY: Listed<'_> = ("new", Standby, 2);
const NEW: Listed<'_> = ("new", Active, 2);

#[test]
fn a_planned_rotation() {
    let secrets = open(&[OLD]);
    let step = |listed: &[Listed<'_>], secs: u64| {
        let generation = secrets.apply(&list(listed), later(secs)).unwrap();
        (generation, summary(&secrets, later(secs)))
    };
    assert_eq!(step(&[OLD, NEW_STANDBY], 10), (2, "old+ new+ signed by old".to_owned()));
    assert_eq!(step(&[OLD_RETIRING, NEW], 10 + ROLLOUT), (3, "old+ new+ signed by new".to_owned()));
    let over = 10 + ROLLOUT + ROLLOUT + LIFE;
    assert_eq!(summary(&secrets, later(over - 1)), "old+ new+ signed by new");
    assert_eq!(summary(&secrets, later(over)), "old- new+ signed by new");
    assert_eq!(step(&[NEW], over), (4, "new+ signed by new".to_owned()));
}

#[test]
fn what_has_retired_stays_retired_while_it_is_listed() {
    let secrets = open(&[("older", Retiring, 3), OLD_RETIRING, NEW]);
    let over = later(ROLLOUT + LIFE);
    for _ in 0..2 {
        secrets.apply(&list(&[OLD_RETIRING, NEW]), over).unwrap();
        assert_eq!(summary(&secrets, over), "new+ old- signed by new");
    }
}

#[test]
fn a_rotation_can_be_undone() {
    let secrets = open(&[OLD, NEW_STANDBY]);
    secrets.apply(&list(&[OLD_RETIRING, NEW]), later(ROLLOUT)).unwrap();
    let undone = list(&[OLD, ("new", Retiring, 2)]);
    let too_late = secrets.apply(&undone, later(ROLLOUT + LIFE)).unwrap_err();
    assert!(too_late.to_string().contains("too soon to sign again"), "{too_late}");
    secrets.apply(&undone, later(ROLLOUT + 30)).unwrap();
    assert_eq!(summary(&secrets, later(ROLLOUT + 30)), "old+ new+ signed by old");

    // An instance that the rotation had not reached: others signed with `new` meanwhile.
    let behind = open(&[OLD]);
    behind.apply(&undone, later(30)).unwrap();
    assert_eq!(summary(&behind, later(30)), "old+ new+ signed by old");
}

#[test]
fn a_leak_ends_at_once() {
    for before in [&[OLD][..], &[OLD, NEW_STANDBY], &[OLD, ("other", Standby, 3)]] {
        let secrets = open(before);
        secrets.apply(&list(&[OLD_REVOKED, NEW]), START).unwrap();
        assert!(summary(&secrets, START).starts_with("old- "), "{}", summary(&secrets, START));
        assert_eq!(secrets.signer().id(), "new");
    }
    // Also one that does not sign any more.
    let secrets = open(&[OLD_RETIRING, NEW]);
    secrets.apply(&list(&[OLD_REVOKED, NEW]), START).unwrap();
    assert_eq!(summary(&secrets, START), "new+ old- signed by new");
    secrets.apply(&list(&[NEW]), START).unwrap();
    assert_eq!(summary(&secrets, START), "new+ signed by new");
}

#[test]
fn a_step_that_would_break_others_is_refused_and_changes_nothing() {
    let cases: [(&str, &[Listed<'_>], &[Listed<'_>], &str); 9] = [
        ("unknown", &[OLD], &[OLD_RETIRING, NEW], "put it on standby first"),
        ("too early", &[OLD, NEW_STANDBY], &[OLD_RETIRING, NEW], "on standby for 59 s"),
        ("active is gone", &[OLD, NEW_STANDBY], &[NEW], "list it as `retiring`"),
        ("alive", &[OLD_RETIRING, NEW], &[NEW], "alive for another 901 s"),
        ("another", &[OLD], &[("old", Active, 9)], "another secret than before"),
        ("another is revoked", &[OLD, NEW_STANDBY], &[("old", Revoked, 9), NEW], "another secret than before"),
        ("back", &[OLD_RETIRING, NEW], &[("old", Standby, 1), NEW], "cannot go back to standby"),
        ("for good", &[OLD_REVOKED, NEW], &[OLD_RETIRING, NEW], "which is for good"),
        (
            "leak of another",
            &[OLD, ("new", Retiring, 2)],
            &[OLD_RETIRING, ("new", Revoked, 2), ("next", Active, 3)],
            "first",
        ),
    ];
    for (name, before, after, reason) in cases {
        let secrets = open(before);
        let (states, signer) = (secrets.states(), secrets.signer().id().to_owned());
        let refusal = secrets.apply(&list(after), later(ROLLOUT - 1)).expect_err(name);
        assert!(refusal.to_string().contains(reason), "{name}: {refusal}");
        assert_eq!((secrets.states(), secrets.signer().id()), (states, signer.as_str()), "{name}");
        assert_eq!(secrets.generation(), 1, "{name}");
    }
}

#[test]
fn every_reason_is_given() {
    let secrets = open(&[OLD, NEW_STANDBY]);
    let refusal = secrets.apply(&list(&[("third", Active, 3), ("new", Standby, 9)]), START).unwrap_err();
    assert_eq!(refusal.problems().count(), 3, "{refusal}");
}

#[test]
fn random_secrets_differ_and_stay_what_they_were() {
    let random = |id: &str, state| ListedSecret { id: id.to_owned(), state, material: Material::Random };
    let timing = Timing { token_life: Duration::from_secs(LIFE), rollout: Duration::ZERO };
    let open = || Secrets::open(&[random("demo", Active)], timing, START).unwrap();
    let (one, other) = (open(), open());
    assert_ne!(one.signer().sign(b"message").unwrap(), other.signer().sign(b"message").unwrap());

    let before = one.signer().sign(b"message").unwrap();
    one.apply(&[random("demo", Active), random("next", Standby)], START).unwrap();
    assert_eq!(one.signer().sign(b"message").unwrap(), before);
    let given = list(&[("demo", Active, 1)]);
    assert!(one.apply(&given, START).is_err());
}

#[test]
fn debug_shows_no_secret() {
    let secrets = open(&[("old", Active, 0xab)]);
    let shown = format!("{secrets:?} {:?} {:?}", secrets.signer(), list(&[("old", Active, 0xab)]));
    assert!(shown.contains("old"));
    assert!(!shown.contains("171") && !shown.to_lowercase().contains("abab"), "{shown}");
}
