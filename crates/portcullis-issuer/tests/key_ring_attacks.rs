//! Tests key rings against an attacker who can write the store.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "key_ring/support.rs"]
mod support;

use portcullis_core::{Clock, keys::KeyState};
use portcullis_issuer::key_ring::{KeyRing, KeyRingErrorKind, MemorySigningKeys, RingDocument, Sealing, SealingKey};
use portcullis_test::FixedClock;
use serde_json::Value;
use support::*;

fn with_text(text: &str) -> MemorySigningKeys {
    let store = MemorySigningKeys::new();
    store.restore(Some(text));
    store
}

async fn refusal(text: &str, sealing: impl Into<Sealing>, clock: &FixedClock) -> Option<KeyRingErrorKind> {
    let started = KeyRing::builder(with_text(text), EDDSA, sealing).clock(clock.clone()).start().await;
    started.err().map(|error| error.kind())
}

#[tokio::test]
async fn a_document_that_was_changed_without_the_sealing_key_is_refused() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let ring = start(store.clone(), &clock).await;
    until_ready(&clock, &[&ring]).await;
    let (leaked, before) = (active(&ring), store.dump().unwrap());
    ring.revoke(&leaked, "leaked").await.unwrap();
    let text = store.dump().unwrap();
    assert_eq!(refusal(&text, sealing(), &clock).await, None);
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut document: Value = serde_json::from_str(&text).unwrap();
        let mac = document.as_object_mut().unwrap().remove("mac").unwrap();
        change(&mut document);
        let body = document.to_string();
        (format!("{},\"mac\":{mac}}}", body.strip_suffix('}').unwrap()), with_mac(&body))
    };
    let published = Value::from(clock.now().as_secs() - 1);
    let back: Value = serde_json::from_str::<Value>(&before).unwrap()["keys"][0].clone();
    let changes: [&dyn Fn(&mut Value); 5] = [
        &|document| document["keys"][2]["published_at"] = published.clone(),
        &|document| document["serial"] = u64::MAX.into(),
        &|document| document["forced"][0]["why"] = "nothing happened".into(),
        &|document| document["keys"][1]["longest_life"] = 1.into(),
        // The leaked key comes back.
        &|document| {
            document["keys"][0] = back.clone();
            document["keys"][0]["state"] = "retiring".into();
            document["keys"][0]["retiring_until"] = 4_000_000_000_u64.into();
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let (forged, genuine) = changed(change);
        assert_eq!(refusal(&forged, sealing(), &clock).await, Some(KeyRingErrorKind::Sealing), "change {number}");
        // Otherwise it is as it should be: it is the MAC that is missing.
        assert_eq!(refusal(&genuine, sealing(), &clock).await, None, "change {number}");
    }
    assert_eq!(refusal(&without_mac(&text), sealing(), &clock).await, Some(KeyRingErrorKind::Sealing));
    assert_eq!(refusal(&with_mac(&text), sealing(), &clock).await, None);
}

#[tokio::test]
async fn a_document_without_a_mac_is_refused_and_the_error_says_so() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    start(store.clone(), &clock).await;
    let stripped = with_text(&without_mac(&store.dump().unwrap()));
    let error = builder(stripped, &clock).start().await.unwrap_err().to_string();
    assert!(error.contains("has no MAC"), "{error}");
}

#[tokio::test]
async fn the_document_of_one_ring_is_refused_by_another_one_with_the_same_sealing_key() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let ring = |name: &str, store| KeyRing::builder(store, EDDSA, sealing().for_ring(name)).clock(clock.clone());
    ring("https://a.test", store.clone()).start().await.unwrap();
    let text = store.dump().unwrap();
    assert!(ring("https://a.test", with_text(&text)).start().await.is_ok());
    for other in ["https://b.test", "https://a.tes", ""] {
        assert_eq!(refusal(&text, sealing().for_ring(other), &clock).await, Some(KeyRingErrorKind::Sealing), "{other}");
    }
}

