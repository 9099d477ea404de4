//! Tests key rings: several instances over one store, planned steps, hot reload, events.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "key_ring/support.rs"]
mod support;

use std::{
    collections::{BTreeSet, HashSet},
    error::Error,
    sync::{Arc, Mutex},
};

use portcullis_core::{Algorithm, Clock, Code, keys::KeyState};
use portcullis_issuer::{
    AccessToken, TokenIssuer,
    key_ring::{KeyEvent, KeyPlan, KeyRing, KeyRingErrorKind, MemorySigningKeys, Rotation},
};
use portcullis_test::FixedClock;
use serde_json::Value;
use support::*;
use tokio::task::JoinSet;

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
    clock.advance(until.minus(secs(1)).since(clock.now()));
    ring.reload().await.unwrap();
    assert!(ring.published().unwrap().unwrap().body().contains(&old));
    clock.advance(secs(1));
    ring.reload().await.unwrap();
    assert!(!ring.published().unwrap().unwrap().body().contains(&old));
    assert_eq!(states(&ring), ["active", "standby"]);
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
    let error = often(standby.saturating_sub(secs(1))).start().await.unwrap_err();
    assert_eq!(error.kind(), KeyRingErrorKind::Config);
    assert!(error.source().unwrap().to_string().contains("rotate less often"));
}

#[tokio::test]
async fn pitfall_12_the_published_set_has_every_public_key_and_the_headers_of_the_plan() {
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

fn oldest_eddsa(ring: &KeyRing) -> String {
    let document = ring.document();
    let key = document.keys().find(|key| key.algorithm() == EDDSA && key.state() != KeyState::Active);
    key.unwrap().id().to_owned()
}
