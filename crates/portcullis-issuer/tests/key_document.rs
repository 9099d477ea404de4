//! Tests the steps of a rotation, as functions from a document to the next one, and the document as text.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::time::Duration;

use portcullis_core::{Algorithm, UnixTime, keys::KeyState, policy::TokenSpec};
use portcullis_issuer::{
    AccessToken, TokenIssuer,
    key_ring::{
        KeyPlan, KeyRing, KeyRingError, KeyRingErrorKind, MemorySigningKeys, RingDocument, RingKey, RingWarning,
        Sealing, SealingKey, Timeline,
    },
};
use portcullis_test::FixedClock;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const PLAN: KeyPlan = KeyPlan::new();
const FIXTURE: &str = include_str!("fixtures/key-ring-v1.json");

fn key() -> RingKey {
    RingKey::generate(Algorithm::EdDsa, &Sealing::danger_none()).unwrap()
}

fn first() -> (RingDocument, String, String) {
    let document = RingDocument::first(key(), key(), NOW);
    let ids: Vec<_> = document.keys().map(|key| key.id().to_owned()).collect();
    (document, ids[0].clone(), ids[1].clone())
}

fn kind<T>(outcome: Result<T, KeyRingError>) -> KeyRingErrorKind {
    outcome.err().unwrap().kind()
}

fn state(document: &RingDocument, id: &str) -> KeyState {
    document.key(id).unwrap().state()
}

fn ready() -> UnixTime {
    PLAN.signs_from(NOW)
}

#[test]
fn the_first_document_has_a_key_that_signs_at_once_and_a_standby() {
    let (document, active, standby) = first();
    assert_eq!(state(&document, &active), KeyState::Active);
    assert_eq!(document.active().unwrap().activated_at(), Some(NOW));
    assert_eq!(state(&document, &standby), KeyState::Standby);
}

#[test]
fn a_step_that_comes_too_early_names_the_earliest_safe_time() {
    let (document, _, standby) = first();
    let early = ready().minus(secs(1));
    let error = document.activate(&standby, &PLAN, early).unwrap_err();
    assert_eq!((error.kind(), error.earliest()), (KeyRingErrorKind::TooEarly, Some(ready())));
    let text = document.rotate(&PLAN, NOW).unwrap_err().to_string();
    assert!(text.contains("before 2027-01-15 21:06:11 UTC (in 13 h 7 min)"), "{text}");
    assert!(text.contains("danger_activate"), "{text}");
    assert!(document.activate(&standby, &PLAN, ready()).is_ok());
}

#[test]
fn a_forced_step_is_recorded_with_its_reason() {
    let (document, active, standby) = first();
    assert_eq!(kind(document.danger_activate(&standby, " ", &PLAN, NOW)), KeyRingErrorKind::Refused);
    let forced = document.danger_activate(&standby, "the HSM of the old key is broken", &PLAN, NOW).unwrap();
    assert_eq!(forced.active().unwrap().id(), standby);
    let [step] = forced.forced() else { panic!("{:?}", forced.forced()) };
    assert_eq!((step.step.as_str(), step.key.as_str(), step.at), ("activate", standby.as_str(), NOW));
    assert_eq!((step.why.as_str(), step.safe_from), ("the HSM of the old key is broken", Some(ready())));
    // Removing the old key before its tokens have expired is another one.
    assert_eq!(kind(forced.retire(&active, &PLAN, NOW)), KeyRingErrorKind::TooEarly);
    assert_eq!(kind(forced.danger_remove(&active, "", NOW)), KeyRingErrorKind::Refused);
    let removed = forced.danger_remove(&active, "all tokens are void", NOW).unwrap();
    assert!(removed.key(&active).is_none());
    assert_eq!(removed.forced().len(), 2);
    // It survives the way through the store.
    assert_eq!(RingDocument::parse(&removed.to_text()).unwrap().forced(), removed.forced());
}

#[test]
fn a_replaced_key_is_published_until_the_longest_token_that_it_ever_signed_has_expired() {
    let (document, active, standby) = first();
    let document = document.with_longest_life(secs(86_400)).with_longest_life(secs(600));
    assert_eq!(document.active().unwrap().longest_life(), secs(86_400));
    let rotated = document.activate(&standby, &PLAN, ready()).unwrap();
    let until = PLAN.published_until(ready(), secs(86_400));
    assert_eq!(state(&rotated, &active), KeyState::Retiring { until });
    // What is signed from now on does not concern it.
    let later = rotated.with_longest_life(secs(100_000));
    assert_eq!(later.key(&active).unwrap().longest_life(), secs(86_400));
    assert!(rotated.prune(until.minus(secs(1))).key(&active).is_some());
    assert!(rotated.prune(until).key(&active).is_none());
    let error = rotated.retire(&active, &PLAN, until.minus(secs(1))).unwrap_err();
    assert_eq!(error.earliest(), Some(until));
    assert!(rotated.retire(&active, &PLAN, until).unwrap().key(&active).is_none());
}

