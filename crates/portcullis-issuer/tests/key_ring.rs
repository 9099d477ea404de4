//! Tests key rings: several instances over one store, steps, hot reload, leaks, faults of the store.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::{
    collections::{BTreeSet, HashSet},
    error::Error,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use portcullis_core::{
    Admission, Algorithm, Clock, Code, JwtAuthenticator, KeySet,
    keys::{KeySource, KeyState},
    policy::TokenSpec,
};
use portcullis_issuer::{
    AccessToken, MintErrorKind, SignErrorKind, TokenIssuer,
    key_ring::{
        DocumentVersion, KeyEvent, KeyPlan, KeyRing, KeyRingBuilder, KeyRingErrorKind, MemorySigningKeys, Replaced,
        RingDocument, Rotation, Sealing, SealingKey, SigningKeys, StoredDocument,
    },
    refresh::StoreError,
};
use portcullis_test::FixedClock;
use serde_json::Value;
use tokio::task::JoinSet;

const SERVICE: &str = "https://orders.test";
const EDDSA: Algorithm = Algorithm::EdDsa;

fn spec() -> TokenSpec {
    TokenSpec::new("https://id.test").audience(SERVICE)
}

fn sealing() -> SealingKey {
    SealingKey::new([7; 32]).unwrap()
}

fn builder(store: impl SigningKeys, clock: &FixedClock) -> KeyRingBuilder {
    KeyRing::builder(store, EDDSA, sealing()).clock(clock.clone())
}

async fn start(store: impl SigningKeys, clock: &FixedClock) -> KeyRing {
    builder(store, clock).start().await.unwrap()
}

fn issuer(ring: &KeyRing, clock: &FixedClock) -> TokenIssuer {
    TokenIssuer::new(spec(), ring.clone()).unwrap().clock(clock.clone())
}

fn admission(keys: impl KeySource, clock: &FixedClock) -> Admission {
    Admission::new(JwtAuthenticator::new(spec().trusted_at(SERVICE, keys).unwrap()).unwrap()).clock(clock.clone())
}

async fn mint(issuer: &TokenIssuer) -> String {
    issuer.mint(&AccessToken::for_user("alice", "web")).await.unwrap().token().to_owned()
}

fn active(ring: &KeyRing) -> String {
    ring.document().active().unwrap().id().to_owned()
}

fn states(ring: &KeyRing) -> Vec<&'static str> {
    let name = |state| match state {
        KeyState::Standby => "standby",
        KeyState::Active => "active",
        KeyState::Retiring { .. } => "retiring",
        KeyState::Revoked => "revoked",
        _ => "other",
    };
    ring.document().keys().map(|key| name(key.state())).collect()
}

/// Lets the time pass after which the standby is old enough. Each instance reads the document then.
async fn until_ready(clock: &FixedClock, rings: &[&KeyRing]) {
    clock.advance(rings[0].plan().standby_time());
    for ring in rings {
        ring.reload().await.unwrap();
    }
}

/// A store that fails when it is told to.
#[derive(Clone, Debug, Default)]
struct Faulty {
    store: MemorySigningKeys,
    cannot_load: Arc<AtomicBool>,
    cannot_replace: Arc<AtomicBool>,
    /// It stores the change, and does not say so.
    hides_success: Arc<AtomicBool>,
    replaced: Arc<AtomicUsize>,
}

impl SigningKeys for Faulty {
    async fn load(&self) -> Result<Option<StoredDocument>, StoreError> {
        if self.cannot_load.load(Ordering::SeqCst) {
            return Err(StoreError::new("as the test wants it"));
        }
        self.store.load().await
    }

    async fn replace(&self, expected: Option<DocumentVersion>, text: &str) -> Result<Replaced, StoreError> {
        if self.cannot_replace.load(Ordering::SeqCst) {
            return Err(StoreError::new("as the test wants it"));
        }
        self.replaced.fetch_add(1, Ordering::SeqCst);
        // Others have their turn between a load and the change that follows from it.
        tokio::task::yield_now().await;
        let outcome = self.store.replace(expected, text).await;
        if self.hides_success.load(Ordering::SeqCst) { Err(StoreError::new("lost answer")) } else { outcome }
    }
}

