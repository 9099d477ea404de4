//! Rows "start-up", "cold start", "state" and "limits" of the rules.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use portcullis_core::{Algorithm, Clock, Code, ConfigError, keys::KeySource};
use portcullis_jwks::{Fetch, FetchError, Health, RemoteKeys, RemoteKeysBuilder, Snapshot};
use portcullis_test::{
    MockIssuer,
    provider::{Behaviour, ScriptedProvider},
};
use support::{FRESHNESS, HOUR, MINUTE, Service};
use tokio::time::{Duration, sleep};

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_at_the_start_without_delaying_it() {
    let service = Service::starting();
    assert_eq!(service.keys.health(), Health::Down);
    sleep(Duration::from_millis(1)).await;
    assert_eq!((service.keys.health(), service.fetches()), (Health::Healthy, 1));
    assert!(service.accepts_at_once(&service.token()));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_comes_before_the_keys_waits_for_them() {
    let service = Service::starting();
    assert!(service.accepts(&service.token()).await);
    assert_eq!(service.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lazy_source_fetches_nothing_before_the_first_token() {
    let service = Service::with(ScriptedProvider::new(), RemoteKeysBuilder::lazy);
    sleep(HOUR).await;
    assert_eq!((service.keys.health(), service.fetches()), (Health::Idle, 0));
    assert!(service.keys.health().is_ready());
    assert!(service.accepts(&service.token()).await);
    assert_eq!((service.keys.health(), service.fetches()), (Health::Healthy, 1));
}

#[tokio::test(start_paused = true)]
async fn a_service_can_insist_on_keys() {
    for lazy in [false, true] {
        let service = Service::with(ScriptedProvider::new(), |keys| if lazy { keys.lazy() } else { keys });
        service.provider.behave(Behaviour::Status(500));
        let error = service.keys.require(10 * Duration::from_secs(1)).await.unwrap_err();
        assert!(error.to_string().contains("500"), "{error}");
        assert!((2..=8).contains(&service.provider.metadata_fetches()), "{}", service.provider.metadata_fetches());

        service.provider.behave(Behaviour::Normal);
        service.keys.require(MINUTE).await.unwrap();
        assert!(service.accepts_at_once(&service.token()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_during_an_outage_works_with_a_snapshot() {
    let before = Service::started().await;
    let snapshot = before.keys.snapshot().unwrap().to_json();
    let token = before.token();
    let provider = before.provider.clone();
    drop(before);
    provider.behave(Behaviour::Unreachable);
    sleep(HOUR).await;

    let restore = |text: &str| Snapshot::from_json(text).unwrap();
    let after = Service::with(provider.clone(), |keys| keys.restore(restore(&snapshot)));
    assert!(after.accepts_at_once(&after.token()));
    assert_eq!(after.code(&token).await, Some(Code::TokenExpired), "the keys were restored, the token is old");
    assert!(matches!(after.keys.health(), Health::Degraded { stale_for } if stale_for > 49 * MINUTE));

    sleep(11 * MINUTE).await;
    assert_eq!(after.code(&after.token()).await, Some(Code::KeysUnavailable), "a restart does not make keys younger");
    let late = Service::with(provider.clone(), |keys| keys.restore(restore(&snapshot)));
    assert_eq!(late.code(&late.token()).await, Some(Code::KeysUnavailable), "nor does a second one");
}

#[tokio::test(start_paused = true)]
async fn restored_keys_are_fetched_again_at_once_and_in_full() {
    let provider = ScriptedProvider::new();
    provider.etags();
    let before = Service::with(provider.clone(), |keys| keys);
    before.keys.require(MINUTE).await.unwrap();
    let snapshot = before.keys.snapshot().unwrap();
    let after = Service::with(provider.clone(), |keys| keys.lazy().restore(snapshot));
    sleep(Duration::from_secs(1)).await;
    assert_eq!((provider.key_set_fetches(), provider.conditional_fetches()), (2, 0));
    assert_eq!(after.keys.health(), Health::Healthy);
}

/// A key that an attacker has added to the file lasts until the issuer is asked.
#[tokio::test(start_paused = true)]
async fn a_key_that_was_forged_into_a_snapshot_lasts_until_the_first_fetch() {
    let provider = ScriptedProvider::new();
    provider.etags();
    let before = Service::with(provider.clone(), |keys| keys);
    before.keys.require(MINUTE).await.unwrap();
    let snapshot = before.keys.snapshot().unwrap().to_json();
    let evil = MockIssuer::with_algorithm(Algorithm::Es256).jwks().replace("es256-1", "evil");
    let evil = evil.strip_prefix(r#"{"keys":["#).unwrap().strip_suffix("]}").unwrap().replace('"', "\\\"");
    let tampered = snapshot.replacen(r#"{\"keys\":["#, &format!(r#"{{\"keys\":[{evil},"#), 1);
    assert_ne!(snapshot, tampered);
    let restored = Snapshot::from_json(&tampered).unwrap();
    let after = Service::with(provider.clone(), |keys| keys.restore(restored));
    assert_eq!(after.keys.keys().len(), 2);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(after.keys.keys().len(), 1, "{:?}", after.keys.keys());
}

/// A runtime that still exists, but is no longer driven.
#[test]
fn keys_become_too_old_although_their_task_does_not_run() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let (stopped, other) = (runtime(), runtime());
    let service = stopped.block_on(Service::started());
    let token = || service.provider.issuer().token().sign();
    assert!(service.accepts_at_once(&token()));
    other.block_on(async {
        sleep(FRESHNESS + 59 * MINUTE).await;
        assert!(service.accepts_at_once(&token()));
        let seen = token();
        assert!(service.accepts_at_once(&seen) && service.accepts_at_once(&seen));
        sleep(2 * MINUTE).await;
        assert_eq!(service.code(&token()).await, Some(Code::KeysUnavailable));
        assert_eq!(service.code(&seen).await, Some(Code::KeysUnavailable), "a token seen before");
        assert_eq!(service.keys.health(), Health::Down);
        assert!(service.keys.keys().is_empty());
    });
}

#[tokio::test(start_paused = true)]
async fn require_accepts_an_unlimited_wait() {
    let service = Service::starting();
    service.keys.require(Duration::MAX).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_does_not_fit_is_left_aside() {
    let one = Service::started().await;
    let snapshot = one.keys.snapshot().unwrap().to_json();
    let clock = one.provider.clock();
    let now = clock.now().as_secs();
    let restored = |text: &str| {
        let provider = ScriptedProvider::new();
        provider.behave(Behaviour::Unreachable);
        let snapshot = Snapshot::from_json(text).unwrap();
        Service::with(provider, |keys| keys.clock(clock.clone()).restore(snapshot)).keys.keys().len()
    };
    assert_eq!(restored(&snapshot), 1, "the twin that fits");
    let changed = |from: &str, to: &str| {
        assert!(snapshot.contains(from), "{from}");
        snapshot.replace(from, to)
    };
    let fetched_at = snapshot.split("\"fetched_at\":").nth(1).unwrap().split(',').next().unwrap().to_owned();
    for (what, text) in [
        ("another source", changed("https://issuer.test\"", "https://other.test\"")),
        ("the future", changed(&fetched_at, &(now + 3600).to_string())),
        ("too old", changed(&fetched_at, &(now - 4300).to_string())),
        ("a freshness beyond all bounds", changed(&fetched_at, "1").replace(":600}", ":18446744073709551615}")),
        ("no keys", changed("\\\"kty\\\":\\\"EC\\\"", "\\\"kty\\\":\\\"oct\\\",\\\"k\\\":\\\"AA\\\"")),
    ] {
        assert_eq!(restored(&text), 0, "{what}");
    }
    for text in ["", "{}", "[]", "nonsense", &changed("\"source\"", "\"sauce\"")] {
        assert!(Snapshot::from_json(text).is_err(), "{text}");
    }
}

fn problem(start: Result<RemoteKeys, ConfigError>) -> String {
    start.unwrap_err().to_string()
}

#[tokio::test]
async fn mistakes_are_told_at_the_start_all_at_once() {
    let provider = ScriptedProvider::new;
    for (what, url) in [
        ("not encrypted", "http://login.example.com"),
        ("fragment", "https://login.example.com/#keys"),
        ("user name", "https://user@login.example.com"),
        ("absolute URL", "/jwks.json"),
    ] {
        assert!(problem(RemoteKeys::discover(url).fetch(provider()).start()).contains(what), "{url}");
        assert!(problem(RemoteKeys::from_url(url).fetch(provider()).start()).contains(what), "{url}");
    }
    let keys = RemoteKeys::from_url("nonsense").outage(25 * HOUR).cool_down(Duration::ZERO);
    let error = keys.fetch(provider()).start().unwrap_err();
    assert_eq!(error.problems().len(), 3, "{error}");
    let bounds = RemoteKeys::from_url("https://a.test").outage(24 * HOUR).cool_down(Duration::from_secs(1));
    assert!(bounds.fetch(provider()).start().is_ok());
}

#[test]
fn outside_a_runtime_nothing_starts() {
    let keys = RemoteKeys::discover("https://login.example.com").fetch(ScriptedProvider::new());
    assert!(problem(keys.start()).contains("runtime"));
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_with_the_last_handle() {
    let service = Service::started().await;
    let Service { provider, keys, admission } = service;
    drop(keys);
    sleep(FRESHNESS).await;
    assert_eq!(provider.key_set_fetches(), 2, "the admission holds one");
    drop(admission);
    sleep(HOUR).await;
    assert_eq!(provider.key_set_fetches(), 2);
}

#[test]
fn keys_whose_task_has_ended_are_not_used() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let service = runtime.block_on(Service::started());
    let token = service.token();
    assert!(service.accepts_at_once(&token));
    drop(runtime);
    assert!(!service.accepts_at_once(&token));
    assert_eq!(service.keys.health(), Health::Down);
    assert_eq!(service.keys.edition(portcullis_core::UnixTime::EPOCH), None);
    let another = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    assert_eq!(another.block_on(service.code(&token)), Some(Code::KeysUnavailable));
}

/// Answers well once, and panics from then on.
#[derive(Debug)]
struct Panicking(ScriptedProvider);

impl Fetch for Panicking {
    async fn fetch(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, FetchError> {
        assert!(self.0.key_set_fetches() == 0, "as scripted");
        self.0.fetch(request).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_panics_is_an_attempt_that_failed() {
    let provider = ScriptedProvider::new();
    let keys = RemoteKeys::discover(provider.issuer().name()).fetch(Panicking(provider.clone())).start().unwrap();
    keys.require(MINUTE).await.unwrap();
    sleep(FRESHNESS).await;
    assert!(keys.last_error().is_some());
    assert!(matches!(keys.health(), Health::Healthy | Health::Degraded { .. }));
}