#[test]
fn a_fraction_of_a_second_counts_as_a_whole_one() {
    let (document, ..) = first();
    let document = document.with_longest_life(Duration::from_millis(1500));
    assert_eq!(document.active().unwrap().longest_life(), secs(2));
}

#[test]
fn an_activation_is_rolled_back_at_once_while_the_earlier_key_is_published() {
    let (document, active, standby) = first();
    assert_eq!(kind(document.roll_back(&PLAN, NOW)), KeyRingErrorKind::Refused);
    let rotated = document.rotate(&PLAN, ready()).unwrap();
    let back = rotated.roll_back(&PLAN, ready().plus(secs(30))).unwrap();
    assert_eq!(state(&back, &active), KeyState::Active);
    assert_eq!(state(&back, &standby), KeyState::Standby);
    // It has signed: so it retires when it is not wanted, and does not disappear.
    let retired = back.retire(&standby, &PLAN, ready().plus(secs(30))).unwrap();
    assert!(matches!(state(&retired, &standby), KeyState::Retiring { .. }));
    let KeyState::Retiring { until } = state(&rotated, &active) else { panic!() };
    assert!(rotated.roll_back(&PLAN, until.minus(secs(1))).is_ok());
    assert_eq!(kind(rotated.roll_back(&PLAN, until)), KeyRingErrorKind::Refused);
}

/// Otherwise two steps would do what one of them may not: a young key signs, and nothing records why.
#[test]
fn a_retiring_key_that_is_too_young_does_not_sign_again() {
    let (document, active, standby) = first();
    let later = ready().plus(secs(60));
    let document = document.add_standby(key(), later).unwrap().with_longest_life(secs(86_400));
    let young = document.keys().last().unwrap().id().to_owned();
    // It signs for a moment, and is replaced.
    let document = document.danger_activate(&young, "test", &PLAN, later).unwrap();
    let document = document.activate(&standby, &PLAN, later).unwrap();
    let old_enough = PLAN.signs_from(later);
    for early in [later, old_enough.minus(secs(1))] {
        let error = document.activate(&young, &PLAN, early).unwrap_err();
        assert_eq!((error.kind(), error.earliest()), (KeyRingErrorKind::TooEarly, Some(old_enough)));
    }
    assert_eq!(document.activate(&active, &PLAN, later).unwrap().active().unwrap().id(), active);
    // The same for the way back.
    let back = document.danger_activate(&young, "again", &PLAN, later).unwrap();
    let back = back.activate(&standby, &PLAN, later).unwrap().danger_remove(&active, "gone", later).unwrap();
    let error = back.roll_back(&PLAN, later).unwrap_err();
    assert_eq!((error.kind(), error.earliest()), (KeyRingErrorKind::TooEarly, Some(old_enough)));
}

#[test]
fn a_standby_that_never_signed_is_removed_at_once() {
    let (document, active, standby) = first();
    assert!(document.retire(&standby, &PLAN, NOW).unwrap().key(&standby).is_none());
    assert_eq!(kind(document.retire(&active, &PLAN, NOW)), KeyRingErrorKind::Refused);
    assert_eq!(kind(document.retire("other", &PLAN, NOW)), KeyRingErrorKind::Refused);
}

#[test]
fn after_a_leak_the_old_standby_signs_and_a_new_one_is_added() {
    let (document, active, standby) = first();
    let spare = key();
    let revoked = document.revoke(&active, "laptop stolen", spare.clone(), &PLAN, ready()).unwrap();
    assert_eq!(state(&revoked, &active), KeyState::Revoked);
    assert_eq!(state(&revoked, &standby), KeyState::Active);
    assert_eq!(state(&revoked, spare.id()), KeyState::Standby);
    assert_eq!(revoked.forced().len(), 1, "a record of the leak, and none of a forced activation");
    // The private part is gone, and the state is permanent.
    let text = revoked.to_text();
    assert_eq!(text.matches("danger_unsealed").count(), 2);
    assert_eq!(kind(revoked.activate(&active, &PLAN, ready())), KeyRingErrorKind::Refused);
    assert_eq!(revoked.revoke(&active, "again", key(), &PLAN, ready()).unwrap(), revoked);
    // It is remembered for as long as its tokens live.
    let forgotten_at = PLAN.published_until(ready(), Duration::ZERO);
    assert!(revoked.prune(forgotten_at.minus(secs(1))).key(&active).is_some());
    assert!(revoked.prune(forgotten_at).key(&active).is_none());
}