/// Field bug, Duende Support#1241: three pods make three keys, and sign with all of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn pitfall_11_three_instances_that_start_at_once_have_one_active_key() {
    let clock = FixedClock::default();
    for round in 0..100 {
        let store = Faulty::default();
        let mut starting = JoinSet::new();
        for _ in 0..3 {
            starting.spawn(builder(store.clone(), &clock).start());
        }
        let rings: Vec<_> = starting.join_all().await.into_iter().map(Result::unwrap).collect();
        let documents: HashSet<_> = rings.iter().map(|ring| ring.document().to_text().to_string()).collect();
        assert_eq!(documents.len(), 1, "round {round}");
        assert_eq!(states(&rings[0]), ["active", "standby"], "round {round}");
        let token = mint(&issuer(&rings[0], &clock)).await;
        assert!(admission(rings[2].clone(), &clock).verify(&token).outcome().await.is_ok(), "round {round}");
    }
}

/// Three that rotate at once take one step: the second standby is not old enough.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn instances_that_rotate_at_once_take_one_step() {
    let (store, clock) = (Faulty::default(), FixedClock::default());
    let rings = [start(store.clone(), &clock).await, start(store.clone(), &clock).await, start(store, &clock).await];
    until_ready(&clock, &[&rings[0], &rings[1], &rings[2]]).await;
    let mut steps = JoinSet::new();
    for ring in rings.clone() {
        steps.spawn(async move { ring.rotate().await });
    }
    let outcomes = steps.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    let refused = outcomes.into_iter().filter_map(Result::err);
    assert!(refused.into_iter().all(|error| error.kind() == KeyRingErrorKind::TooEarly));
    rings[0].reload().await.unwrap();
    assert_eq!(states(&rings[0]), ["retiring", "active", "standby"]);
}

#[tokio::test]
async fn a_refused_step_names_its_instant_and_changes_nothing() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let ring = start(store.clone(), &clock).await;
    let (before, published_at) = (store.dump(), clock.now());
    let error = ring.rotate().await.unwrap_err();
    assert_eq!(error.kind(), KeyRingErrorKind::TooEarly);
    assert_eq!(error.earliest(), Some(ring.plan().signs_from(published_at)));
    assert_eq!(store.dump(), before);
    until_ready(&clock, &[&ring]).await;
    ring.rotate().await.unwrap();
    assert_eq!(states(&ring), ["retiring", "active", "standby"]);
}

#[tokio::test]
async fn a_rotation_refuses_no_token_and_the_old_key_goes_in_its_time() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let (ring, other) = (start(store.clone(), &clock).await, start(store, &clock).await);
    let (issuer, admission) = (issuer(&ring, &clock), admission(other.clone(), &clock));
    mint(&issuer).await;
    until_ready(&clock, &[&ring, &other]).await;
    let (old, old_token) = (active(&ring), mint(&issuer).await);
    ring.rotate().await.unwrap();
    let new_token = mint(&issuer).await;
    // The other instance has not read the document since: it knows the new key from its time on standby.
    for token in [&old_token, &new_token] {
        assert!(admission.verify(token).outcome().await.is_ok());
    }
    let until = ring.plan().published_until(clock.now(), secs(600));
    assert_eq!(ring.document().key(&old).unwrap().state(), KeyState::Retiring { until });
    clock.advance(until.since(clock.now()) - secs(1));
    ring.reload().await.unwrap();
    assert!(ring.published().unwrap().unwrap().body().contains(&old));
    clock.advance(secs(1));
    ring.reload().await.unwrap();
    assert!(!ring.published().unwrap().unwrap().body().contains(&old));
    assert_eq!(states(&ring), ["active", "standby"]);
}

