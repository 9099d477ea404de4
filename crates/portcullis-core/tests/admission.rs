//! Tests what an admission does for every kind of credential, with authenticators that do none of it themselves.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use portcullis_core::{
    Admission, AuthError, Authenticator, Clock, Code, UnixTime, Verified,
    admission::AnyAdmission,
    authenticator::{Attempt, Channel, Credential, Edition, Header, Presented, Proven, RequestView, Scheme},
    revocation::{Level, Revocation, Rungs, Verdict, ViewWriter, WhenStale},
    verified::{Conventions, Facts, NoCustom},
};
use portcullis_test::FixedClock;

const ISSUER: &str = "https://keys.test";
const T: UnixTime = UnixTime::from_secs(1_800_000_000);
const DAY: Duration = Duration::from_secs(86_400);

/// A store of opaque tokens: `key-1`, `key-2`, … belong to alice and never expire. `app.key-1` was derived from `key-1`.
#[derive(Debug)]
struct Store {
    rungs: Rungs,
    asked: Arc<AtomicUsize>,
}

impl Store {
    fn new(rungs: Rungs) -> (Self, Arc<AtomicUsize>) {
        let asked = Arc::<AtomicUsize>::default();
        (Self { rungs, asked: Arc::clone(&asked) }, asked)
    }
}

impl Authenticator for Store {
    type Custom = NoCustom;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let id = credential.token();
        if !id.contains("key-") {
            return Attempt::Done(Err(Code::KeyUnknown.into()));
        }
        let parent = id.strip_prefix("app.").map(str::to_owned);
        let claims = format!(r#"{{"sub":"alice","jti":"{id}","client_id":"crm","iat":1700000000}}"#);
        let facts = Facts::assertion(claims, Conventions::new(ISSUER)).unwrap();
        let facts = facts.with_rungs(self.rungs.clone().with_ancestors(parent));
        Attempt::Done(Ok(Proven::new(facts, NoCustom).cache_until(credential.now().plus(DAY))))
    }
}

fn writer(clock: &FixedClock) -> ViewWriter {
    let writer = ViewWriter::builder(DAY).clock(clock.clone()).build();
    writer.confirm(writer.ask());
    writer
}

fn revoke(writer: &ViewWriter, revocation: &Revocation) {
    assert_eq!(writer.merge(&[writer.entry(revocation)]), 1);
}

fn code<C: Send + Sync + 'static>(admission: &Admission<C>, token: &str) -> Option<Code> {
    admission.verify(token).ready().unwrap().err().map(|error| error.code())
}

#[test]
fn a_store_of_api_keys_gets_caching_and_revocation_without_its_own_code() {
    let clock = FixedClock::at(T);
    let (store, asked) = Store::new(Rungs::of([Level::Token, Level::Client]));
    let writer = writer(&clock);
    let admission = Admission::new(store).clock(clock).revocations(&writer);
    for _ in 0..3 {
        assert_eq!([code(&admission, "key-1"), code(&admission, "key-2")], [None, None]);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2, "each is looked up once");
    assert_eq!(code(&admission, "nothing"), Some(Code::KeyUnknown));

    revoke(&writer, &Revocation::token(ISSUER, "key-1", T.plus(DAY)));
    for _ in 0..2 {
        assert_eq!([code(&admission, "key-1"), code(&admission, "key-2")], [Some(Code::TokenRevoked), None]);
    }
    revoke(&writer, &Revocation::client(ISSUER, "crm", T));
    assert_eq!(code(&admission, "key-2"), Some(Code::TokenRevoked));
}

#[test]
fn a_stale_view_refuses_every_kind_of_credential_as_the_route_is_configured() {
    let clock = FixedClock::at(T);
    let (store, _) = Store::new(Rungs::of([Level::Token]));
    let writer = writer(&clock);
    let closed = Admission::new(store).clock(clock.clone()).revocations(&writer);
    let open = closed.clone().when_stale(WhenStale::DangerFailOpen);
    assert_eq!(code(&closed, "key-1"), None);
    clock.advance(Duration::from_secs(6));
    assert_eq!(code(&closed, "key-1"), Some(Code::RevocationsStale));
    assert_eq!(code(&open, "key-1"), None);
    writer.confirm(writer.ask());
    assert_eq!(code(&closed, "key-1"), None);
}

