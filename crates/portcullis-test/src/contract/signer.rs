//! [`SignerContract`]: the rules that every signer has to follow.

use std::{
    collections::HashSet,
    sync::{Arc, atomic::AtomicUsize, atomic::Ordering},
    time::Duration,
};

use portcullis_core::{Admission, JwtAuthenticator, KeySet, keys::VerifyingKey, policy::TokenSpec};
use portcullis_issuer::{AccessToken, Signer, TokenIssuer};
use tokio::{task::JoinSet, time::timeout};

use crate::must::must;

const ISSUER: &str = "https://issuer.test";
const SERVICE: &str = "https://service.test";

/// How many tokens are minted at the same time.
const AT_ONCE: usize = 64;

/// How long a signature may take. Far more than any needs: it only ends a test that would hang.
const LIMIT: Duration = Duration::from_secs(60);

/// The contract of [`Signer`](portcullis_issuer::Signer), with the key that verifies its signatures.
///
/// ```
/// use portcullis_core::keys::VerifyingKey;
/// use portcullis_issuer::Signer;
/// use portcullis_test::contract::SignerContract;
///
/// async fn holds_for(signer: impl Signer, key: VerifyingKey) {
///     SignerContract::new(signer, key).check().await;
/// }
/// ```
#[derive(Debug)]
pub struct SignerContract<S> {
    signer: Arc<S>,
    issuer: TokenIssuer,
    admission: Admission,
    made: AtomicUsize,
}

impl<S: Signer> SignerContract<S> {
    /// Returns the contract for this signer.
    ///
    /// # Panics
    ///
    /// If signer and key are for two algorithms.
    pub fn new(signer: S, key: VerifyingKey) -> Self {
        let signer = Arc::new(signer);
        let spec = TokenSpec::new(ISSUER).audience(SERVICE).algorithms(signer.algorithm());
        let trusted =
            must(spec.trusted_at(SERVICE, KeySet::from(key)), "the key is not one for the signer's algorithm");
        let admission = Admission::new(must(JwtAuthenticator::new(trusted), "the key cannot be used")).without_cache();
        let issuer = must(TokenIssuer::new(spec, Arc::clone(&signer)), "the signer cannot be used");
        Self { signer, issuer, admission, made: AtomicUsize::new(0) }
    }

    /// Checks all rules.
    ///
    /// # Panics
    ///
    /// If the signer breaks one. The message says which.
    pub async fn check(self) {
        self.its_tokens_are_accepted("a token is refused").await;
        self.its_name_stays();
        self.a_signature_that_is_given_up_takes_none_away().await;
        self.signatures_made_at_once_belong_to_their_tokens().await;
        self.its_tokens_are_accepted("after many others, a token is refused").await;
    }

    async fn its_tokens_are_accepted(&self, otherwise: &str) {
        for _ in 0..3 {
            let token = self.mint().await;
            assert!(
                self.is_accepted(&token).await,
                "{otherwise}: signature, algorithm and id have to be those of the key"
            );
        }
    }

    /// The header of a token has both before it is signed.
    fn its_name_stays(&self) {
        let name = || (self.signer.algorithm(), self.signer.key_id().to_owned());
        let names: HashSet<_> = (0..10).map(|_| name()).collect();
        assert_eq!(names.len(), 1, "the algorithm or the id of the key changes");
    }

    async fn a_signature_that_is_given_up_takes_none_away(&self) {
        for _ in 0..3 {
            drop(self.signer.sign(b"never awaited"));
            let _ = timeout(Duration::ZERO, self.signer.sign(b"awaited for no time").outcome()).await;
            let token = self.mint().await;
            assert!(self.is_accepted(&token).await, "after a signature that was given up, a token is refused");
        }
    }

    async fn signatures_made_at_once_belong_to_their_tokens(&self) {
        let mut minting = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (issuer, content) = (self.issuer.clone(), self.content());
            minting.spawn(async move { issuer.mint(&content).await.map(|minted| minted.token().to_owned()) });
        }
        let minted = must(timeout(LIMIT, minting.join_all()).await, "signatures made at once do not come");
        for token in minted {
            let token = must(token, "one of many signatures made at once fails");
            assert!(self.is_accepted(&token).await, "one of many tokens minted at once has another one's signature");
        }
    }

    fn content(&self) -> AccessToken {
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        AccessToken::for_user(format!("user-{number}"), "client")
    }

    async fn mint(&self) -> String {
        let minted = must(timeout(LIMIT, self.issuer.mint(&self.content())).await, "a signature does not come");
        must(minted, "a token cannot be minted").token().to_owned()
    }

    async fn is_accepted(&self, token: &str) -> bool {
        self.admission.verify(token).outcome().await.is_ok()
    }
}
