//! The service: a router behind the layers that a service of users of NATS has.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{Router, routing::get};
use portcullis::{
    Admission, AuthLayer, Claims,
    nonce::{NonceHeader, NonceLayer},
    possession::SignedNonces,
};
use portcullis_nats::{
    TrustChain,
    accounts::{AccountCache, AccountResolver, ResolverError},
    chain::Policy,
    nkey::{AccountKey, OperatorKey},
    proof::ProofVerifier,
};
use tokio::time::sleep;

use crate::tokens::ORIGIN;

pub struct Service {
    pub router: Router,
    pub resolver: Arc<Resolver>,
}

/// What the resolver does about an account that it does not know.
#[derive(Clone, Copy, Debug)]
pub enum Stranger {
    /// It says so, after this time.
    NotFound(Duration),
    /// It never answers.
    Hangs,
}

/// A resolver that answers at once about the accounts that it knows, and counts.
#[derive(Debug)]
pub struct Resolver {
    known: HashMap<AccountKey, String>,
    stranger: Stranger,
    under_way: AtomicUsize,
    most: AtomicUsize,
    asked: AtomicUsize,
}

impl Service {
    /// A service that knows the operator. Its resolver knows these accounts.
    pub fn new(
        operator: OperatorKey,
        known: HashMap<AccountKey, String>,
        stranger: Stranger,
        nonces: &Arc<SignedNonces>,
    ) -> Self {
        let count = AtomicUsize::default;
        let resolver = Resolver { known, stranger, under_way: count(), most: count(), asked: count() };
        let resolver = Arc::new(resolver);
        let proofs = ProofVerifier::new(ORIGIN).expect("an origin").nonces(Arc::clone(nonces));
        let chain = TrustChain::builder()
            .operator_key(operator)
            .resolver(Arc::clone(&resolver))
            // Known accounts are looked up again during the flood.
            .cache(AccountCache::new().fresh_for(Duration::from_secs(10)))
            .policy(Policy::new().danger_bearer_tokens())
            .proofs(proofs)
            .tenant_per_account()
            .build()
            .expect("a sound configuration");
        let router = Router::new()
            .route("/orders/{id}", get(async |user: Claims| user.subject().unwrap_or_default().to_owned()))
            .layer(AuthLayer::new(Admission::new(chain)))
            .layer(NonceLayer::new(NonceHeader::nats(), Arc::clone(nonces), ORIGIN));
        Self { router, resolver }
    }
}

impl Resolver {
    /// How many accounts were looked up.
    pub fn asked(&self) -> usize {
        self.asked.load(Relaxed)
    }

    /// How many were looked up at once, at most.
    pub fn most_under_way(&self) -> usize {
        self.most.load(Relaxed)
    }
}

impl AccountResolver for Resolver {
    async fn fetch(&self, id: &AccountKey) -> Result<Option<String>, ResolverError> {
        self.asked.fetch_add(1, Relaxed);
        self.most.fetch_max(self.under_way.fetch_add(1, Relaxed) + 1, Relaxed);
        let _under_way = UnderWay(&self.under_way);
        match (self.known.get(id), self.stranger) {
            (Some(token), _) => Ok(Some(token.clone())),
            (None, Stranger::NotFound(after)) => {
                sleep(after).await;
                Ok(None)
            }
            (None, Stranger::Hangs) => std::future::pending().await,
        }
    }
}

/// Ends with the look-up, also if that is given up.
struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