#[test]
fn only_the_named_rungs_apply_and_the_horizon_only_with_all_rungs() {
    let clock = FixedClock::at(T);
    let writer = writer(&clock);
    let admission = |rungs| Admission::new(Store::new(rungs).0).clock(clock.clone()).revocations(&writer);
    let (own_store, all) = (admission(Rungs::of([Level::Token])), admission(Rungs::ALL));
    // The key was issued three years ago, and the horizon is one day.
    assert_eq!(code(&own_store, "key-1"), None);
    assert_eq!(code(&all, "key-1"), Some(Code::TokenLifetimeTooLong));

    let log_out_everywhere = Revocation::subject(ISSUER, "alice", T);
    revoke(&writer, &log_out_everywhere);
    assert_eq!(code(&own_store, "key-1"), None, "when it is seen again");
    assert_eq!(code(&own_store, "key-2"), None, "when it is first seen");
    assert_eq!(code(&all, "key-1"), Some(Code::TokenRevoked));
    // A view that is asked without an admission says the same.
    let facts = |rungs| {
        Facts::assertion(r#"{"sub":"alice","jti":"key-1","iat":1700000000}"#, Conventions::new(ISSUER))
            .unwrap()
            .with_rungs(rungs)
    };
    assert_eq!(writer.view().check(&facts(Rungs::of([Level::Token])), T), Verdict::Live);
    assert_eq!(writer.view().check(&facts(Rungs::of([Level::Subject])), T), Verdict::Revoked(Level::Subject));
    let sessions_too = admission(Rungs::of([Level::Token, Level::Subject]));
    assert_eq!(code(&sessions_too, "key-1"), Some(Code::TokenRevoked));
}

#[test]
fn a_credential_is_revoked_with_any_credential_that_it_was_derived_from() {
    let clock = FixedClock::at(T);
    let (store, _) = Store::new(Rungs::of([Level::Token]));
    let writer = writer(&clock);
    let admission = Admission::new(store).clock(clock).revocations(&writer);
    let three = || ["key-1", "app.key-1", "app.key-2"].map(|token| code(&admission, token));
    assert_eq!(three(), [None; 3]);
    revoke(&writer, &Revocation::token(ISSUER, "key-1", T.plus(DAY)));
    assert_eq!(three(), [Some(Code::TokenRevoked), Some(Code::CredentialRevokedByParent), None]);
    revoke(&writer, &Revocation::token(ISSUER, "app.key-1", T.plus(DAY)));
    assert_eq!(three(), [Some(Code::TokenRevoked), Some(Code::TokenRevoked), None]);
}

/// A request that may have a header with a proof.
#[derive(Debug)]
struct Request(Option<&'static [u8]>);

impl RequestView for Request {
    fn method(&self) -> &'static str {
        "GET"
    }

    fn target(&self) -> &'static str {
        "/"
    }

    fn header(&self, name: &str) -> Header<'_> {
        match self.0 {
            Some(value) if name == "proof" => Header::One(value),
            _ => Header::Absent,
        }
    }

    fn channel(&self) -> Channel<'_> {
        Channel::default()
    }
}

/// Accepts credentials only with the header `proof: right`. The credential `slow` causes a wait.
#[derive(Debug)]
struct Bound;