#[tokio::test]
async fn an_earlier_sealing_key_verifies_and_the_next_change_is_written_with_the_new_one() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    start(store.clone(), &clock).await;
    let new = || SealingKey::new([8; 32]).unwrap();
    assert_eq!(refusal(&store.dump().unwrap(), new(), &clock).await, Some(KeyRingErrorKind::Sealing));
    let both = new().also_opens([7; 32]).unwrap();
    let ring = KeyRing::builder(store.clone(), EDDSA, both).clock(clock.clone()).start().await.unwrap();
    assert_eq!(store.dump().unwrap(), with_mac(&store.dump().unwrap()), "nothing was changed yet");
    ring.add_standby().await.unwrap();
    assert_ne!(store.dump().unwrap(), with_mac(&store.dump().unwrap()));
    // Instances that have the new key already read it.
    assert_eq!(refusal(&store.dump().unwrap(), new().also_opens([7; 32]).unwrap(), &clock).await, None);
}

/// A sealing key is changed in two deployments, during each of which both kinds of instances run.
#[tokio::test]
async fn a_sealing_key_is_changed_while_instances_run() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let (old, new) = (|| SealingKey::new([7; 32]).unwrap(), || SealingKey::new([8; 32]).unwrap());
    let start = |sealing| KeyRing::builder(store.clone(), EDDSA, sealing).clock(clock.clone()).start();
    let fleets = [
        (old(), old().also_opens([8; 32]).unwrap()),
        (old().also_opens([8; 32]).unwrap(), new().also_opens([7; 32]).unwrap()),
    ];
    for (before, after) in fleets {
        let (before, after) = (start(before).await.unwrap(), start(after).await.unwrap());
        for (writes, reads) in [(&after, &before), (&before, &after)] {
            writes.add_standby().await.unwrap();
            reads.reload().await.unwrap();
            assert_eq!(reads.document().keys().count(), writes.document().keys().count());
        }
    }
    // In one deployment, those that do not know the new key would read nothing any more.
    let outdated = start(old()).await.unwrap_err();
    assert_eq!(outdated.kind(), KeyRingErrorKind::Sealing);
    assert!(start(new()).await.is_err(), "the keys of before are still sealed with the old one");
}

#[tokio::test]
async fn a_ring_without_a_sealing_key_writes_no_mac_and_refuses_one() {
    let clock = FixedClock::default();
    let store = MemorySigningKeys::new();
    let started = KeyRing::builder(store.clone(), EDDSA, Sealing::danger_none()).clock(clock.clone()).start().await;
    started.unwrap();
    let text = store.dump().unwrap();
    assert!(!text.contains("\"mac\""));
    assert_eq!(refusal(&text, Sealing::danger_none(), &clock).await, None);
    assert_eq!(refusal(&with_mac(&text), Sealing::danger_none(), &clock).await, Some(KeyRingErrorKind::Sealing));
}

/// The revoked key was forgotten, and an instance that knows nothing of it went on from a backup for long.
#[tokio::test]
async fn a_revoked_key_does_not_come_back_after_it_was_forgotten() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let ring = start(store.clone(), &clock).await;
    let (old, leaked) = (store.dump().unwrap(), active(&ring));
    ring.revoke(&leaked, "leaked").await.unwrap();
    clock.advance(secs(86_400));
    ring.reload().await.unwrap();
    assert!(ring.document().key(&leaked).is_none());
    assert_eq!(ring.document().revoked_ids(), std::slice::from_ref(&leaked));
    store.restore(Some(&old));
    let ignorant = start(store.clone(), &clock).await;
    for _ in 0..8 {
        ignorant.add_standby().await.unwrap();
    }
    assert_eq!(active(&ignorant), leaked);
    ring.reload().await.unwrap();
    ignorant.reload().await.unwrap();
    for ring in [&ring, &ignorant] {
        assert_eq!(ring.document().key(&leaked).unwrap().state(), KeyState::Revoked);
    }
    let stored = RingDocument::parse(&store.dump().unwrap()).unwrap();
    assert_eq!(stored.revoked_ids(), [leaked]);
}
