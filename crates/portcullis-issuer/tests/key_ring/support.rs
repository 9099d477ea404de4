//! What the tests of key rings share.
#![allow(dead_code, reason = "each of the tests uses a part")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use portcullis_core::{
    Admission, Algorithm, JwtAuthenticator,
    keys::{KeySource, KeyState},
    policy::TokenSpec,
};
use portcullis_issuer::{
    AccessToken, TokenIssuer,
    key_ring::{
        DocumentVersion, KeyRing, KeyRingBuilder, MemorySigningKeys, Replaced, SealingKey, SigningKeys, StoredDocument,
    },
    refresh::StoreError,
};
use portcullis_test::FixedClock;

pub(crate) const SERVICE: &str = "https://orders.test";
pub(crate) const EDDSA: Algorithm = Algorithm::EdDsa;

pub(crate) fn spec() -> TokenSpec {
    TokenSpec::new("https://id.test").audience(SERVICE)
}

pub(crate) fn sealing() -> SealingKey {
    SealingKey::new([7; 32]).unwrap()
}

/// Returns the text with a MAC of its own, as an instance with the sealing key of [`sealing`] writes it.
pub(crate) fn with_mac(text: &str) -> String {
    let covered = without_mac(text);
    let covered = covered.strip_suffix('}').unwrap();
    let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]), b"portcullis key ring 1: MAC of documents");
    // The length of the ring's name, which is empty.
    let message = [&[0; 8], covered.as_bytes()].concat();
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()), &message);
    format!("{covered},\"mac\":\"{}\"}}", STANDARD_NO_PAD.encode(mac))
}

pub(crate) fn without_mac(text: &str) -> String {
    text.split_once(",\"mac\":").map_or_else(|| text.to_owned(), |(covered, _)| format!("{covered}}}"))
}

pub(crate) fn builder(store: impl SigningKeys, clock: &FixedClock) -> KeyRingBuilder {
    KeyRing::builder(store, EDDSA, sealing()).clock(clock.clone())
}

pub(crate) async fn start(store: impl SigningKeys, clock: &FixedClock) -> KeyRing {
    builder(store, clock).start().await.unwrap()
}

pub(crate) fn issuer(ring: &KeyRing, clock: &FixedClock) -> TokenIssuer {
    TokenIssuer::new(spec(), ring.clone()).unwrap().clock(clock.clone())
}

pub(crate) fn admission(keys: impl KeySource, clock: &FixedClock) -> Admission {
    Admission::new(JwtAuthenticator::new(spec().trusted_at(SERVICE, keys).unwrap()).unwrap()).clock(clock.clone())
}

pub(crate) async fn mint(issuer: &TokenIssuer) -> String {
    issuer.mint(&AccessToken::for_user("alice", "web")).await.unwrap().token().to_owned()
}

pub(crate) fn active(ring: &KeyRing) -> String {
    ring.document().active().unwrap().id().to_owned()
}

pub(crate) fn states(ring: &KeyRing) -> Vec<&'static str> {
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
pub(crate) async fn until_ready(clock: &FixedClock, rings: &[&KeyRing]) {
    clock.advance(rings[0].plan().standby_time());
    for ring in rings {
        ring.reload().await.unwrap();
    }
}

/// A store that fails when it is told to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faulty {
    pub(crate) store: MemorySigningKeys,
    pub(crate) cannot_load: Arc<AtomicBool>,
    pub(crate) cannot_replace: Arc<AtomicBool>,
    /// It stores the change, and does not say so.
    pub(crate) hides_success: Arc<AtomicBool>,
    pub(crate) replaced: Arc<AtomicUsize>,
    pub(crate) panics: Arc<AtomicBool>,
    pub(crate) hangs: Arc<AtomicBool>,
}

impl SigningKeys for Faulty {
    async fn load(&self) -> Result<Option<StoredDocument>, StoreError> {
        assert!(!self.panics.load(Ordering::SeqCst), "as the test wants it");
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
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

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
