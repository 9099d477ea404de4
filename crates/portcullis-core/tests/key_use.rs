//! What a key source is told about the tokens that its keys have verified.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use portcullis_core::{
    Admission, Code, Issuers, JwtAuthenticator, UnixTime,
    issuers::Allow,
    keys::{KeyHint, KeySource, Resolved},
};
use portcullis_test::{MockIssuer, MockKeys};

/// Counts how often it is told of a verified token.
#[derive(Clone, Debug)]
struct Counting {
    keys: MockKeys,
    verified: Arc<AtomicUsize>,
}

impl Counting {
    fn of(issuer: &MockIssuer) -> Self {
        Self { keys: issuer.keys(), verified: Arc::default() }
    }

    fn verified(&self) -> usize {
        self.verified.load(Ordering::SeqCst)
    }
}

impl KeySource for Counting {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        self.keys.resolve(hint, now)
    }

    fn note_verified(&self) {
        self.verified.fetch_add(1, Ordering::SeqCst);
    }

    fn edition(&self, now: UnixTime) -> Option<u64> {
        self.keys.edition(now)
    }
}

/// Services that trust this issuer in every way that there is.
fn services(issuer: &MockIssuer, keys: &Counting) -> [Admission; 3] {
    let trusted = || issuer.trusted_with(keys.clone());
    let (listed, learned) = (Issuers::new([trusted()]).unwrap(), Issuers::default());
    let known = trusted();
    let resolver = move |_| std::future::ready(Ok(Some(known.clone())));
    learned.on_unknown(Allow::when(|_| true), resolver).unwrap();
    let fixed = JwtAuthenticator::new(trusted()).unwrap();
    [fixed, JwtAuthenticator::issuers(listed), JwtAuthenticator::issuers(learned)].map(Admission::new)
}

async fn code(service: &Admission, token: &str) -> Option<Code> {
    service.verify(token).outcome().await.err().map(|error| error.code())
}

#[tokio::test]
async fn a_source_is_told_of_each_accepted_token_and_of_no_forged_one() {
    let issuer = MockIssuer::new();
    let forger = MockIssuer::new().named(issuer.name());
    let keys = Counting::of(&issuer);
    for service in services(&issuer, &keys) {
        let before = keys.verified();
        for _ in 0..10 {
            assert!(code(&service, &forger.token().sign()).await.is_some());
            assert_eq!(code(&service, &issuer.token().audience("another").sign()).await, Some(Code::AudienceMismatch));
        }
        assert_eq!(keys.verified(), before);

        let token = issuer.token().sign();
        for times in 1..=3 {
            assert_eq!(code(&service, &token).await, None);
            assert_eq!(keys.verified(), before + times, "also if it is cached");
        }
        assert_eq!(code(&service.without_cache(), &token).await, None);
        assert_eq!(keys.verified(), before + 4);
    }
}

#[tokio::test]
async fn a_cached_token_whose_key_is_gone_is_no_use() {
    let issuer = MockIssuer::new();
    let keys = Counting::of(&issuer);
    for service in services(&issuer, &keys) {
        let token = issuer.token().sign();
        assert_eq!([code(&service, &token).await, code(&service, &token).await], [None, None]);
        issuer.replace_key();
        let before = keys.verified();
        assert!(code(&service, &token).await.is_some());
        assert_eq!(keys.verified(), before);
    }
}
