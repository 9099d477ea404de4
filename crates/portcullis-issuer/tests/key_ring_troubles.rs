//! Tests key rings with stores and listeners that panic, stores that hang, clocks that are wrong, and documents that grow.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "key_ring/support.rs"]
mod support;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use portcullis_core::{Clock, UnixTime};
use portcullis_issuer::{
    AccessToken, MintErrorKind,
    key_ring::{KeyEvent, KeyPlan, KeyRingErrorKind, MemorySigningKeys, RingWarning, Rotation},
};
use portcullis_test::FixedClock;
use serde_json::Value;
use support::*;

fn with_text(text: &str) -> MemorySigningKeys {
    let store = MemorySigningKeys::new();
    store.restore(Some(text));
    store
}

/// What a ring tells.
fn heard() -> (Arc<Mutex<Vec<String>>>, impl Fn(&KeyEvent) + Send + Sync + 'static) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&events);
    (events, move |event: &KeyEvent| heard.lock().unwrap().push(format!("{event:?}")))
}

#[tokio::test]
async fn lost_changes_are_told_once_the_store_has_them_back() {
    let (store, clock) = (Faulty::default(), FixedClock::default());
    let (events, listener) = heard();
    let ring = builder(store.clone(), &clock).on_event(listener).start().await.unwrap();
    store.store.restore(None);
    store.cannot_replace.store(true, Ordering::SeqCst);
    assert!(ring.reload().await.is_err());
    assert!(events.lock().unwrap().iter().all(|event| event != "LostChanges"));
    store.cannot_replace.store(false, Ordering::SeqCst);
    ring.reload().await.unwrap();
    assert_eq!(events.lock().unwrap().iter().filter(|event| *event == "LostChanges").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_store_ends_no_task_and_is_told() {
    let (store, clock) = (Faulty::default(), FixedClock::default());
    let (events, listener) = heard();
    let ring = builder(store.clone(), &clock).on_event(listener).start().await.unwrap();
    let other = start(store.clone(), &clock).await;
    store.panics.store(true, Ordering::SeqCst);
    tokio::time::sleep(secs(25)).await;
    {
        let told = events.lock().unwrap();
        assert!(
            matches!(&told[..], [one] if one.contains("Unreadable") && one.contains("ended in a panic")),
            "{told:?}"
        );
    }
    store.panics.store(false, Ordering::SeqCst);
    other.revoke(&active(&other), "leaked").await.unwrap();
    tokio::time::sleep(secs(11)).await;
    assert_eq!(active(&ring), active(&other));
    assert!(events.lock().unwrap().iter().any(|event| event == "Readable"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_listener_ends_no_task_and_is_told() {
    let (store, clock) = (Faulty::default(), FixedClock::default());
    let (panics, told) = (Arc::new(AtomicBool::new(true)), Arc::new(Mutex::new(Vec::new())));
    let (to_panic, heard) = (Arc::clone(&panics), Arc::clone(&told));
    let listener = move |event: &KeyEvent| {
        heard.lock().unwrap().push(format!("{event:?}"));
        assert!(!to_panic.load(Ordering::SeqCst), "as the test wants it");
    };
    let ring = builder(store.clone(), &clock).on_event(listener).start().await.unwrap();
    let other = start(store, &clock).await;
    for _ in 0..2 {
        other.revoke(&active(&other), "leaked").await.unwrap();
        tokio::time::sleep(secs(11)).await;
        assert_eq!(active(&ring), active(&other));
    }
    assert!(told.lock().unwrap().iter().any(|event| event.contains("ended in a panic")));
}

#[tokio::test]
async fn many_revocations_leave_a_document_that_can_be_read() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let ring = start(store.clone(), &clock).await;
    let first = active(&ring);
    for _ in 0..100 {
        // Each of its bytes takes six in the document.
        ring.revoke(&active(&ring), &"\u{1}".repeat(1000)).await.unwrap();
    }
    let text = store.dump().unwrap();
    assert!(text.len() <= 512 * 1024, "{}", text.len());
    let document = start(store, &clock).await.document();
    assert_eq!(document.keys().len(), 64);
    assert_eq!(document.revoked_ids().first(), Some(&first));
    assert!(document.active().is_some() && document.standbys().next().is_some());
}

#[tokio::test(start_paused = true)]
async fn callers_do_not_queue_behind_a_store_that_hangs() {
    let (store, clock) = (Faulty::default(), FixedClock::default());
    let ring = start(store.clone(), &clock).await;
    store.hangs.store(true, Ordering::SeqCst);
    let began = tokio::time::Instant::now();
    let mut minting = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let issuer = issuer(&ring, &clock);
        minting.spawn(async move { issuer.mint(&AccessToken::for_user("alice", "web")).await.unwrap_err().kind() });
    }
    assert!(minting.join_all().await.into_iter().all(|kind| kind == MintErrorKind::SignerUnavailable));
    assert!(began.elapsed() <= secs(11), "{:?}", began.elapsed());
    store.hangs.store(false, Ordering::SeqCst);
    // A read of the ring's own task may still wait for an answer.
    tokio::time::sleep(secs(6)).await;
    mint(&issuer(&ring, &clock)).await;
}

/// A time later than the clock of this instance allows: its clock, or that of another one, is wrong.
#[tokio::test]
async fn no_key_goes_or_is_replaced_by_itself_while_clocks_disagree() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let automatic = |store| builder(store, &clock).rotation(Rotation::AUTOMATIC).start();
    let ring = automatic(store.clone()).await.unwrap();
    until_ready(&clock, &[&ring]).await;
    ring.rotate().await.unwrap();
    clock.advance(secs(90 * 86_400));
    let ahead_by = |difference: u64| {
        let mut document: Value = serde_json::from_str(&without_mac(&store.dump().unwrap())).unwrap();
        document["keys"][2]["published_at"] = (clock.now().as_secs() + difference).into();
        with_text(&with_mac(&document.to_string()))
    };
    let ring = automatic(ahead_by(61)).await.unwrap();
    assert_eq!(states(&ring), ["retiring", "active", "standby"]);
    let latest = clock.now().plus(secs(61));
    assert!(ring.warnings().contains(&RingWarning::Clocks { latest }), "{:?}", ring.warnings());
    let ring = automatic(ahead_by(60)).await.unwrap();
    assert_eq!(states(&ring), ["active", "standby"]);
    assert!(!ring.warnings().iter().any(|warning| matches!(warning, RingWarning::Clocks { .. })));
}

#[tokio::test]
async fn a_machine_without_the_time_makes_no_keys() {
    let start_at = |secs| builder(MemorySigningKeys::new(), &FixedClock::at(UnixTime::from_secs(secs))).start();
    let error = start_at(1_735_689_599).await.unwrap_err();
    assert_eq!(error.kind(), KeyRingErrorKind::Config);
    assert!(error.to_string().contains("2024-12-31 23:59:59 UTC"), "{error}");
    assert!(start_at(1_735_689_600).await.is_ok());
}

#[tokio::test]
async fn a_ring_needs_an_outage_that_its_reads_fit_into() {
    let with = |outage| {
        let plan = KeyPlan::new().store_outage(outage);
        builder(MemorySigningKeys::new(), &FixedClock::default()).plan(plan).start()
    };
    assert_eq!(with(secs(9)).await.unwrap_err().kind(), KeyRingErrorKind::Config);
    assert!(with(secs(10)).await.is_ok());
}