/// D13: revoke the active key under load.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leak_drill_loses_no_request_with_a_new_token() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let rings = [start(store.clone(), &clock).await, start(store.clone(), &clock).await, start(store, &clock).await];
    mint(&issuer(&rings[0], &clock)).await;
    until_ready(&clock, &[&rings[0], &rings[1], &rings[2]]).await;
    // A foreign verifier: it has fetched the key set before the leak, and does not fetch it again during the drill.
    let published: KeySet =
        serde_json::from_str::<Value>(rings[0].published().unwrap().unwrap().body()).unwrap()["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|jwk| portcullis_core::keys::VerifyingKey::from_jwk(&jwk.to_string()).unwrap())
            .collect();
    let foreign = Arc::new(admission(published, &clock));
    let leaked = active(&rings[0]);
    let old_token = mint(&issuer(&rings[0], &clock)).await;
    assert!(foreign.verify(&old_token).outcome().await.is_ok());
    let (stop, lost, verified) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut load = JoinSet::new();
    for ring in &rings {
        let (issuer, clock, foreign) = (issuer(ring, &clock), clock.clone(), Arc::clone(&foreign));
        let own = admission(rings[2].clone(), &clock);
        let (stop, lost, verified) = (Arc::clone(&stop), Arc::clone(&lost), Arc::clone(&verified));
        let (ring, leaked) = (ring.clone(), leaked.clone());
        load.spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                let is_new = active(&ring) != leaked;
                let token = mint(&issuer).await;
                // Verifiers of this issuer refuse the leaked key from the moment they know: a token of it is not a new one.
                let accepted = foreign.verify(&token).outcome().await.is_ok()
                    && (!is_new || own.verify(&token).outcome().await.is_ok());
                lost.fetch_add(usize::from(!accepted), Ordering::SeqCst);
                verified.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
            }
        });
    }
    let wait_for = async |more: usize| {
        let until = verified.load(Ordering::SeqCst) + more;
        while verified.load(Ordering::SeqCst) < until {
            tokio::task::yield_now().await;
        }
    };
    wait_for(100).await;
    rings[0].revoke(&leaked, "drill").await.unwrap();
    wait_for(100).await;
    for ring in &rings {
        ring.reload().await.unwrap();
    }
    wait_for(100).await;
    stop.store(true, Ordering::SeqCst);
    while load.join_next().await.is_some() {}
    assert_eq!(lost.load(Ordering::SeqCst), 0);
    for ring in &rings {
        assert_ne!(active(ring), leaked);
        let refused = admission(ring.clone(), &clock).verify(&old_token).outcome().await.unwrap_err();
        assert_eq!(refused.code(), Code::KeyUnknown);
        assert!(!ring.published().unwrap().unwrap().body().contains(&leaked));
    }
    assert_eq!(states(&rings[1]), ["revoked", "active", "standby"]);
}

#[tokio::test]
async fn a_cached_token_of_a_revoked_key_is_refused() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let ring = start(store, &clock).await;
    let (token, admission) = (mint(&issuer(&ring, &clock)).await, admission(ring.clone(), &clock));
    for _ in 0..2 {
        assert!(admission.verify(&token).outcome().await.is_ok());
    }
    ring.revoke(&active(&ring), "leaked").await.unwrap();
    assert_eq!(admission.verify(&token).outcome().await.unwrap_err().code(), Code::KeyUnknown);
}

#[tokio::test]
async fn a_rotation_is_rolled_back() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let ring = start(store, &clock).await;
    let first = active(&ring);
    until_ready(&clock, &[&ring]).await;
    ring.rotate().await.unwrap();
    let token = mint(&issuer(&ring, &clock)).await;
    ring.roll_back().await.unwrap();
    assert_eq!(active(&ring), first);
    assert!(admission(ring.clone(), &clock).verify(&token).outcome().await.is_ok());
    assert_eq!(ring.roll_back().await.unwrap_err().kind(), KeyRingErrorKind::Refused);
}

/// Each instance has a task that reads the document, on its own time.
#[tokio::test(start_paused = true)]
async fn a_change_reaches_every_instance_without_a_restart() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let rings = [start(store.clone(), &clock).await, start(store.clone(), &clock).await, start(store, &clock).await];
    let leaked = active(&rings[0]);
    rings[0].revoke(&leaked, "leaked").await.unwrap();
    assert_eq!(active(&rings[2]), leaked);
    tokio::time::sleep(secs(11)).await;
    for ring in &rings {
        assert_ne!(active(ring), leaked);
    }
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_with_the_last_handle() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let ring = start(store.clone(), &clock).await;
    let other = ring.clone();
    drop(ring);
    store.restore(None);
    tokio::time::sleep(secs(11)).await;
    assert!(store.dump().is_some(), "the task has put it back");
    drop(other);
    store.restore(None);
    tokio::time::sleep(secs(3600)).await;
    assert!(store.dump().is_none());
}

