//! Tests issuers that are added and removed while requests are decided.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{Arc, Mutex};

use portcullis_core::{
    Admission, Code, Issuers, JwtAuthenticator, TrustedIssuer, UnixTime, Verified,
    authenticator::Attempt,
    keys::{AlgorithmSet, KeyHint, KeySource, Resolved},
    revocation::{Revocation, ViewWriter},
};
use portcullis_test::{MockIssuer, MockKeys};
use tokio::sync::oneshot;

fn admission(issuers: &Issuers) -> Admission {
    Admission::new(JwtAuthenticator::issuers(issuers.clone()))
}

fn verify(admission: &Admission, token: &str) -> Result<Verified, Code> {
    match admission.verify(token) {
        Attempt::Done(outcome) => outcome.map_err(|error| error.code()),
        _ => unreachable!("the keys are at hand"),
    }
}

fn mock(name: &str) -> MockIssuer {
    MockIssuer::new().named(name)
}

fn is_hit(one: &Verified, other: &Verified) -> bool {
    std::ptr::eq(one.claims_json(), other.claims_json())
}

#[test]
fn a_token_is_accepted_while_its_issuer_is_on_the_list_and_only_then() {
    let (acme, globex) = (mock("https://acme.test"), mock("https://globex.test"));
    let issuers = Issuers::new([globex.trusted()]).unwrap();
    let service = admission(&issuers);
    let [of_acme, of_globex] = [&acme, &globex].map(|issuer| issuer.token().sign());
    assert_eq!(verify(&service, &of_acme).unwrap_err(), Code::IssuerNotTrusted);

    issuers.insert(acme.trusted()).unwrap();
    let first = verify(&service, &of_acme).unwrap();
    assert!(is_hit(&verify(&service, &of_acme).unwrap(), &first), "it is remembered");
    let other = verify(&service, &of_globex).unwrap();

    assert!(issuers.remove(acme.name()));
    assert_eq!(verify(&service, &of_acme).unwrap_err(), Code::IssuerNotTrusted, "although it was remembered");
    assert!(is_hit(&verify(&service, &of_globex).unwrap(), &other), "the other issuer's tokens stay");

    issuers.insert(acme.trusted()).unwrap();
    assert!(!is_hit(&verify(&service, &of_acme).unwrap(), &first));
}

#[test]
fn replacing_an_issuer_takes_effect_for_cached_tokens_at_once() {
    let acme = mock("https://acme.test");
    let issuers = Issuers::new([acme.trusted()]).unwrap();
    let service = admission(&issuers);
    let token = acme.token().sign();
    let first = verify(&service, &token).unwrap();

    issuers.insert(acme.trusted()).unwrap();
    let second = verify(&service, &token).unwrap();
    assert!(!is_hit(&second, &first) && is_hit(&verify(&service, &token).unwrap(), &second));

    issuers.insert(acme.trusted().require_claim("/tenant")).unwrap(); // the same keys
    assert_eq!(verify(&service, &token).unwrap_err(), Code::ClaimMissing);
    issuers.insert(mock("https://acme.test").trusted()).unwrap(); // other keys
    assert_eq!(verify(&service, &token).unwrap_err(), Code::SignatureInvalid);
}

#[test]
fn the_next_issuer_in_a_place_does_not_inherit_cached_tokens() {
    let (acme, globex) = (mock("https://acme.test"), mock("https://globex.test"));
    let issuers = Issuers::new([acme.trusted()]).unwrap();
    let service = admission(&issuers);
    let token = acme.token().sign();
    assert!(verify(&service, &token).is_ok());
    issuers.remove(acme.name());
    issuers.insert(globex.trusted()).unwrap();
    assert_eq!(verify(&service, &token).unwrap_err(), Code::IssuerNotTrusted);
    assert!(verify(&service, &globex.token().sign()).is_ok());
}

#[test]
fn an_unusable_issuer_is_refused_and_changes_nothing() {
    let acme = mock("https://acme.test");
    let issuers = Issuers::new([acme.trusted()]).unwrap();
    let service = admission(&issuers);
    let token = acme.token().sign();
    let first = verify(&service, &token).unwrap();

    let error = issuers.insert(acme.trusted().algorithms(AlgorithmSet::EMPTY).require_claim("tenant")).unwrap_err();
    assert_eq!(error.problems().len(), 2, "{error}");
    assert!(is_hit(&verify(&service, &token).unwrap(), &first));
    let twice = Issuers::new([acme.trusted(), acme.trusted()]).unwrap_err();
    assert!(twice.to_string().contains("listed twice"), "{twice}");
    assert!(issuers.insert(acme.trusted().algorithms(AlgorithmSet::ALL)).is_ok());
}

#[test]
fn a_change_through_one_handle_affects_all_its_users() {
    let acme = mock("https://acme.test");
    let issuers = Issuers::default();
    let [one, other] = [admission(&issuers), admission(&issuers)];
    issuers.clone().insert(acme.trusted()).unwrap();
    let token = acme.token().sign();
    assert!(verify(&one, &token).is_ok() && verify(&other.without_cache(), &token).is_ok());
}

/// A key source that makes requests wait until the test lets it answer.
#[derive(Clone, Debug)]
struct Slow {
    keys: MockKeys,
    fetches: Arc<Mutex<Vec<oneshot::Sender<()>>>>,
}

