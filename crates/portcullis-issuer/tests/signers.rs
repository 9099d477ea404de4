//! Tests signers that take time, fail, or answer in a form that services cannot read.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    error::Error,
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use portcullis_core::{Algorithm, policy::TokenSpec};
use portcullis_issuer::{
    AccessToken, MintError, MintErrorKind, SignError, SignErrorKind, Signature, Signer, Signing, SigningKey,
    TokenIssuer,
};
use tokio::sync::Semaphore;

type Answer = fn(Signature) -> Result<Signature, SignError>;

/// A key that lives elsewhere: it answers when it is allowed to, and as it is told to.
#[derive(Debug)]
struct Elsewhere {
    key: SigningKey,
    allowed: Arc<Semaphore>,
    asked: Arc<AtomicUsize>,
    answer: Answer,
}

impl Signer for Elsewhere {
    fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    fn key_id(&self) -> &str {
        self.key.key_id()
    }

    fn sign(&self, input: &[u8]) -> Signing {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let (key, allowed, answer, input) = (self.key.clone(), Arc::clone(&self.allowed), self.answer, input.to_vec());
        Signing::waiting(async move {
            let _permit = allowed.acquire().await.unwrap();
            answer(key.sign(&input).outcome().await?)
        })
    }
}

fn issuer(algorithm: Algorithm, answer: Answer) -> (TokenIssuer, Arc<Semaphore>, Arc<AtomicUsize>) {
    let (allowed, asked) = (Arc::new(Semaphore::new(0)), Arc::<AtomicUsize>::default());
    let key = SigningKey::generate(algorithm).unwrap();
    let signer = Elsewhere { key, allowed: Arc::clone(&allowed), asked: Arc::clone(&asked), answer };
    let spec = TokenSpec::new("https://id.test").audience("https://orders.test");
    (TokenIssuer::new(spec, signer).unwrap(), allowed, asked)
}

async fn refused(algorithm: Algorithm, answer: Answer) -> MintError {
    let (issuer, allowed, _) = issuer(algorithm, answer);
    allowed.add_permits(1);
    issuer.mint(&AccessToken::for_user("alice", "web")).await.unwrap_err()
}

#[tokio::test]
async fn minting_waits_for_a_key_that_lives_elsewhere() {
    let (issuer, allowed, asked) = issuer(Algorithm::Es256, Ok);
    let content = AccessToken::for_user("alice", "web");
    let mut minting = pin!(issuer.mint(&content));
    assert!(poll_fn(|context| Poll::Ready(minting.as_mut().poll(context).is_pending())).await);
    allowed.add_permits(1);
    assert!(minting.await.is_ok());
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_failure_is_the_source_of_the_error() {
    let error = refused(Algorithm::Es256, |_| Err(SignError::new(SignErrorKind::Unavailable, "the KMS is busy"))).await;
    assert_eq!(error.kind(), MintErrorKind::SignerUnavailable);
    let source = error.source().unwrap().downcast_ref::<SignError>().unwrap();
    assert_eq!(source.kind(), SignErrorKind::Unavailable);
    assert_eq!(source.to_string(), "the signing key is unavailable: the KMS is busy");
}

/// Key management services answer in DER form.
#[tokio::test]
async fn a_signature_that_services_cannot_read_is_refused() {
    let der: Answer = |_| Ok(Signature::new([&[0x30, 0x45][..], &[7; 69]].concat()));
    let error = refused(Algorithm::Es256, der).await;
    assert!(error.source().unwrap().to_string().contains("DER form"), "{:?}", error.source());
    let short: Answer = |_| Ok(Signature::new([7; 63]));
    assert_eq!(refused(Algorithm::EdDsa, short).await.kind(), MintErrorKind::SignerFailed);
    let short: Answer = |_| Ok(Signature::new([7; 255]));
    assert_eq!(refused(Algorithm::Rs256, short).await.kind(), MintErrorKind::SignerFailed);
}

#[tokio::test]
async fn what_cannot_be_a_token_is_not_signed() {
    let (issuer, allowed, asked) = issuer(Algorithm::Es256, Ok);
    allowed.add_permits(2);
    let long = AccessToken::for_user("alice", "web").session("s".repeat(5000));
    assert_eq!(issuer.mint(&long).await.unwrap_err().kind(), MintErrorKind::TooLong);
    assert_eq!(issuer.mint(&AccessToken::for_user("", "web")).await.unwrap_err().kind(), MintErrorKind::Content);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}