#[tokio::test]
async fn keys_are_replaced_by_themselves_if_they_are_told_to() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let ring = builder(store, &clock).rotation(Rotation::AUTOMATIC).start().await.unwrap();
    let first = active(&ring);
    clock.advance(secs(90 * 86_400 - 1));
    ring.reload().await.unwrap();
    assert_eq!(active(&ring), first);
    clock.advance(secs(1));
    ring.reload().await.unwrap();
    assert_ne!(active(&ring), first);
    assert_eq!(states(&ring), ["retiring", "active", "standby"]);
}

#[tokio::test]
async fn a_ring_that_rotates_faster_than_its_plan_is_refused() {
    let often =
        |interval| builder(MemorySigningKeys::new(), &FixedClock::default()).rotation(Rotation::Every(interval));
    let standby = KeyPlan::new().standby_time();
    assert!(often(standby).start().await.is_ok());
    let error = often(standby - secs(1)).start().await.unwrap_err();
    assert_eq!(error.kind(), KeyRingErrorKind::Config);
    assert!(error.source().unwrap().to_string().contains("rotate less often"));
}

/// Field bug, Duende #224: keys unreadable after a restart.
#[tokio::test]
async fn keys_under_another_sealing_key_are_an_error_that_says_what_to_do_and_no_new_keys() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let first = start(store.clone(), &clock).await;
    let before = store.dump();
    let restart = |sealing: Sealing| KeyRing::builder(store.clone(), EDDSA, sealing).clock(clock.clone()).start();
    let other = SealingKey::new([8; 32]).unwrap();
    let error = restart(other.clone().into()).await.unwrap_err();
    assert_eq!(error.kind(), KeyRingErrorKind::Sealing);
    let text = error.to_string();
    assert!(text.contains("the sealing key of before") && text.contains("SealingKey::earlier"), "{text}");
    let error = restart(Sealing::danger_none()).await.unwrap_err();
    assert_eq!(error.kind(), KeyRingErrorKind::Sealing);
    assert_eq!(store.dump(), before, "the keys are still there");
    let again = restart(sealing().into()).await.unwrap();
    assert_eq!(active(&again), active(&first));
    let changed = restart(other.earlier([7; 32]).unwrap().into()).await.unwrap();
    assert_eq!(active(&changed), active(&first));
}

/// With write access to the store alone, no key can be added: an unsealed one is refused, and a sealed one fits its own id only.
#[tokio::test]
async fn a_key_that_was_not_sealed_by_this_ring_is_refused() {
    let (store, other, clock) = (MemorySigningKeys::new(), MemorySigningKeys::new(), FixedClock::default());
    start(store.clone(), &clock).await;
    KeyRing::builder(other.clone(), EDDSA, Sealing::danger_none()).clock(clock.clone()).start().await.unwrap();
    let unsealed = MemorySigningKeys::new();
    unsealed.restore(other.dump().as_deref());
    let error = builder(unsealed, &clock).start().await.unwrap_err();
    assert_eq!(error.kind(), KeyRingErrorKind::Sealing);
    // The private part of one key under the id of the other.
    let mut document: Value = serde_json::from_str(&store.dump().unwrap()).unwrap();
    document["keys"][0]["sealed"] = document["keys"][1]["sealed"].clone();
    let swapped = MemorySigningKeys::new();
    swapped.restore(Some(&document.to_string()));
    assert_eq!(builder(swapped, &clock).start().await.unwrap_err().kind(), KeyRingErrorKind::Sealing);
    assert!(builder(store, &clock).start().await.is_ok());
}

