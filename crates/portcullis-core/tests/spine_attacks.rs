//! Tests attacks on the admission, and mistakes of developers.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use portcullis_core::{
    Admission, Algorithm, Authenticator, Clock, Code, JwtAuthenticator, KeySet, Secret, UnixTime,
    authenticator::{Attempt, Credential, Presented, Proven},
    clock::SystemClock,
    explain::{Explain, Recorder},
    keys::{KeyHint, KeyMatch, KeySource, Resolved},
    revocation::{Level, Revocation, RevocationView, Rungs, ViewWriter},
    verified::{Conventions, Facts, NoCustom},
};
use portcullis_test::{FixedClock, MockIssuer};

const HORIZON: Duration = Duration::from_secs(15 * 60);
const ISSUER: &str = "https://keys.test";

/// An authenticator whose credentials are looked up in a store, and cached for an hour.
#[derive(Clone, Debug)]
struct Store {
    asked: Arc<AtomicUsize>,
    is_gone: Arc<AtomicBool>,
    rungs: Rungs,
    max_len: usize,
}

impl Store {
    fn with(rungs: Rungs) -> Self {
        Self { asked: Arc::default(), is_gone: Arc::default(), rungs, max_len: 4096 }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Authenticator for Store {
    type Custom = NoCustom;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.is_gone.load(Ordering::SeqCst) {
            return Attempt::Done(Err(Code::KeyUnknown.into()));
        }
        let claims = r#"{"sub":"alice","jti":"key-1","client_id":"crm","iat":1700000000}"#;
        let facts = Facts::assertion(claims, Conventions::new(ISSUER)).unwrap().with_rungs(self.rungs.clone());
        let until = credential.now().plus(Duration::from_secs(3600));
        Attempt::Done(Ok(Proven::new(facts, NoCustom).cache_until(until)))
    }

    fn max_len(&self) -> usize {
        self.max_len
    }
}

struct Scene {
    clock: FixedClock,
    writer: ViewWriter,
    store: Store,
    admission: Admission,
}

impl Scene {
    fn with(rungs: Rungs) -> Self {
        let clock = FixedClock::default();
        let writer = ViewWriter::builder(HORIZON).clock(clock.clone()).build();
        writer.confirm(writer.ask());
        let store = Store::with(rungs);
        let admission = Admission::new(store.clone()).clock(clock.clone()).revocations(&writer);
        Self { clock, writer, store, admission }
    }

    fn code(&self) -> Option<Code> {
        self.admission.verify("key-1").ready().unwrap().err().map(|error| error.code())
    }

    fn revoke(&self, revocation: &Revocation) {
        self.writer.merge(&[self.writer.entry(revocation)]);
    }

    /// Lets time pass, confirms the view, and forgets expired entries.
    fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.writer.confirm(self.writer.ask());
        (0..256).for_each(|_| self.writer.forget_some());
    }
}

#[test]
fn a_credential_without_a_horizon_stays_revoked_once_its_revocation_is_forgotten() {
    let scene = Scene::with(Rungs::of([Level::Token, Level::Client, Level::Key]));
    assert_eq!(scene.code(), None);
    scene.store.is_gone.store(true, Ordering::SeqCst);
    assert_eq!(scene.code(), None, "remembered");
    scene.revoke(&Revocation::client(ISSUER, "crm", scene.clock.now()));
    assert_eq!(scene.code(), Some(Code::TokenRevoked));
    scene.pass(HORIZON + Duration::from_secs(11 * 60));
    assert_eq!(scene.code(), Some(Code::KeyUnknown), "the store is asked, and has it no more");
}

#[test]
fn an_outage_of_the_log_does_not_send_every_request_to_the_authenticator() {
    let scene = Scene::with(Rungs::of([Level::Token]));
    assert_eq!(scene.code(), None);
    scene.clock.advance(Duration::from_secs(6));
    for _ in 0..100 {
        assert_eq!(scene.code(), Some(Code::RevocationsStale));
    }
    assert_eq!(scene.store.asked(), 1);
    scene.writer.confirm(scene.writer.ask());
    assert_eq!((scene.code(), scene.store.asked()), (None, 1));
}

#[test]
fn repeated_requests_with_a_revoked_credential_do_not_reach_the_authenticator() {
    let scene = Scene::with(Rungs::of([Level::Client]));
    assert_eq!(scene.code(), None);
    scene.revoke(&Revocation::client(ISSUER, "crm", scene.clock.now()));
    for _ in 0..100 {
        assert_eq!(scene.code(), Some(Code::TokenRevoked));
    }
    assert_eq!(scene.store.asked(), 1);
}

#[test]
fn a_credential_is_revoked_with_its_ancestors_whatever_its_levels() {
    let scene = Scene::with(Rungs::of([Level::Client]).with_ancestors(["parent"]));
    let until = scene.clock.now().plus(Duration::from_secs(600));
    scene.revoke(&Revocation::token(ISSUER, "uncle", until));
    assert_eq!(scene.code(), None);
    scene.revoke(&Revocation::token(ISSUER, "parent", until));
    assert_eq!(scene.code(), Some(Code::CredentialRevokedByParent));
}