impl Authenticator for Bound {
    type Custom = NoCustom;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven> {
        let facts = Facts::assertion(r#"{"sub":"alice"}"#, Conventions::new(ISSUER)).unwrap();
        let until = credential.now().plus(DAY);
        let proven = Proven::new(facts, NoCustom).cache_until(until);
        if credential.token() != "slow" {
            return Attempt::Done(Ok(proven.proof_owed()));
        }
        match self.check_proof(
            credential,
            &Verified::assertion_of(Facts::assertion("{}", Conventions::new(ISSUER)).unwrap()).unwrap(),
        ) {
            Ok(()) => Attempt::waiting(async { Ok(proven.proof_shown()) }),
            Err(error) => Attempt::Done(Err(error)),
        }
    }

    fn check_proof(&self, credential: Credential<'_>, _: &Verified) -> Result<(), AuthError> {
        match credential.request().map(|request| request.header("proof")) {
            Some(Header::One(b"right")) => Ok(()),
            _ => Err(Code::ProofMissing.into()),
        }
    }
}

fn present(admission: &Admission, token: &str, proof: Option<&'static [u8]>) -> Attempt<Verified> {
    admission.admit(Presented::bearer(token.as_bytes()).with_request(&Request(proof)))
}

#[test]
fn s2_a_hit_never_skips_a_proof() {
    let admission = Admission::new(Bound);
    assert!(present(&admission, "bound", None).ready().unwrap().is_err(), "when it is first seen");
    assert!(present(&admission, "bound", Some(b"right")).ready().unwrap().is_ok());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    for proof in [None, Some(&b"wrong"[..])] {
                        let refused = present(&admission, "bound", proof).ready().unwrap().unwrap_err();
                        assert_eq!(refused.code(), Code::ProofMissing);
                    }
                    assert!(present(&admission, "bound", Some(b"right")).ready().unwrap().is_ok());
                }
            });
        }
    });
    let refused = admission.verify("bound").ready().unwrap().unwrap_err();
    assert_eq!(refused.code(), Code::ProofMissing, "there is no request at all");
}

#[test]
fn a_credential_that_is_presented_without_its_request_is_admitted_only_if_it_is_cached_and_owes_no_proof() {
    let at_once = |admission: &Admission, token: &[u8]| {
        AnyAdmission::from(admission).admit_cached(Presented::bearer(token)).map(|admitted| admitted.now)
    };
    let bound = Admission::new(Bound);
    assert!(present(&bound, "bound", Some(b"right")).ready().unwrap().is_ok());
    assert_eq!(at_once(&bound, b"bound"), None);

    let clock = FixedClock::at(T);
    let writer = writer(&clock);
    let (store, _) = Store::new(Rungs::of([Level::Token]));
    let keys = Admission::new(store).clock(clock).revocations(writer.view());
    assert_eq!(at_once(&keys, b"key-1"), None, "it is not cached yet");
    for key in ["key-1", "key-2"] {
        assert!(keys.verify(key).ready().unwrap().is_ok());
    }
    assert_eq!(at_once(&keys, b"key-1"), Some(T));
    revoke(&writer, &Revocation::token(ISSUER, "key-1", T.plus(DAY)));
    assert_eq!(at_once(&keys, b"key-1"), None, "it is revoked");
    assert_eq!(at_once(&keys, b"key-2"), Some(T));
}

#[tokio::test]
async fn a_proof_that_was_checked_before_a_wait_counts_only_for_that_request() {
    let admission = Admission::new(Bound);
    assert!(present(&admission, "slow", None).ready().unwrap().is_err());
    assert!(present(&admission, "slow", Some(b"right")).outcome().await.is_ok());
    let refused = present(&admission, "slow", None).ready().unwrap().unwrap_err();
    assert_eq!(refused.code(), Code::ProofMissing, "it is remembered, and owes the proof again");
    assert!(present(&admission, "slow", Some(b"right")).ready().unwrap().is_ok());
}

/// Waits for every credential, and checks the proof afterwards. The credential `free` needs no request for it.
#[derive(Debug, Default)]
struct Late(Mutex<Option<UnixTime>>);

impl Authenticator for Late {
    type Custom = NoCustom;