#[tokio::test]
async fn a_store_has_no_private_key_unless_that_was_asked_for() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    start(store.clone(), &clock).await;
    let text = store.dump().unwrap();
    assert!(text.contains("\"sealed\":") && !text.contains("danger_unsealed"));
    let unsealed = MemorySigningKeys::new();
    let ring = KeyRing::builder(unsealed.clone(), EDDSA, Sealing::danger_none()).start().await.unwrap();
    assert!(unsealed.dump().unwrap().contains("danger_unsealed"));
    assert!(ring.warnings().contains(&portcullis_issuer::key_ring::RingWarning::Unsealed));
}

#[tokio::test]
async fn a_document_of_a_later_version_is_left_alone() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let later = "{\"v\":2,\"keys\":{}}";
    store.restore(Some(later));
    let error = builder(store.clone(), &clock).start().await.unwrap_err();
    assert_eq!(error.kind(), KeyRingErrorKind::LaterVersion);
    assert_eq!(store.dump().as_deref(), Some(later));
}

#[tokio::test]
async fn a_ring_that_cannot_read_its_document_goes_on_for_a_while_and_then_fails_closed() {
    let (store, clock) = (Faulty::default(), FixedClock::default());
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&events);
    let listener = move |event: &KeyEvent| heard.lock().unwrap().push(format!("{event:?}"));
    let ring = builder(store.clone(), &clock).on_event(listener).start().await.unwrap();
    let (issuer, admission) = (issuer(&ring, &clock), admission(ring.clone(), &clock));
    let token = mint(&issuer).await;
    assert!(admission.verify(&token).outcome().await.is_ok());
    events.lock().unwrap().clear();
    store.cannot_load.store(true, Ordering::SeqCst);
    clock.advance(secs(310));
    for _ in 0..2 {
        assert_eq!(ring.reload().await.unwrap_err().kind(), KeyRingErrorKind::Store);
    }
    assert!(admission.verify(&token).outcome().await.is_ok());
    assert!(ring.published().is_ok() && ring.key_set().is_ok());
    mint(&issuer).await;
    clock.advance(secs(1));
    let error = issuer.mint(&AccessToken::for_user("alice", "web")).await.unwrap_err();
    assert_eq!(error.kind(), MintErrorKind::Signature);
    let source = error.source().unwrap().downcast_ref::<portcullis_issuer::SignError>().unwrap();
    assert_eq!(source.kind(), SignErrorKind::Unavailable);
    assert!(source.to_string().contains("last read 311 s ago"), "{source}");
    // Not "refused": it could not be decided. The token is in the cache, too.
    let error = admission.verify(&token).outcome().await.unwrap_err();
    assert_eq!(error.code(), Code::KeysUnavailable);
    assert!(ring.published().is_err() && ring.key_set().is_err());
    store.cannot_load.store(false, Ordering::SeqCst);
    ring.reload().await.unwrap();
    assert!(admission.verify(&token).outcome().await.is_ok());
    mint(&issuer).await;
    let events = events.lock().unwrap();
    assert!(matches!(&events[..], [a, b] if a.starts_with("Unreadable") && b == "Readable"), "{events:?}");
}

/// A machine that slept: its uptime stood still.
#[tokio::test]
async fn the_age_of_the_document_counts_the_wall_clock_too() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let ring = start(store, &clock).await;
    clock.set(FixedClock::DEFAULT.plus(secs(311)));
    assert!(ring.published().is_err());
    ring.reload().await.unwrap();
    clock.set(FixedClock::DEFAULT);
    assert!(ring.published().is_ok());
    clock.advance(secs(311));
    assert!(ring.published().is_err(), "the wall clock was set back, and the uptime counts");
}

