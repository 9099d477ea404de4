//! Tests key rings whose document cannot be read, was written by others, or has lost changes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "key_ring/support.rs"]
mod support;

use std::{
    error::Error,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use portcullis_core::{Algorithm, Code, keys::KeyState};
use portcullis_issuer::{
    AccessToken, CurrentSigner, MintErrorKind, SignErrorKind, TokenIssuer,
    key_ring::{
        KeyEvent, KeyRing, KeyRingError, KeyRingErrorKind, MemorySigningKeys, RingDocument, Sealing, SealingKey,
    },
};
use portcullis_test::FixedClock;
use serde_json::Value;
use support::*;

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
    assert!(text.contains("the sealing key of before") && text.contains("SealingKey::also_opens"), "{text}");
    let error = restart(Sealing::danger_none()).await.unwrap_err();
    assert_eq!(error.kind(), KeyRingErrorKind::Sealing);
    assert_eq!(store.dump(), before, "the keys are still there");
    let again = restart(sealing().into()).await.unwrap();
    assert_eq!(active(&again), active(&first));
    let changed = restart(other.also_opens([7; 32]).unwrap().into()).await.unwrap();
    assert_eq!(active(&changed), active(&first));
}

/// With write access to the store alone, no key can be added: an unsealed one is refused, and a sealed one fits its own id only.
#[tokio::test]
async fn a_key_that_was_not_sealed_by_this_ring_is_refused() {
    let (store, other, clock) = (MemorySigningKeys::new(), MemorySigningKeys::new(), FixedClock::default());
    start(store.clone(), &clock).await;
    KeyRing::builder(other.clone(), EDDSA, Sealing::danger_none()).clock(clock.clone()).start().await.unwrap();
    let unsealed = MemorySigningKeys::new();
    // Even with a MAC, which an attacker cannot make.
    unsealed.restore(Some(&with_mac(&other.dump().unwrap())));
    let error = builder(unsealed, &clock).start().await.unwrap_err();
    assert_eq!(error.kind(), KeyRingErrorKind::Sealing);
    // The private part of one key under the id of the other.
    let mut document: Value = serde_json::from_str(&store.dump().unwrap()).unwrap();
    document["keys"][0]["sealed"] = document["keys"][1]["sealed"].clone();
    document.as_object_mut().unwrap().remove("mac");
    let swapped = MemorySigningKeys::new();
    swapped.restore(Some(&with_mac(&document.to_string())));
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
    assert_eq!(error.kind(), MintErrorKind::SignerUnavailable);
    let source = error.source().unwrap().downcast_ref::<portcullis_issuer::SignError>().unwrap();
    assert_eq!(source.kind(), SignErrorKind::Unavailable);
    assert!(source.to_string().contains("last read 311 s ago"), "{source}");
    // Why it could not be read is behind it, for each of its users.
    for error in [source as &dyn Error, &ring.published().unwrap_err(), &ring.key_set().unwrap_err()] {
        let why = error.source().and_then(|error| error.downcast_ref::<KeyRingError>()).unwrap();
        assert_eq!(why.kind(), KeyRingErrorKind::Store, "{error}");
    }
    let health = ring.health();
    assert_eq!((health.age(), health.is_usable()), (secs(311), false));
    assert_eq!(health.last_error().unwrap().kind(), KeyRingErrorKind::Store);
    // Not "refused": it could not be decided. The token is in the cache, too.
    let error = admission.verify(&token).outcome().await.unwrap_err();
    assert_eq!(error.code(), Code::KeysUnavailable);
    assert!(ring.published().is_err() && ring.key_set().is_err());
    store.cannot_load.store(false, Ordering::SeqCst);
    ring.reload().await.unwrap();
    assert!(admission.verify(&token).outcome().await.is_ok());
    assert!(ring.health().is_usable() && ring.health().last_error().is_none());
    mint(&issuer).await;
    let events = events.lock().unwrap();
    assert!(matches!(&events[..], [a, b] if a.starts_with("Unreadable") && b == "Readable"), "{events:?}");
}

/// The settings name the algorithm of new keys; until the next rotation, the active key is of the one before.
#[tokio::test]
async fn the_current_algorithm_is_that_of_the_key_that_signs() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    start(store.clone(), &clock).await;
    let changed = KeyRing::builder(store, Algorithm::Es256, sealing()).clock(clock.clone()).start().await.unwrap();
    assert_eq!(changed.current_algorithm(), EDDSA);
    let fresh = KeyRing::builder(MemorySigningKeys::new(), Algorithm::Es256, sealing()).clock(clock.clone()).start();
    assert_eq!(fresh.await.unwrap().current_algorithm(), Algorithm::Es256);
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
    assert_eq!(refused.kind(), MintErrorKind::SignerUnavailable);
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
async fn many_tokens_that_wait_for_the_same_record_cost_one_change() {
    let (store, clock) = (Faulty::default(), FixedClock::default());
    let ring = start(store.clone(), &clock).await;
    let writes = store.replaced.load(Ordering::SeqCst);
    let mut minting = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let issuer = issuer(&ring, &clock);
        minting.spawn(async move { mint(&issuer).await });
    }
    minting.join_all().await;
    assert_eq!(store.replaced.load(Ordering::SeqCst), writes + 1);
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
    let (old, leaked, standby) = (store.dump().unwrap(), active(&ring), oldest_standby(&ring));
    ring.revoke(&leaked, "leaked").await.unwrap();
    mint(&issuer(&ring, &clock)).await;
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
        assert_eq!(ring.document().key(&standby).unwrap().longest_life(), secs(600), "it has signed such a token");
    }
}

fn oldest_standby(ring: &KeyRing) -> String {
    ring.document().standbys().next().unwrap().id().to_owned()
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