#[test]
fn a_leak_before_the_standby_is_old_enough_is_recorded_as_forced() {
    let (document, active, standby) = first();
    let early = ready().minus(secs(1));
    let revoked = document.revoke(&active, "leaked", key(), &PLAN, early).unwrap();
    assert_eq!(revoked.active().unwrap().id(), standby);
    let forced = revoked.forced().last().unwrap();
    assert_eq!((forced.step.as_str(), forced.safe_from), ("activate", Some(ready())));
    assert_eq!(kind(document.revoke(&active, "", key(), &PLAN, early)), KeyRingErrorKind::Refused);
}

#[test]
fn without_any_standby_a_new_key_signs_after_a_leak() {
    let (document, active, standby) = first();
    let document = document.retire(&standby, &PLAN, NOW).unwrap();
    let spare = key();
    let revoked = document.revoke(&active, "leaked", spare.clone(), &PLAN, ready()).unwrap();
    assert_eq!(revoked.active().unwrap().id(), spare.id());
}

#[test]
fn warnings_say_what_a_leak_would_cost() {
    let (document, _, standby) = first();
    let young = RingWarning::StandbyTooYoung { key: standby.clone(), ready_at: ready() };
    assert_eq!(document.warnings(&PLAN, NOW), [young, RingWarning::Unsealed]);
    assert_eq!(document.warnings(&PLAN, ready()), [RingWarning::Unsealed]);
    let none = document.retire(&standby, &PLAN, NOW).unwrap();
    let cost = PLAN.learned_by_all();
    let warnings = none.warnings(&PLAN, ready());
    assert_eq!(warnings[0], RingWarning::NoStandby { cost });
    assert!(warnings[0].to_string().contains("up to 13 h 5 min"), "{}", warnings[0]);
}

#[test]
fn a_ring_has_either_secrets_or_private_keys_and_not_too_many() {
    let (mut document, ..) = first();
    let secret = RingKey::generate(Algorithm::Hs256, &Sealing::danger_none()).unwrap();
    assert_eq!(kind(document.add_standby(secret, NOW)), KeyRingErrorKind::Refused);
    let again = document.active().unwrap().clone();
    assert_eq!(kind(document.add_standby(again, NOW)), KeyRingErrorKind::Refused);
    let other = RingKey::generate(Algorithm::Es256, &Sealing::danger_none()).unwrap();
    document = document.add_standby(other, NOW).unwrap();
    while document.keys().len() < RingDocument::MOST_KEYS {
        document = document.add_standby(key(), NOW).unwrap();
    }
    assert_eq!(kind(document.add_standby(key(), NOW)), KeyRingErrorKind::Refused);
}

#[test]
fn a_document_comes_back_from_its_text_as_it_was() {
    let (document, active, _) = first();
    let document = document.rotate(&PLAN, ready()).unwrap().add_standby(key(), ready()).unwrap();
    let document = document.revoke(&active, "\"<leaked>\"\n", key(), &PLAN, ready()).unwrap();
    assert_eq!(RingDocument::parse(&document.to_text()).unwrap(), document);
}

/// The next version has to read what this one wrote.
#[tokio::test]
async fn the_document_of_version_1_is_read() {
    let document = RingDocument::parse(FIXTURE).unwrap();
    let (covered, _) = FIXTURE.split_once(",\"mac\":").unwrap();
    assert_eq!(*document.to_text(), format!("{covered}}}"));
    let states: Vec<_> = document.keys().map(RingKey::state).collect();
    let until = UnixTime::from_secs(1_800_048_501);
    assert_eq!(states, [KeyState::Revoked, KeyState::Retiring { until }, KeyState::Active, KeyState::Standby]);
    assert_eq!(document.active().unwrap().longest_life(), secs(600));
    assert_eq!(document.forced().len(), 1);
    // Its private keys are opened, and sign.
    let store = MemorySigningKeys::new();
    store.restore(Some(FIXTURE.trim_end()));
    let clock = FixedClock::at(ready().plus(secs(60)));
    let ring = KeyRing::builder(store, Algorithm::EdDsa, SealingKey::new([7; 32]).unwrap()).clock(clock.clone());
    let ring = ring.start().await.unwrap();
    assert_eq!(ring.document().active().unwrap().id(), document.active().unwrap().id());
    let issuer = TokenIssuer::new(TokenSpec::new("https://id.test").audience("https://orders.test"), ring).unwrap();
    assert!(issuer.clock(clock).mint(&AccessToken::for_user("alice", "web")).await.is_ok());
}