#[tokio::test]
async fn a_longer_life_is_recorded_before_the_first_such_token_is_signed() {
    let (store, clock) = (Faulty::default(), FixedClock::default());
    let ring = start(store.clone(), &clock).await;
    let issuer = |lifetime| {
        let spec = spec().lifetime(secs(lifetime));
        TokenIssuer::new(spec, ring.clone()).unwrap().clock(clock.clone())
    };
    let longest = || RingDocument::parse(&store.store.dump().unwrap()).unwrap().active().unwrap().longest_life();
    assert_eq!(longest(), Duration::ZERO);
    mint(&issuer(600)).await;
    assert_eq!(longest(), secs(600));
    let writes = store.replaced.load(Ordering::SeqCst);
    mint(&issuer(600)).await;
    mint(&issuer(60)).await;
    assert_eq!((longest(), store.replaced.load(Ordering::SeqCst)), (secs(600), writes));
    store.cannot_replace.store(true, Ordering::SeqCst);
    let refused = issuer(601).mint(&AccessToken::for_user("alice", "web")).await.unwrap_err();
    assert_eq!(refused.kind(), MintErrorKind::Signature);
    assert_eq!(longest(), secs(600));
    mint(&issuer(600)).await;
    store.cannot_replace.store(false, Ordering::SeqCst);
    mint(&issuer(601)).await;
    assert_eq!(longest(), secs(601));
    // Keys that are added later know it from the start.
    ring.add_standby().await.unwrap();
    assert!(ring.document().keys().all(|key| key.longest_life() == secs(601)));
}

#[tokio::test]
async fn a_store_that_lost_changes_gets_them_back() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&events);
    let listener = move |event: &KeyEvent| heard.lock().unwrap().push(format!("{event:?}"));
    let ring = builder(store.clone(), &clock).on_event(listener).start().await.unwrap();
    let (old, leaked) = (store.dump(), active(&ring));
    ring.revoke(&leaked, "leaked").await.unwrap();
    let new = ring.document();
    for lost in [old.as_deref(), None] {
        events.lock().unwrap().clear();
        store.restore(lost);
        ring.reload().await.unwrap();
        assert!(ring.document().keys().eq(new.keys()));
        let stored = RingDocument::parse(&store.dump().unwrap()).unwrap();
        assert!(stored.keys().eq(new.keys()) && stored.serial() > new.serial());
        assert_eq!(*events.lock().unwrap(), ["LostChanges"]);
    }
}

/// Another instance went on from a backup, and its document is later by number.
#[tokio::test]
async fn a_revoked_key_does_not_come_back_with_a_backup() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let ring = start(store.clone(), &clock).await;
    let (old, leaked) = (store.dump().unwrap(), active(&ring));
    ring.revoke(&leaked, "leaked").await.unwrap();
    store.restore(Some(&old));
    let ignorant = start(store.clone(), &clock).await;
    for _ in 0..5 {
        ignorant.add_standby().await.unwrap();
    }
    assert_eq!(active(&ignorant), leaked);
    ring.reload().await.unwrap();
    ignorant.reload().await.unwrap();
    for ring in [&ring, &ignorant] {
        assert_eq!(ring.document().key(&leaked).unwrap().state(), KeyState::Revoked);
        assert_ne!(active(ring), leaked);
    }
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_found_by_the_next_read() {
    let (store, clock) = (Faulty::default(), FixedClock::default());
    let ring = start(store.clone(), &clock).await;
    until_ready(&clock, &[&ring]).await;
    let first = active(&ring);
    store.hides_success.store(true, Ordering::SeqCst);
    assert_eq!(ring.rotate().await.unwrap_err().kind(), KeyRingErrorKind::Store);
    store.hides_success.store(false, Ordering::SeqCst);
    assert_eq!(ring.rotate().await.unwrap_err().kind(), KeyRingErrorKind::TooEarly, "it was taken");
    assert_ne!(active(&ring), first);
}

#[tokio::test]
async fn the_published_set_has_every_public_key_and_the_headers_of_the_plan() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let ring = start(store, &clock).await;
    let published = ring.published().unwrap().unwrap();
    assert_eq!(published.cache_control(), "public, max-age=300");
    assert_eq!(published.content_type(), "application/jwk-set+json");
    assert!(published.etag().starts_with('"') && published.etag().ends_with('"'));
    let set: Value = serde_json::from_str(published.body()).unwrap();
    let ids: Vec<_> =
        set["keys"].as_array().unwrap().iter().map(|jwk| jwk["kid"].as_str().unwrap().to_owned()).collect();
    assert!(ring.document().keys().map(portcullis_issuer::key_ring::RingKey::id).eq(ids.iter()));
    let members = ["alg", "crv", "kid", "kty", "use", "x"];
    for jwk in set["keys"].as_array().unwrap() {
        let names: BTreeSet<_> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(names.into_iter().eq(members), "{jwk}");
    }
    ring.revoke(&ids[0], "leaked").await.unwrap();
    let after = ring.published().unwrap().unwrap();
    assert!(!after.body().contains(&ids[0]) && after.body().contains(&ids[1]));
    assert_ne!(after.etag(), published.etag());
}