#[test]
fn a_credential_that_is_too_long_never_reaches_its_authenticator() {
    let store = Store::with(Rungs::ALL);
    let admission = Admission::new(store.clone());
    let code = |length: usize| admission.verify(&"a".repeat(length)).ready().unwrap().err().map(|error| error.code());
    assert_eq!(code(4097), Some(Code::TokenTooLong));
    assert_eq!(store.asked(), 0);
    assert_eq!(code(4096), None);
}

#[test]
fn malformed_bytes_are_refused_although_they_were_verified_in_a_message() {
    let admission = Admission::new(Store::with(Rungs::ALL));
    let code =
        |text: &str| admission.admit(Presented::bearer(text.as_bytes())).ready().unwrap().err().map(|e| e.code());
    assert_eq!(code("a b"), Some(Code::CredentialMalformed));
    assert!(
        admission.verify("a b").ready().unwrap().is_ok(),
        "the authenticator takes it where no request presents it"
    );
    assert_eq!(code("a b"), Some(Code::CredentialMalformed));
    assert!(admission.verify("ab").ready().unwrap().is_ok());
    assert_eq!(code("ab"), None);
}

#[test]
fn a_small_limit_for_credentials_does_not_switch_the_cache_off() {
    let store = Store { max_len: 64, ..Store::with(Rungs::of([Level::Token])) };
    let admission = Admission::new(store.clone());
    for _ in 0..100 {
        assert!(admission.verify("key-1").ready().unwrap().is_ok());
    }
    assert_eq!(store.asked(), 1);

    let issuer = MockIssuer::with_secret("a", Algorithm::Hs256, [7; 32]);
    let admission = Admission::new(JwtAuthenticator::new(issuer.trusted()).unwrap().max_token_bytes(1024).unwrap());
    let token = issuer.token().sign();
    let [first, second] = [(); 2].map(|()| admission.verify(&token).ready().unwrap().unwrap());
    assert!(std::ptr::eq(first.claims_json(), second.claims_json()), "verified again");
}

/// A key source whose key was replaced under the same id; the newer key has to be fetched.
#[derive(Debug)]
struct Rotated {
    old: KeySet,
    new: KeySet,
}

impl KeySource for Rotated {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        self.old.resolve(hint, now)
    }

    fn reconsider(&self, hint: KeyHint<'_>, _: &KeyMatch) -> Resolved {
        let newer = self.new.resolve(hint, UnixTime::EPOCH);
        Resolved::waiting(async move { newer })
    }
}

#[tokio::test]
async fn explain_accepts_a_valid_token_whose_key_had_to_be_fetched() {
    let set = |byte| KeySet::from(Secret::new("a", Algorithm::Hs256, [byte; 32]).unwrap());
    let issuer = MockIssuer::with_secret("a", Algorithm::Hs256, [8; 32]);
    for (newer, expected) in [(8, None), (9, Some(Code::SignatureInvalid))] {
        let keys = Rotated { old: set(7), new: set(newer) };
        let admission = Admission::explainable(JwtAuthenticator::new(issuer.trusted_with(keys)).unwrap());
        let token = issuer.token().sign();
        let admitted = admission.verify(&token).outcome().await.err().map(|error| error.code());
        let explained = admission.explain(Presented::bearer(token.as_bytes())).await;
        let is_refused = explained.findings.iter().any(portcullis_core::explain::Finding::is_failed);
        assert_eq!((admitted, is_refused), (expected, expected.is_some()));
        assert_eq!(explained.verdict.err().map(|error| error.code()), expected);
    }
}

/// Each admission checks against its own view; only the writer can confirm a view.
#[test]
fn a_hit_is_checked_against_the_view_of_its_own_admission() {
    let scene = Scene::with(Rungs::of([Level::Client]));
    assert_eq!(scene.code(), None);
    let other = ViewWriter::builder(HORIZON).clock(scene.clock.clone()).build();
    other.confirm(other.ask());
    let view: RevocationView = (&other).into();
    let elsewhere = Admission::new(scene.store.clone()).clock(scene.clock.clone()).revocations(view);
    scene.revoke(&Revocation::client(ISSUER, "crm", scene.clock.now()));
    assert!(elsewhere.verify("key-1").ready().unwrap().is_ok());
    assert_eq!(scene.code(), Some(Code::TokenRevoked));
}

/// An authenticator around another one may explain by calling it. For a refused token, it must get the refusal.
#[tokio::test]
async fn an_explaining_authenticator_never_returns_an_identity_after_a_failed_check() {
    let clock = FixedClock::default();
    let issuer = MockIssuer::new().clock(clock.clone());
    let authenticator = JwtAuthenticator::<NoCustom>::new(issuer.trusted()).unwrap();
    let explained = async |token: &str| {
        let mut recorder = Recorder::default();
        authenticator.explain(Credential::bearer(token), &mut recorder).await.err().map(|error| error.code())
    };
    let now = SystemClock.now();
    assert_eq!(explained(&issuer.token().issued_at(now).expires_at(now.plus(HORIZON)).sign()).await, None);
    let expired = issuer.token().issued_at(now.minus(HORIZON * 2)).expires_at(now.minus(HORIZON)).sign();
    assert_eq!(explained(&expired).await, Some(Code::TokenExpired));
    let elsewhere = issuer.token().issued_at(now).expires_at(now.plus(HORIZON)).audience("elsewhere").sign();
    assert_eq!(explained(&elsewhere).await, Some(Code::AudienceMismatch));
}
