//! Row "bad answer" of the rules: whatever the issuer sends, good keys stay, and bad ones never get in.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::{Arc, Mutex};

use http::{Request, Response};
use portcullis_core::{Algorithm, Code};
use portcullis_jwks::{Fetch, FetchError, FetchErrorKind, Health, RemoteKeys, Snapshot};
use portcullis_test::{
    MockIssuer,
    provider::{Behaviour, ScriptedProvider},
};
use serde_json::{Value, json};
use support::{FRESHNESS, HOUR, MINUTE, Service};
use tokio::time::sleep;

fn faults() -> impl Iterator<Item = Behaviour> {
    let more = [
        Behaviour::ContentType("text/plain".into()),
        Behaviour::PrivateKeys,
        Behaviour::Redirect("https://elsewhere.test/jwks.json".into()),
        Behaviour::OtherIssuer("https://other.test".into()),
        Behaviour::OtherKeySet("http://issuer.test/jwks.json".into()),
        Behaviour::OtherKeySet("https://127.0.0.1/jwks.json".into()),
    ];
    Behaviour::FAULTS.iter().cloned().chain(more)
}

/// Those that say, in effect, that every key of the issuer is everybody's.
fn is_exposure(fault: &Behaviour) -> bool {
    *fault == Behaviour::PrivateKeys
}

/// Answers to requests for the metadata, which are made only after a failed attempt.
fn is_of_metadata(fault: &Behaviour) -> bool {
    matches!(fault, Behaviour::OtherIssuer(_) | Behaviour::OtherKeySet(_))
}

#[tokio::test(start_paused = true)]
async fn a_bad_answer_never_replaces_good_keys() {
    for fault in faults().filter(|fault| !is_exposure(fault)) {
        let service = Service::started().await;
        let before = service.token();
        if is_of_metadata(&fault) {
            service.provider.behave(Behaviour::Unreachable);
            sleep(FRESHNESS).await;
        }
        service.provider.behave(fault.clone());
        sleep(FRESHNESS + HOUR / 2).await;
        assert!(service.accepts(&before).await || is_expired(&service, &before).await, "{fault:?}");
        assert!(service.accepts_at_once(&service.token()), "{fault:?}");
        let error = service.keys.last_error().unwrap_or_else(|| panic!("{fault:?} was not noticed"));
        assert!(!is_of_metadata(&fault) || error.kind() != FetchErrorKind::Unreachable, "{fault:?}: {error}");
    }
}

async fn is_expired(service: &Service, token: &str) -> bool {
    service.code(token).await == Some(Code::TokenExpired)
}

