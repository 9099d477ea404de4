//! The leak drill: the active key is revoked while tokens are minted and verified.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "key_ring/support.rs"]
mod support;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use portcullis_core::{Admission, Code, KeySet, keys::VerifyingKey};
use portcullis_issuer::key_ring::{KeyRing, MemorySigningKeys};
use portcullis_test::FixedClock;
use serde_json::Value;
use support::*;
use tokio::task::JoinSet;

/// What the tasks that mint and verify have in common.
struct Load {
    clock: FixedClock,
    leaked: String,
    /// A foreign verifier. It has fetched the key set before the leak, and does not fetch it again during the drill.
    foreign: Admission,
    /// Another instance of the issuer, which verifies with its ring.
    own: Admission,
    stop: AtomicBool,
    lost: AtomicUsize,
    done: AtomicUsize,
}

impl Load {
    async fn run(self: Arc<Self>, ring: KeyRing) {
        let issuer = issuer(&ring, &self.clock);
        while !self.stop.load(Ordering::SeqCst) {
            let is_new = active(&ring) != self.leaked;
            let token = mint(&issuer).await;
            // The other instance may know of the leak already, and refuse what this one still signs with the leaked key: no new token.
            let is_accepted = self.foreign.verify(&token).outcome().await.is_ok()
                && (!is_new || self.own.verify(&token).outcome().await.is_ok());
            self.lost.fetch_add(usize::from(!is_accepted), Ordering::SeqCst);
            self.done.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
        }
    }

    async fn wait_for(&self, more: usize) {
        let until = self.done.load(Ordering::SeqCst) + more;
        while self.done.load(Ordering::SeqCst) < until {
            tokio::task::yield_now().await;
        }
    }
}

/// Returns the keys that a verifier reads from the published key set.
fn fetched(ring: &KeyRing) -> KeySet {
    let set: Value = serde_json::from_str(ring.published().unwrap().unwrap().body()).unwrap();
    set["keys"].as_array().unwrap().iter().map(|jwk| VerifyingKey::from_jwk(&jwk.to_string()).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leak_drill_loses_no_request_with_a_new_token() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let rings = [start(store.clone(), &clock).await, start(store.clone(), &clock).await, start(store, &clock).await];
    mint(&issuer(&rings[0], &clock)).await;
    until_ready(&clock, &[&rings[0], &rings[1], &rings[2]]).await;
    let load = Arc::new(Load {
        clock: clock.clone(),
        leaked: active(&rings[0]),
        foreign: admission(fetched(&rings[0]), &clock),
        own: admission(rings[2].clone(), &clock),
        stop: AtomicBool::new(false),
        lost: AtomicUsize::new(0),
        done: AtomicUsize::new(0),
    });
    let old_token = mint(&issuer(&rings[0], &clock)).await;
    assert!(load.foreign.verify(&old_token).outcome().await.is_ok());
    let mut tasks = JoinSet::new();
    for ring in &rings {
        tasks.spawn(Arc::clone(&load).run(ring.clone()));
    }
    load.wait_for(200).await;
    rings[0].revoke(&load.leaked, "drill").await.unwrap();
    load.wait_for(200).await;
    for ring in &rings {
        ring.reload().await.unwrap();
    }
    load.wait_for(200).await;
    load.stop.store(true, Ordering::SeqCst);
    tasks.join_all().await;
    assert_eq!(load.lost.load(Ordering::SeqCst), 0);
    for ring in &rings {
        assert_ne!(active(ring), load.leaked);
        let refused = admission(ring.clone(), &clock).verify(&old_token).outcome().await.unwrap_err();
        assert_eq!(refused.code(), Code::KeyUnknown);
        assert!(!ring.published().unwrap().unwrap().body().contains(&load.leaked));
    }
    assert_eq!(states(&rings[1]), ["revoked", "active", "standby"]);
}