    fn verify(&self, _: Credential<'_>) -> Attempt<Proven> {
        let facts = Facts::assertion(r#"{"sub":"alice"}"#, Conventions::new(ISSUER)).unwrap();
        Attempt::waiting(async { Ok(Proven::new(facts, NoCustom).proof_owed()) })
    }

    fn check_proof(&self, credential: Credential<'_>, _: &Verified) -> Result<(), AuthError> {
        *self.0.lock().unwrap() = Some(credential.now());
        if credential.token() == "free" || credential.request().is_some() {
            return Ok(());
        }
        Err(Code::ProofMissing.into())
    }
}

/// A clock that advances by one second each time it is read.
#[derive(Debug, Default)]
struct Ticking(AtomicU64);

impl Clock for Ticking {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(T.as_secs() + self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[tokio::test]
async fn a_result_after_a_wait_has_the_instant_of_its_decision() {
    let late = Arc::new(Late::default());
    let admission = Admission::new(Arc::clone(&late)).clock(Ticking::default());
    let admitted = AnyAdmission::from(&admission).admit(Presented::bearer(b"free")).outcome().await.unwrap();
    assert_eq!(Some(admitted.now), *late.0.lock().unwrap());
    assert_eq!(admitted.now, T.plus(Duration::from_secs(1)), "read once before the wait, and once after it");
}

#[tokio::test]
async fn asking_for_a_proof_after_a_wait_is_the_authenticators_mistake_and_explained_as_such() {
    let admission = Admission::new(Late::default());
    for (token, outcome) in [("bound", Err(Code::ServiceMisconfigured)), ("free", Ok(()))] {
        let request = Request(Some(b"right"));
        let presented = || Presented::bearer(token.as_bytes()).with_request(&request);
        let code = |outcome: Result<Verified, AuthError>| outcome.map(drop).map_err(|error| error.code());
        assert_eq!(code(admission.admit(presented()).outcome().await), outcome);
        assert_eq!(code(admission.explain(presented()).await.verdict), outcome);
    }
}

/// Says whose credential it is, with `cnf` if the token says so, and looks at no proof.
#[derive(Debug)]
struct Introspection;

impl Authenticator for Introspection {
    type Custom = NoCustom;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven> {
        let claims = match credential.token() {
            "bound" | "shown" => r#"{"sub":"alice","cnf":{"jkt":"x"}}"#,
            "null" => r#"{"sub":"alice","cnf":null}"#,
            _ => r#"{"sub":"alice"}"#,
        };
        let proven = Proven::read(Facts::assertion(claims, Conventions::new(ISSUER)).unwrap());
        Attempt::Done(proven.map(|proven| if credential.token() == "shown" { proven.proof_shown() } else { proven }))
    }
}

/// RFC 7800: a credential with `cnf` is bound to a key, whichever authenticator has read it.
#[test]
fn a_bound_credential_owes_a_proof_even_if_its_authenticator_asks_for_none() {
    let admission = Admission::new(Introspection);
    let admit = |token: &str| present(&admission, token, None).ready().unwrap().map(drop).map_err(|error| error.code());
    assert_eq!(admit("bound"), Err(Code::ProofMissing));
    assert_eq!(admit("null"), Err(Code::ProofMissing), "whatever `cnf` contains");
    assert_eq!(admit("shown"), Ok(()));
    assert_eq!(admit("plain"), Ok(()));
}

/// An authenticator need not look at the scheme: the admission does.
#[tokio::test]
async fn credentials_under_a_scheme_that_the_authenticator_does_not_list_are_refused() {
    let [plain, by_scheme] = [Admission::new(Introspection), Admission::new(ByScheme)];
    for (admission, scheme, expected) in [
        (&plain, Scheme::Bearer, Ok(())),
        (&plain, Scheme::DPoP, Err(Code::CredentialKindUnknown)),
        (&plain, Scheme::Other("bearer"), Ok(())),
        (&by_scheme, Scheme::Other("ApiKey"), Ok(())),
        (&by_scheme, Scheme::Other("ApiKeyX"), Err(Code::CredentialKindUnknown)),
    ] {
        for _ in 0..2 {
            let presented = || Presented::bearer(b"plain").with_scheme(scheme);
            let code = |outcome: Result<Verified, AuthError>| outcome.map(drop).map_err(|error| error.code());
            assert_eq!(code(admission.admit(presented()).ready().unwrap()), expected, "{scheme}");
            assert_eq!(code(admission.explain(presented()).await.verdict), expected, "{scheme}");
        }
    }
}

/// Chooses the subject of a credential by its scheme.
#[derive(Debug)]
struct ByScheme;

impl Authenticator for ByScheme {
    type Custom = NoCustom;

    fn schemes(&self) -> Vec<Scheme> {
        vec![Scheme::Bearer, Scheme::Other("ApiKey")]
    }

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven> {
        let subject = match credential.scheme() {
            Scheme::Bearer => "alice",
            Scheme::Other("ApiKey") => "a machine",
            _ => return Attempt::Done(Err(Code::KeyUnknown.into())),
        };
        let facts = Facts::assertion(format!(r#"{{"sub":"{subject}"}}"#), Conventions::new(ISSUER)).unwrap();
        Attempt::Done(Ok(Proven::new(facts, NoCustom).cache_until(credential.now().plus(DAY))))
    }
}

#[test]
fn the_same_bytes_under_another_scheme_are_another_credential() {
    let admission = Admission::new(ByScheme);
    let who = |scheme| {
        let outcome = admission.admit(Presented::bearer(b"abc").with_scheme(scheme)).ready().unwrap();
        outcome.ok().map(|verified| verified.subject().unwrap().to_owned())
    };
    for _ in 0..2 {
        assert_eq!(who(Scheme::Bearer).as_deref(), Some("alice"));
        assert_eq!(who(Scheme::Other("ApiKey")).as_deref(), Some("a machine"));
        assert_eq!(who(Scheme::DPoP), None);
    }
}

#[test]
fn malformed_credentials_reach_no_authenticator() {
    let (store, asked) = Store::new(Rungs::ALL);
    let admission = Admission::new(store);
    for octets in [&b""[..], b"key-1 ", b"key\x00-1", b"key-\xff", b"=key-1", "k\u{e9}y-1".as_bytes()] {
        let refused = admission.admit(Presented::bearer(octets)).ready().unwrap().unwrap_err();
        assert_eq!(refused.code(), Code::CredentialMalformed, "{}", octets.escape_ascii());
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert!(admission.admit(Presented::bearer(b"key-1=")).ready().unwrap().is_ok());
}

/// Sets an edition, but does not implement `is_current`.
#[derive(Debug)]
struct Careless(Arc<AtomicUsize>);

impl Authenticator for Careless {
    type Custom = NoCustom;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let facts = Facts::assertion("{}", Conventions::new(ISSUER)).unwrap();
        let proven = Proven::new(facts, NoCustom).cache_until(credential.now().plus(DAY));
        Attempt::Done(Ok(proven.edition(Edition::new(7))))
    }
}

#[test]
fn an_edition_is_not_current_unless_its_authenticator_says_so() {
    let asked = Arc::<AtomicUsize>::default();
    let admission = Admission::new(Careless(Arc::clone(&asked)));
    for _ in 0..3 {
        assert_eq!(code(&admission, "abc"), None);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

/// A clock that counts how often it is read.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<AtomicUsize>);

impl Clock for Counting {
    fn now(&self) -> UnixTime {
        self.0.fetch_add(1, Ordering::SeqCst);
        T
    }
}

#[test]
fn the_clock_is_read_once_for_a_request_and_guards_use_the_same_instant() {
    let clock = Counting::default();
    let admission = AnyAdmission::from(Admission::new(Store::new(Rungs::ALL).0).clock(clock.clone()));
    for _ in 0..2 {
        let before = clock.0.load(Ordering::SeqCst);
        let admitted = admission.admit(Presented::bearer(b"key-1")).ready().unwrap().unwrap();
        assert_eq!(admitted.now, T);
        assert_eq!(clock.0.load(Ordering::SeqCst) - before, 1);
    }
}

#[test]
fn debug_output_never_shows_the_credential() {
    let presented = Presented::bearer(b"s3cr3t").with_request(&Request(Some(b"s3cr3t")));
    let shown = format!("{presented:?} {:?} {:?}", Credential::bearer("s3cr3t"), Header::One(b"s3cr3t"));
    assert!(!shown.contains("s3cr3t") && shown.contains("Bearer"), "{shown}");
}
