//! Whom everybody trusts.

use portcullis::{Admission, Algorithm, JwtAuthenticator};
use portcullis_benches::{Member, admission, uncached};
use portcullis_test::MockIssuer;

/// An issuer and its published keys.
pub struct Trust {
    pub issuer: MockIssuer,
    pub algorithm: Algorithm,
    pub jwks: String,
}

/// Whether verified tokens are remembered.
#[derive(Clone, Copy)]
pub enum Cache {
    On,
    Off,
}

impl Cache {
    fn applied_to<C: Send + Sync + 'static>(self, admission: Admission<C>) -> Admission<C> {
        match self {
            Self::On => admission,
            Self::Off => uncached(admission),
        }
    }
}

impl Trust {
    pub fn new(algorithm: Algorithm) -> Self {
        let issuer = MockIssuer::with_algorithm(algorithm);
        let jwks = issuer.jwks();
        Self { issuer, algorithm, jwks }
    }

    pub fn audience(&self) -> &'static str {
        MockIssuer::DEFAULT_AUDIENCE
    }

    pub fn admission(&self, cache: Cache) -> Admission {
        cache.applied_to(admission(self.issuer.trusted()))
    }

    /// The same with custom claims of six fields.
    pub fn member_admission(&self, cache: Cache) -> Admission<Member> {
        let authenticator = JwtAuthenticator::new(self.issuer.trusted()).expect("a sound configuration");
        cache.applied_to(Admission::new(authenticator.claims::<Member>()))
    }

    pub fn tokens(&self, count: usize) -> Vec<String> {
        let token = |at: usize| {
            let token = self.issuer.token().subject("alice").scope("orders:read profile");
            let token = Member::claims().into_iter().fold(token, |token, (name, value)| token.claim(name, value));
            token.token_id(&format!("{at:04}")).sign()
        };
        (0..count).map(token).collect()
    }
}

/// What is set up asynchronously, though nothing in it waits when the keys are at hand.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}