#[test]
fn a_document_of_a_later_version_is_refused_and_so_is_one_that_is_not_understood() {
    let (document, active, standby) = first();
    let text = document.to_text();
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        RingDocument::parse(&text.replacen(from, to, 1))
    };
    assert!(changed("\"v\":1", "\"v\":1").is_ok());
    let later = changed("\"v\":1", "\"v\":2").unwrap_err();
    assert_eq!(later.kind(), KeyRingErrorKind::LaterVersion);
    assert!(later.to_string().contains("version 2"), "{later}");
    for (from, to) in [
        ("\"serial\":", "\"sequence\":0,\"serial\":"),
        ("\"state\":\"standby\"", "\"state\":\"active\""),
        ("\"state\":\"standby\"", "\"state\":\"retiring\""),
        ("\"state\":\"standby\"", "\"state\":\"revoked\""),
        ("EdDSA", "none"),
        (&standby, &active),
        ("danger_unsealed", "hidden"),
        ("\"v\":1,", ""),
    ] {
        let error = changed(from, to).unwrap_err();
        assert_eq!(error.kind(), KeyRingErrorKind::Document, "{from}: {error}");
    }
    for text in ["", "[]", "{\"v\":1}", "{\"v\":1,\"serial\":1,\"keys\":[]}"] {
        assert_eq!(kind(RingDocument::parse(text)), KeyRingErrorKind::Document, "{text}");
    }
}

#[test]
fn no_private_key_is_in_debug_output_or_errors() {
    let (document, ..) = first();
    let text = document.to_text();
    let private = text.split("danger_unsealed\":\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(private.len() > 60);
    assert!(!format!("{document:?}").contains(&private[..20]));
    let broken = text.replacen(&private[..20], "\u{1}", 1);
    assert!(!format!("{:?}", RingDocument::parse(&broken)).contains(&private[20..40]));
    let sealing = SealingKey::new([0x41; 32]).unwrap();
    assert!(!format!("{sealing:?}").contains("AAAA"));
}

#[test]
fn a_sealing_key_has_32_bytes() {
    assert!(SealingKey::new([1; 32]).is_ok());
    for len in [0, 16, 31, 33] {
        let error = SealingKey::new(vec![1; len]).unwrap_err().to_string();
        assert!(error.contains("openssl rand 32"), "{error}");
    }
}

#[test]
fn the_timeline_is_text_and_an_image() {
    let (document, active, standby) = first();
    let document = document.danger_activate(&standby, "<b>&\u{202e}", &PLAN, NOW).unwrap();
    let timeline = Timeline::new(&document, &PLAN, NOW);
    let text = timeline.to_string();
    assert!(text.starts_with("Keys at 2027-01-15 08:00:00 UTC\n"), "{text}");
    for part in [
        format!("{standby} (EdDSA), active"),
        format!("{active} (EdDSA), retiring"),
        "2027-01-15 08:12:10 UTC  published until then".to_owned(),
        "stop using it within 10 s, and verifiers that only know the published key set within 13 h 5 min".to_owned(),
        "Warning: there is no standby".to_owned(),
        "because: <b>&\\u{202e} (safe at 2027-01-15 21:06:11 UTC)".to_owned(),
    ] {
        assert!(text.contains(&part), "{part} in {text}");
    }
    assert_eq!(timeline.emergency(), PLAN.learned_by_all());
    let svg = timeline.to_svg();
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && svg.ends_with("</svg>"));
    assert!(svg.contains("<title id=\"t\">") && svg.contains("<desc id=\"d\">") && svg.contains("role=\"img\""));
    assert!(svg.contains("prefers-color-scheme:dark"));
    assert!(!svg.contains("<b>") && svg.contains("&lt;b&gt;&amp;"), "{svg}");
    assert!(!svg.contains("href") && !svg.contains("<script"));
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
