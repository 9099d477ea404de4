//! Tests learned issuers: how long a resolver's answer is used, and what happens when the resolver no longer knows an issuer.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod desk;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use desk::{Scene, done, poll};
use portcullis_core::{
    Admission, Algorithm, Code, Issuers, JwtAuthenticator,
    authenticator::{Attempt, Waiting},
    issuers::Allow,
    verified::{NoCustom, Verified},
};
use portcullis_test::{FixedClock, MockIssuer};

const ASK_AFTER: Duration = Duration::from_secs(10 * 60);
const OUTAGE: Duration = Duration::from_secs(60 * 60);

/// A service that has learned an issuer.
struct Learned {
    scene: Scene,
    acme: MockIssuer,
    /// A token of the issuer, which is cached.
    token: String,
}

impl Learned {
    fn new() -> Self {
        let scene = Scene::new();
        let acme = scene.tenant("acme");
        let waiting = scene.begin(&acme);
        scene.desk.answer(|_| Ok(Some(acme.trusted())));
        done(waiting).unwrap();
        let token = acme.token().expires_in(10 * OUTAGE).sign();
        let this = Self { scene, acme, token };
        assert!(this.is_remembered());
        this
    }

    fn code(&self) -> Option<Code> {
        self.scene.admission.verify(&self.token).ready().unwrap().err().map(|error| error.code())
    }

    /// Whether the token is admitted from the cache.
    fn is_remembered(&self) -> bool {
        let [one, other] = [(); 2].map(|()| self.scene.admission.verify(&self.token).ready().unwrap().unwrap());
        std::ptr::eq(one.claims_json(), other.claims_json())
    }

    /// Starts a request that looks the issuer up again.
    fn asking(&self) -> Waiting<Verified> {
        let Attempt::Waiting(mut waiting) = self.scene.admission.verify(&self.token) else {
            unreachable!("it asks nothing")
        };
        assert!(poll(&mut waiting).is_pending());
        waiting
    }
}

#[test]
fn an_issuer_that_the_resolver_no_longer_knows_is_refused_after_ten_minutes() {
    let service = Learned::new();
    service.scene.clock.advance(ASK_AFTER.saturating_sub(Duration::from_secs(1)));
    assert_eq!((service.code(), service.scene.desk.asked()), (None, 1), "nothing is asked before");
    service.scene.clock.advance(Duration::from_secs(1));
    let asking = service.asking();
    service.scene.desk.answer(|_| Ok(None));
    assert_eq!(done(asking).unwrap_err().code(), Code::IssuerNotTrusted);
    assert_eq!(service.code(), Some(Code::IssuerNotTrusted), "although it was remembered");
    assert!(service.scene.issuers.learned().is_empty());
}

#[test]
fn a_new_answer_of_the_resolver_replaces_the_previous_one() {
    let service = Learned::new();
    service.scene.clock.advance(ASK_AFTER);
    let asking = service.asking();
    service.scene.desk.answer(|_| Ok(Some(service.acme.trusted().require_claim("/tenant"))));
    assert_eq!(done(asking).unwrap_err().code(), Code::ClaimMissing);
    assert_eq!(service.code(), Some(Code::ClaimMissing));

    service.scene.clock.advance(ASK_AFTER);
    assert_eq!(service.code(), Some(Code::ClaimMissing), "a token that is refused asks nothing");
    assert_eq!(service.scene.desk.asked(), 2);
}

#[test]
fn one_request_asks_again_and_the_others_do_not_wait() {
    let service = Learned::new();
    service.scene.clock.advance(ASK_AFTER);
    let asking = service.asking();
    assert!(service.is_remembered());
    service.scene.clock.advance(Duration::from_secs(30));
    assert!(service.is_remembered(), "not one more waits for a resolver that takes long");
    assert_eq!(service.scene.desk.asked(), 2);
    service.scene.desk.answer(|_| Ok(Some(service.acme.trusted())));
    assert_eq!(done(asking).unwrap().issuer(), service.acme.name());
    assert!(service.is_remembered());
    assert_eq!(service.scene.desk.asked(), 2);
}

#[test]
fn another_request_asks_if_the_client_of_the_first_hangs_up() {
    let service = Learned::new();
    service.scene.clock.advance(ASK_AFTER);
    drop(service.asking());
    assert!(service.is_remembered());
    service.scene.clock.advance(Duration::from_secs(5));
    let asking = service.asking();
    service.scene.desk.answer(|_| Ok(None));
    assert_eq!(done(asking).unwrap_err().code(), Code::IssuerNotTrusted);
}

#[test]
fn forged_tokens_cause_no_new_question() {
    let service = Learned::new();
    service.scene.clock.advance(ASK_AFTER);
    let posing = service.scene.tenant("acme");
    assert_eq!(service.scene.code(&posing), Some(Code::SignatureInvalid));
    assert_eq!(service.scene.desk.asked(), 1);
    drop(service.asking());
}

