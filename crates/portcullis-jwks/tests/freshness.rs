//! Rows "freshness" and "refresh ahead" of the rules.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use http::{Request, Response};
use portcullis_core::{UnixTime, keys::KeySource};
use portcullis_jwks::{Fetch, FetchError, Health};
use portcullis_test::provider::{Behaviour, ScriptedProvider};
use serde_json::Value;
use support::{FRESHNESS, HOUR, MINUTE, Service, until};
use tokio::time::{Duration, sleep};

/// How long it takes from the first fetch to the next one.
async fn interval(cache_control: &str) -> Duration {
    let provider = ScriptedProvider::new();
    provider.cache_control(cache_control);
    let service = Service::with(provider, |keys| keys);
    service.keys.require(MINUTE).await.unwrap();
    until(|| service.fetches() == 2).await
}

#[tokio::test(start_paused = true)]
async fn the_set_is_fetched_again_at_about_four_fifths_of_its_freshness() {
    for (cache_control, freshness) in [
        ("public", 600),
        ("max-age=300", 300),
        ("max-age=0", 60),
        ("no-store", 60),
        ("max-age=86400", 86_400),
        ("max-age=31536000", 86_400),
        ("max-age=nonsense", 60),
    ] {
        let (interval, freshness) = (interval(cache_control).await.as_secs_f64(), f64::from(freshness));
        assert!((0.72 * freshness..=0.88 * freshness + 1.0).contains(&interval), "{cache_control}: {interval}");
    }
}

#[tokio::test(start_paused = true)]
async fn instances_do_not_ask_at_once() {
    let mut intervals = Vec::new();
    for _ in 0..10 {
        intervals.push(interval("max-age=3600").await);
    }
    intervals.sort();
    assert!(intervals[9] > intervals[0] + MINUTE, "{intervals:?}");
}

#[tokio::test(start_paused = true)]
async fn no_request_waits_for_a_scheduled_refresh() {
    let service = Service::settled().await;
    let token = service.token();
    service.provider.behave(Behaviour::Hang);
    until(|| service.fetches() == 2).await; // under way, and it will not end well
    for _ in 0..20 {
        assert!(
            service.admission.clone().without_cache().verify(&token).ready().is_some_and(|outcome| outcome.is_ok())
        );
        sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_rotation_with_overlap_is_never_noticed() {
    let service = Service::started().await;
    let before = service.token();
    service.provider.issuer().rotate();
    sleep(FRESHNESS).await;
    assert!(service.accepts_at_once(&service.token()), "the new key came with the scheduled refresh");
    assert!(service.accepts_at_once(&before), "the old one is published still");
}

#[tokio::test(start_paused = true)]
async fn a_set_that_has_not_changed_is_not_sent_again() {
    let provider = ScriptedProvider::new();
    provider.etags();
    let service = Service::with(provider, |keys| keys);
    service.keys.require(MINUTE).await.unwrap();
    let edition = portcullis_core::keys::KeySource::edition(&service.keys, portcullis_core::UnixTime::EPOCH);
    sleep(HOUR).await;
    assert!(service.fetches() > 5);
    assert_eq!(service.provider.conditional_fetches(), service.fetches() - 1);
    assert!(service.accepts_at_once(&service.token()));
    let now = portcullis_core::keys::KeySource::edition(&service.keys, portcullis_core::UnixTime::EPOCH);
    assert_eq!(now, edition, "the same keys: what was verified with them stays so");

    service.provider.issuer().rotate();
    sleep(FRESHNESS).await;
    assert!(service.accepts_at_once(&service.token()), "and one that has changed is");
}

#[tokio::test(start_paused = true)]
async fn metadata_are_asked_for_once_a_day_while_all_is_well() {
    let service = Service::started().await;
    sleep(20 * HOUR).await;
    assert_eq!(service.provider.metadata_fetches(), 1);
    sleep(20 * HOUR).await;
    assert_eq!(service.provider.metadata_fetches(), 2);
}

/// Writes its set differently each time: other members first, and a counter beside the keys.
#[derive(Clone, Debug)]
struct Restless(ScriptedProvider);

impl Fetch for Restless {
    async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        let mut response = self.0.fetch(request).await?;
        let mut set: Value = serde_json::from_slice(response.body()).unwrap();
        if let Some(keys) = set.get_mut("keys").and_then(Value::as_array_mut) {
            keys.reverse();
            let fetches = self.0.key_set_fetches();
            for key in keys.iter_mut() {
                key["served"] = fetches.into();
            }
            set["count"] = fetches.into();
        }
        *response.body_mut() = set.to_string().into_bytes();
        Ok(response)
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_keys_written_otherwise_are_the_same_keys() {
    let provider = ScriptedProvider::new();
    provider.issuer().rotate(); // two keys
    let service = Service::with(provider.clone(), |keys| keys.fetch(Restless(provider)));
    service.keys.require(MINUTE).await.unwrap();
    let edition = service.keys.edition(UnixTime::EPOCH);
    assert_eq!(service.keys.keys().len(), 2);
    sleep(2 * HOUR).await;
    assert!(service.fetches() > 10);
    assert_eq!(service.keys.edition(UnixTime::EPOCH), edition);
    assert_eq!(service.keys.health(), Health::Healthy);
    service.provider.issuer().rotate();
    sleep(FRESHNESS).await;
    assert_ne!(service.keys.edition(UnixTime::EPOCH), edition);
    assert_eq!(service.keys.keys().len(), 3);
}
