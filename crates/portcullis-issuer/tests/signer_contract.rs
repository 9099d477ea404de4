//! The contract of signers: keys in memory keep it, and each of its checks notices a signer that does not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "../../../tests/tests/support/planted.rs"]
mod planted;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use portcullis_core::Algorithm;
use portcullis_issuer::{SignError, SignErrorKind, Signature, Signer, Signing, SigningKey};
use portcullis_test::contract::SignerContract;
use tokio::time::sleep;

planted::faults! {
    SignsAnother,
    SignsWithAnotherKey,
    HasAnotherId,
    ChangesItsId,
    FailsSometimes,
    MixesUp,
    StopsWhenGivenUp,
    NeverAnswers,
}

/// A key that is elsewhere, and takes time; perhaps with a fault.
#[derive(Debug)]
struct Elsewhere {
    key: SigningKey,
    other: SigningKey,
    fault: Option<Fault>,
    asked: AtomicUsize,
    last: Arc<Mutex<Vec<u8>>>,
    given_up: Arc<AtomicUsize>,
}

impl Elsewhere {
    fn new(fault: Option<Fault>) -> Self {
        let [key, other] = [(); 2].map(|()| SigningKey::generate(Algorithm::EdDsa).unwrap());
        Self { key, other, fault, asked: AtomicUsize::new(0), last: Arc::default(), given_up: Arc::default() }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }
}

/// Counts a signature that was given up.
struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Signer for Elsewhere {
    fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    fn key_id(&self) -> &str {
        let is_odd = self.is(Fault::ChangesItsId) && self.asked.load(Ordering::SeqCst) > 4;
        if self.is(Fault::HasAnotherId) || is_odd { self.other.id() } else { self.key.id() }
    }

    fn sign(&self, input: &[u8]) -> Signing {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        let key = if self.is(Fault::SignsWithAnotherKey) { &self.other } else { &self.key }.clone();
        let mut input = input.to_vec();
        if self.is(Fault::SignsAnother) {
            input.push(b' ');
        }
        self.last.lock().unwrap().clone_from(&input);
        let (fault, last, given_up) = (self.fault, Arc::clone(&self.last), Arc::clone(&self.given_up));
        Signing::waiting(async move {
            if fault == Some(Fault::NeverAnswers) {
                std::future::pending::<()>().await;
            }
            let is_over = fault == Some(Fault::StopsWhenGivenUp) && given_up.load(Ordering::SeqCst) > 0;
            if is_over || (fault == Some(Fault::FailsSometimes) && asked % 10 == 9) {
                return Err(SignError::new(SignErrorKind::Unavailable, "as the test wants it"));
            }
            let waiting = Waiting(given_up);
            sleep(Duration::from_millis(5)).await;
            std::mem::forget(waiting);
            let input = if fault == Some(Fault::MixesUp) { last.lock().unwrap().clone() } else { input };
            let signature: Signature = key.sign(&input).outcome().await?;
            Ok(signature)
        })
    }
}

#[tokio::test]
async fn keys_in_memory_keep_the_contract() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Es384, Algorithm::Ps256] {
        let key = SigningKey::generate(algorithm).unwrap();
        SignerContract::new(key.clone(), key.verifying_key()).check().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_elsewhere_keeps_the_contract() {
    let signer = Elsewhere::new(None);
    let key = signer.key.verifying_key();
    SignerContract::new(signer, key).check().await;
}

#[test]
fn every_planted_fault_is_noticed() {
    planted::require_each_noticed(Fault::ALL, |fault| {
        let signer = Elsewhere::new(Some(fault));
        let key = signer.key.verifying_key();
        SignerContract::new(signer, key).check()
    });
}