#[tokio::test(start_paused = true)]
async fn with_nothing_but_bad_answers_nothing_is_decided() {
    for fault in faults() {
        let provider = ScriptedProvider::new();
        provider.behave(fault.clone());
        let service = Service::with(provider, |keys| keys);
        for _ in 0..5 {
            assert_eq!(service.code(&service.token()).await, Some(Code::KeysUnavailable), "{fault:?}");
            sleep(MINUTE).await;
        }
        assert_eq!(service.keys.health(), Health::Down, "{fault:?}");
        service.provider.behave(Behaviour::Normal);
        if is_exposure(&fault) {
            service.provider.issuer().rotate(); // or it has no key that anybody could believe
        }
        sleep(MINUTE).await;
        assert!(service.accepts_at_once(&service.token()), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_bad_answer_says_what_was_wrong_with_it() {
    use FetchErrorKind as Kind;
    for (fault, kind) in [
        (Behaviour::Unreachable, Kind::Unreachable),
        (Behaviour::Hang, Kind::TimedOut),
        (Behaviour::Status(503), Kind::Status),
        (Behaviour::Redirect("https://elsewhere.test/".into()), Kind::Status),
        (Behaviour::LoginPage, Kind::ContentType),
        (Behaviour::Huge, Kind::TooLarge),
        (Behaviour::Garbage, Kind::Malformed),
        (Behaviour::Truncated, Kind::Malformed),
        (Behaviour::TooManyKeys, Kind::Malformed),
        (Behaviour::EmptySet, Kind::NoUsableKey),
        (Behaviour::NoUsableKey, Kind::NoUsableKey),
        (Behaviour::PrivateKeys, Kind::PublishedSecret),
        (Behaviour::SharedSecret, Kind::PublishedSecret),
        (Behaviour::OtherIssuer("https://issuer.test/".into()), Kind::IssuerMismatch),
        (Behaviour::OtherKeySet("http://issuer.test/jwks.json".into()), Kind::NotAllowed),
    ] {
        let provider = ScriptedProvider::new();
        provider.behave(fault.clone());
        let service = Service::with(provider, |keys| keys);
        let fault_of_keys = service.keys.require(MINUTE).await.unwrap_err();
        let error = service.keys.last_error().unwrap();
        assert_eq!(error.kind(), kind, "{fault:?}: {error}");
        let told = fault_of_keys.to_string();
        assert!(told.ends_with(&error.to_string()), "{fault:?}: {told}");
        let url = error.url().unwrap();
        assert!(url.starts_with("https://issuer.test/") && error.to_string().starts_with(url), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_over_after_five_seconds() {
    let provider = ScriptedProvider::new();
    provider.behave(Behaviour::Slow(5 * MINUTE));
    let service = Service::with(provider, |keys| keys);
    sleep(std::time::Duration::from_millis(4_990)).await;
    assert!(service.keys.last_error().is_none());
    sleep(std::time::Duration::from_millis(20)).await;
    assert_eq!(service.keys.last_error().map(|error| error.kind()), Some(FetchErrorKind::TimedOut));
}

#[tokio::test(start_paused = true)]
async fn one_odd_key_is_skipped_and_the_others_are_used() {
    let provider = ScriptedProvider::new();
    provider.behave(Behaviour::OddKey);
    let service = Service::with(provider, |keys| keys);
    assert!(service.accepts(&service.token()).await);
    assert_eq!(service.keys.keys().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_keys_of_one_id_are_both_tried() {
    let provider = ScriptedProvider::new();
    provider.behave(Behaviour::DuplicateIds);
    let service = Service::with(provider, |keys| keys);
    assert!(service.accepts(&service.token()).await);
    assert_eq!(service.keys.keys().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_private_half_was_published_verifies_nothing_any_more() {
    let service = Service::settled().await;
    let token = service.token();
    assert!(service.accepts_at_once(&token));
    service.provider.behave(Behaviour::PrivateKeys);
    sleep(FRESHNESS).await;
    for token in [token, service.token()] {
        assert_eq!(service.code(&token).await, Some(Code::KeysUnavailable), "its issuer may have others by now");
    }
    assert_eq!(service.keys.health(), Health::Down, "there is no other key");
    assert!(service.keys.require(MINUTE / 2).await.is_err());
    let next = |snapshot: &str| {
        let provider = ScriptedProvider::new();
        provider.behave(Behaviour::Unreachable);
        Service::with(provider, |keys| keys.restore(Snapshot::from_json(snapshot).unwrap()))
    };
    let snapshot = service.keys.snapshot().unwrap().to_json();
    assert!(next(&snapshot).keys.keys().is_empty(), "nor does it come back with the next start");

    service.provider.behave(Behaviour::Normal);
    sleep(MINUTE).await;
    assert_eq!(service.code(&service.token()).await, Some(Code::KeysUnavailable), "a published secret stays known");
    assert_eq!(service.keys.last_error().map(|error| error.kind()), Some(FetchErrorKind::PublishedSecret));
    let restored = Snapshot::from_json(&snapshot).unwrap();
    let after = Service::with(service.provider.clone(), |keys| keys.restore(restored));
    assert_eq!(after.code(&service.token()).await, Some(Code::KeysUnavailable), "nor does the next process");

    service.provider.issuer().rotate();
    service.provider.issuer().retire_old();
    sleep(MINUTE).await;
    assert!(service.accepts_at_once(&service.token()), "another key does");
}

/// Publishes what it is told to.
#[derive(Clone, Debug, Default)]
struct Scripted(Arc<Mutex<Value>>);

impl Fetch for Scripted {
    async fn fetch(&self, _: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        Ok(Response::new(self.0.lock().unwrap().to_string().into_bytes()))
    }
}

/// A key pair, as two JWKs.
fn pair(id: &str) -> (Value, Value) {
    let provider = ScriptedProvider::of(MockIssuer::with_algorithm(Algorithm::Es256));
    let jwks = |provider: &ScriptedProvider| -> Value { serde_json::from_str(&provider.issuer().jwks()).unwrap() };
    let mut public = jwks(&provider)["keys"][0].take();
    public["kid"] = id.into();
    let mut private = public.clone();
    private["d"] = "AQAB".into();
    (public, private)
}

#[tokio::test(start_paused = true)]
async fn an_exposed_key_is_known_by_what_it_is_and_its_neighbours_stay() {
    let ((one, exposed), (two, _)) = (pair("one"), pair("two"));
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut key = exposed.clone();
        change(&mut key);
        key
    };
    for exposed in [
        exposed.clone(),
        changed(&|key| key["kid"] = "another".into()),
        changed(&|key| drop(key.as_object_mut().unwrap().remove("kid"))),
        changed(&|key| key["use"] = "enc".into()),
        changed(&|key| drop(key.as_object_mut().unwrap().remove("x"))), // whose it is tells the id alone
    ] {
        let issuer = Scripted::default();
        *issuer.0.lock().unwrap() = json!({"keys": [one, two]});
        let keys = RemoteKeys::from_url("https://issuer.test/jwks.json").fetch(issuer.clone()).start().unwrap();
        keys.require(MINUTE).await.unwrap();
        let ids = || keys.keys().iter().map(|key| key.id().map(str::to_owned)).collect::<Vec<_>>();
        assert_eq!(ids(), [Some("one".to_owned()), Some("two".to_owned())]);

        *issuer.0.lock().unwrap() = json!({"keys": [two, exposed]});
        sleep(FRESHNESS).await;
        assert_eq!(ids(), [Some("two".to_owned())], "{exposed}");
        assert!(matches!(keys.health(), Health::Healthy | Health::Degraded { .. }));
        assert_eq!(keys.last_error().map(|error| error.kind()), Some(FetchErrorKind::PublishedSecret));

        // Published as it should be, once it is too late.
        *issuer.0.lock().unwrap() = json!({"keys": [one, two]});
        sleep(MINUTE).await;
        assert!(keys.last_error().is_none());
        let by_id_alone = exposed.get("x").is_none(); // what it is was not told, so it cannot be known again
        let expected: &[_] =
            if by_id_alone { &[Some("one".to_owned()), Some("two".to_owned())] } else { &[Some("two".to_owned())] };
        assert_eq!(ids(), expected, "{exposed}");

        let snapshot = Snapshot::from_json(&keys.snapshot().unwrap().to_json()).unwrap();
        let next = RemoteKeys::from_url("https://issuer.test/jwks.json").fetch(issuer.clone()).restore(snapshot);
        let next = next.start().unwrap();
        assert_eq!(next.keys().len(), expected.len(), "the next process knows: {exposed}");
        sleep(FRESHNESS).await;
        assert_eq!(next.keys().len(), expected.len(), "and does not forget: {exposed}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_shares_its_secrets_by_publishing_them_is_not_believed() {
    // HS256 secrets are never published by the mock, so its set is empty.
    let provider = ScriptedProvider::of(MockIssuer::with_algorithm(Algorithm::Hs256));
    let service = Service::with(provider, |keys| keys);
    assert_eq!(service.code(&service.token()).await, Some(Code::KeyUnknown));
    assert!(service.keys.keys().is_empty());
    assert_eq!(service.keys.health(), Health::Down);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_exposed_in_the_very_first_answer_is_never_used() {
    let (public, exposed) = pair("one");
    let issuer = Scripted::default();
    *issuer.0.lock().unwrap() = json!({"keys": [exposed]});
    let keys = RemoteKeys::from_url("https://issuer.test/jwks.json").fetch(issuer.clone()).start().unwrap();
    assert!(keys.require(MINUTE).await.is_err());
    *issuer.0.lock().unwrap() = json!({"keys": [public]});
    sleep(MINUTE).await;
    assert!(keys.require(MINUTE).await.is_err());
    *issuer.0.lock().unwrap() = json!({"keys": [public, pair("two").0]});
    sleep(MINUTE).await;
    assert_eq!(keys.keys().iter().filter_map(|key| key.id()).collect::<Vec<_>>(), ["two"]);
}

/// An issuer that publishes a secret, or another private key, under the id of a key in use has not exposed that one.
#[tokio::test(start_paused = true)]
async fn a_namesake_of_an_exposed_key_stays() {
    let ((one, _), (_, mut other)) = (pair("one"), pair("two"));
    other["kid"] = "one".into();
    for exposed in [other, json!({"kty": "oct", "kid": "one", "k": "AAAA"})] {
        let issuer = Scripted::default();
        *issuer.0.lock().unwrap() = json!({"keys": [one]});
        let keys = RemoteKeys::from_url("https://issuer.test/jwks.json").fetch(issuer.clone()).start().unwrap();
        keys.require(MINUTE).await.unwrap();
        *issuer.0.lock().unwrap() = json!({"keys": [one, exposed]});
        sleep(FRESHNESS).await;
        assert_eq!(keys.last_error().map(|error| error.kind()), Some(FetchErrorKind::PublishedSecret));
        assert_eq!(keys.keys().len(), 1, "{exposed}");
    }
}
