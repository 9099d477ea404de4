//! The authenticator for users of NATS, behind an admission: what is let in, what is refused, and what a later request still has to show.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

#[path = "../support/world.rs"]
mod world;

mod builder;
mod conditions;
mod explain;
mod proofs;
mod revocation;
mod service_of;
mod stapled;
mod users;

use std::{sync::Arc, time::Duration};

use portcullis_core::{
    Admission, AuthError, Code, UnixTime, Verified,
    authenticator::{Presented, Scheme},
    possession::{NonceIssuer, SignedNonces},
    verified::NoCustom,
};
use portcullis_nats::{TrustChain, accounts::MemoryAccounts, chain::Policy, proof::ProofVerifier};
use portcullis_test::FixedClock;
use serde_json::json;
use world::{NOW, ORIGIN, TestRequest, World};

/// A service that lets in users of the world's operator.
struct Service {
    world: World,
    accounts: MemoryAccounts,
    chain: TrustChain<MemoryAccounts>,
    admission: Admission<NoCustom>,
    nonces: Arc<SignedNonces>,
    clock: FixedClock,
}

impl Service {
    fn new() -> Self {
        Self::with(Policy::new())
    }

    fn with(policy: Policy) -> Self {
        let nonces = Arc::new(SignedNonces::random().unwrap());
        Self::of(policy, proofs(&nonces), nonces)
    }

    fn of(policy: Policy, proofs: ProofVerifier, nonces: Arc<SignedNonces>) -> Self {
        let (world, accounts, clock) = (World::new(), MemoryAccounts::new(), FixedClock::at(NOW));
        accounts.insert(world.account_id(), world.account_token(json!({})));
        let chain = TrustChain::builder()
            .operator_key(world.operator_key())
            .resolver(accounts.clone())
            .policy(policy)
            .proofs(proofs)
            .tenant_per_account()
            .build()
            .unwrap();
        let admission = Admission::new(chain.clone()).clock(clock.clone());
        Self { world, accounts, chain, admission, nonces, clock }
    }

    fn nonce(&self) -> String {
        self.nonces.issue(ORIGIN, self.now()).to_string()
    }

    fn now(&self) -> UnixTime {
        portcullis_core::Clock::now(&self.clock)
    }

    /// A request with the proof of the world's user.
    fn request(&self, token: &str) -> TestRequest {
        TestRequest::new("GET", "/orders/42?full=1").proven(&self.world.user, token, &self.nonce(), self.now())
    }

    async fn admit(&self, token: &str, request: &TestRequest) -> Result<Verified, AuthError> {
        let presented =
            Presented::bearer(token.as_bytes()).with_scheme(Scheme::Other("NatsUser")).with_request(request);
        self.admission.admit(presented).outcome().await
    }

    /// Admits the world's user with a fresh proof.
    async fn admit_fresh(&self, token: &str) -> Result<Verified, AuthError> {
        self.admit(token, &self.request(token)).await
    }

    async fn bearer(&self, token: &str) -> Result<Verified, AuthError> {
        let request = TestRequest::new("GET", "/");
        self.admission.admit(Presented::bearer(token.as_bytes()).with_request(&request)).outcome().await
    }
}

fn proofs(nonces: &Arc<SignedNonces>) -> ProofVerifier {
    ProofVerifier::new(ORIGIN).unwrap().nonces(Arc::clone(nonces))
}

fn code(outcome: Result<Verified, AuthError>) -> Code {
    outcome.expect_err("refused").code()
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