#[test]
fn an_issuer_is_used_for_an_hour_longer_while_the_resolver_fails() {
    let service = Learned::new();
    let down = || service.scene.desk.answer(|_| Err("the database is down".into()));
    service.scene.clock.advance(ASK_AFTER);
    for attempt in 2..100 {
        let asking = service.asking();
        down();
        assert_eq!(done(asking).unwrap().issuer(), service.acme.name());
        assert!(service.is_remembered());
        assert_eq!(service.scene.desk.asked(), attempt, "once in five seconds");
        service.scene.clock.advance(Duration::from_secs(5));
    }
    service.scene.clock.advance(OUTAGE);
    let asking = service.asking();
    down();
    assert_eq!(done(asking).unwrap_err().code(), Code::IssuerUnavailable);
    assert_eq!(service.code(), Some(Code::IssuerUnavailable));
    service.scene.clock.advance(Duration::from_secs(5));
    let asking = service.asking();
    service.scene.desk.answer(|_| Ok(Some(service.acme.trusted())));
    assert!(done(asking).is_ok() && service.is_remembered());
}

#[test]
fn an_issuer_whose_new_configuration_cannot_be_used_is_the_services_fault() {
    let service = Learned::new();
    service.scene.clock.advance(ASK_AFTER);
    let asking = service.asking();
    service.scene.desk.answer(|_| Ok(Some(service.acme.trusted().require_claim("tenant"))));
    assert_eq!(done(asking).unwrap_err().code(), Code::ServiceMisconfigured);
    assert_eq!(service.code(), Some(Code::ServiceMisconfigured));
    assert!(service.scene.issuers.learned().is_empty());
}

#[test]
fn the_previous_answer_stays_in_use_if_too_many_questions_are_open() {
    let service = Learned::new();
    let waiting: Vec<_> =
        (0..64).map(|number| service.scene.begin(&service.scene.tenant(&format!("t{number}")))).collect();
    service.scene.clock.advance(ASK_AFTER);
    assert!(service.is_remembered());
    drop(waiting);
    service.scene.clock.advance(Duration::from_secs(5));
    drop(service.asking());
}

#[tokio::test]
async fn an_issuer_that_the_rule_no_longer_allows_is_refused_with_its_next_token() {
    let is_open = Arc::new(AtomicBool::new(true));
    let (issuers, clock) = (Issuers::default(), FixedClock::default());
    let acme = MockIssuer::new().named("https://acme.tenants.test").clock(clock.clone());
    let (rule, trusted) = (Arc::clone(&is_open), acme.trusted());
    let resolver = move |_: String| {
        let trusted = trusted.clone();
        async move { Ok(Some(trusted)) }
    };
    issuers.on_unknown(Allow::when(move |_| rule.load(Ordering::SeqCst)), resolver).unwrap();
    let admission = Admission::<NoCustom>::new(JwtAuthenticator::issuers(issuers.clone())).clock(clock.clone());
    let code = async |token: &str| admission.verify(token).outcome().await.err().map(|error| error.code());
    let remembered = acme.token().expires_in(10 * OUTAGE).sign();
    for _ in 0..3 {
        assert_eq!(code(&remembered).await, None);
    }
    is_open.store(false, Ordering::SeqCst);
    assert_eq!(code(&acme.token().sign()).await, Some(Code::IssuerNotTrusted));
    assert!(issuers.learned().is_empty());
    assert_eq!(code(&remembered).await, Some(Code::IssuerNotTrusted), "with the issuer");

    is_open.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(code(&remembered).await, None);
    }
    is_open.store(false, Ordering::SeqCst);
    clock.advance(ASK_AFTER);
    assert_eq!(code(&remembered).await, Some(Code::IssuerNotTrusted), "without another token");
}

#[test]
fn invented_names_take_no_place_of_a_customer() {
    let service = Learned::new();
    // The rule allows these names, and the resolver returns issuers for them.
    let forger = MockIssuer::with_secret("a", Algorithm::Hs256, [7; 32]);
    let published = MockIssuer::with_secret("a", Algorithm::Hs256, [8; 32]);
    for number in 0..2_000 {
        let evil =
            forger.clone().named(format!("https://evil-{number}.tenants.test")).clock(service.scene.clock.clone());
        let asking = service.scene.begin(&evil);
        service.scene.desk.answer(|name| Ok(Some(published.clone().named(name).trusted())));
        assert_eq!(done(asking).unwrap_err().code(), Code::SignatureInvalid);
    }
    assert_eq!(service.scene.issuers.learned(), [service.acme.name()]);
    assert!(service.is_remembered());
}