#[tokio::test]
async fn a_ring_of_secrets_publishes_nothing_and_rotates_by_its_own_plan() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let builder = || KeyRing::builder(store.clone(), Algorithm::Hs256, sealing()).clock(clock.clone());
    let (ring, other) = (builder().start().await.unwrap(), builder().start().await.unwrap());
    assert!(ring.published().unwrap().is_none());
    assert_eq!(ring.key_set().unwrap().len(), 2);
    assert_eq!(ring.plan().standby_time(), secs(681));
    let (issuer, admission) = (issuer(&ring, &clock), admission(other.clone(), &clock));
    let old = mint(&issuer).await;
    assert!(admission.verify(&old).outcome().await.is_ok());
    until_ready(&clock, &[&ring, &other]).await;
    ring.rotate().await.unwrap();
    assert!(admission.verify(&mint(&issuer).await).outcome().await.is_ok());
    // It does not become a ring of published keys.
    let mixed = KeyRing::builder(store.clone(), EDDSA, sealing()).clock(clock.clone()).start().await;
    assert_eq!(mixed.unwrap_err().kind(), KeyRingErrorKind::Config);
}

#[tokio::test]
async fn a_new_algorithm_begins_with_the_next_standby() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    drop(start(store.clone(), &clock).await);
    let ring = KeyRing::builder(store, Algorithm::Es256, sealing()).clock(clock.clone()).start().await.unwrap();
    let issuer = issuer(&ring, &clock);
    let admission = admission(ring.clone(), &clock);
    for _ in 0..2 {
        assert!(admission.verify(&mint(&issuer).await).outcome().await.is_ok());
        until_ready(&clock, &[&ring]).await;
        ring.rotate().await.unwrap();
    }
    assert_eq!(ring.document().active().unwrap().algorithm(), Algorithm::Es256);
    // A specification that does not allow the active key mints nothing.
    let strict = TokenIssuer::new(spec().algorithms(Algorithm::Es256), ring.clone()).unwrap().clock(clock.clone());
    mint(&strict).await;
    ring.danger_activate(&oldest_eddsa(&ring), "test").await.unwrap();
    let error = strict.mint(&AccessToken::for_user("alice", "web")).await.unwrap_err();
    assert!(error.source().unwrap().to_string().contains("does not allow"), "{error:?}");
}

fn oldest_eddsa(ring: &KeyRing) -> String {
    let document = ring.document();
    let key = document.keys().find(|key| key.algorithm() == EDDSA && key.state() != KeyState::Active);
    key.unwrap().id().to_owned()
}

#[tokio::test]
async fn events_tell_what_happens_to_keys() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&events);
    let listener = move |event: &KeyEvent| {
        let text = format!("{event:?}");
        heard.lock().unwrap().push(text.split([' ', '(']).next().unwrap().to_owned());
    };
    let told = || std::mem::take(&mut *events.lock().unwrap());
    let watching = builder(store.clone(), &clock).on_event(listener).start().await.unwrap();
    let acting = start(store, &clock).await;
    assert!(told().is_empty());
    until_ready(&clock, &[&acting, &watching]).await;
    acting.rotate().await.unwrap();
    watching.reload().await.unwrap();
    assert_eq!(told(), ["Retiring", "Activated", "Added"]);
    acting.revoke(&active(&acting), "leaked").await.unwrap();
    watching.reload().await.unwrap();
    let told_now = told();
    assert!(told_now.starts_with(&["Revoked".to_owned(), "Activated".to_owned()]), "{told_now:?}");
    assert_eq!(
        told_now.iter().filter(|event| *event == "Forced").count(),
        2,
        "the leak, and a standby that is too young"
    );
    clock.advance(secs(86_400));
    watching.reload().await.unwrap();
    assert_eq!(told(), ["Removed", "Removed"]);
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