impl Slow {
    fn of(issuer: &MockIssuer) -> Self {
        Self { keys: issuer.keys(), fetches: Arc::default() }
    }

    fn fetched(&self) {
        self.fetches.lock().unwrap().drain(..).for_each(|fetch| fetch.send(()).unwrap());
    }
}

impl KeySource for Slow {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        let (fetched, fetch) = oneshot::channel();
        self.fetches.lock().unwrap().push(fetched);
        let Resolved::Keys(keys) = self.keys.resolve(hint, now) else { return Resolved::Unknown };
        Resolved::waiting(async move {
            fetch.await.unwrap();
            Resolved::Keys(keys)
        })
    }
}

/// Returns the outcome for a token that waits for its issuer's keys while `change` happens.
async fn verdict_after(change: impl FnOnce(&Issuers, &MockIssuer)) -> Result<Verified, Code> {
    let acme = mock("https://acme.test");
    let slow = Slow::of(&acme);
    let issuers = Issuers::new([acme.trusted_with(slow.clone())]).unwrap();
    let Attempt::Waiting(waiting) = admission(&issuers).verify(&acme.token().sign()) else {
        unreachable!("the keys are not at hand")
    };
    change(&issuers, &acme);
    slow.fetched();
    waiting.await.map_err(|error| error.code())
}

#[tokio::test]
async fn removing_an_issuer_refuses_tokens_that_wait_for_its_keys() {
    assert!(verdict_after(|_, _| ()).await.is_ok());
    assert!(verdict_after(|issuers, _| issuers.insert(mock("https://other.test").trusted()).unwrap()).await.is_ok());
    let removed = verdict_after(|issuers, acme| assert!(issuers.remove(acme.name()))).await;
    assert_eq!(removed.unwrap_err(), Code::IssuerNotTrusted);
}

#[tokio::test]
async fn after_a_replacement_waiting_tokens_are_verified_by_the_new_issuer() {
    let with = |issuer: TrustedIssuer| move |issuers: &Issuers, _: &MockIssuer| issuers.insert(issuer).unwrap();
    let other_keys = verdict_after(with(mock("https://acme.test").trusted())).await;
    assert_eq!(other_keys.unwrap_err(), Code::SignatureInvalid, "those of the one before are not used");
    assert!(verdict_after(|issuers, acme| issuers.insert(acme.trusted()).unwrap()).await.is_ok());
    let stricter = |issuers: &Issuers, acme: &MockIssuer| {
        issuers.insert(acme.trusted().require_claim("/tenant")).unwrap();
    };
    assert_eq!(verdict_after(stricter).await.unwrap_err(), Code::ClaimMissing);
    let again = |issuers: &Issuers, acme: &MockIssuer| {
        issuers.remove(acme.name());
        issuers.insert(acme.trusted()).unwrap();
    };
    assert!(verdict_after(again).await.is_ok());
}

#[test]
fn a_view_of_revocations_uses_the_current_issuers() {
    let (acme, globex) = (mock("https://acme.test"), mock("https://globex.test"));
    let writer = ViewWriter::builder(std::time::Duration::from_secs(86_400)).build();
    let issuers = Issuers::new([globex.trusted()]).unwrap();
    let service = admission(&issuers).revocations(&writer);
    let has_problem =
        |of: &MockIssuer| writer.view().problem_with(&Revocation::client(of.name(), "app", UnixTime::EPOCH)).is_some();
    assert!(!has_problem(&acme), "nothing is known of it");
    issuers.insert(acme.trusted().without_client_claim()).unwrap();
    assert!(has_problem(&acme) && !has_problem(&globex));
    issuers.insert(acme.trusted()).unwrap();
    assert!(!has_problem(&acme));
    issuers.insert(acme.trusted().without_client_claim()).unwrap();
    drop(service);
    assert!(!has_problem(&acme), "no token is checked against the view any more");
}

/// A source that reads and changes the list while it is asked for its problem.
#[derive(Debug)]
struct Meddling(Issuers);

impl KeySource for Meddling {
    fn resolve(&self, _: KeyHint<'_>, _: UnixTime) -> Resolved {
        Resolved::Unknown
    }

    fn problem(&self) -> Option<String> {
        assert!(self.0.remove("https://old.test"));
        self.0.names().contains(&"https://bad.test".to_owned()).then(|| "as ordered".to_owned())
    }
}

#[test]
fn a_key_source_that_is_asked_for_its_problem_may_use_the_list() {
    let trusted = |name: &str| MockIssuer::new().named(name).trusted();
    let issuers = Issuers::new([trusted("https://old.test")]).unwrap();
    issuers.insert(TrustedIssuer::new("https://new.test", Meddling(issuers.clone())).audience("a")).unwrap();
    assert_eq!(issuers.names(), ["https://new.test"]);
    issuers.insert(trusted("https://bad.test")).unwrap();
    issuers.insert(trusted("https://old.test")).unwrap();
    let refused = issuers.insert(TrustedIssuer::new("https://newer.test", Meddling(issuers.clone())).audience("a"));
    assert!(refused.unwrap_err().to_string().contains("as ordered"));
}
