//! Row "outage" of the rules.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use http::{Request, Response};
use portcullis_core::{
    Code,
    error::AuthErrorKind,
    metrics::{Measured, Snapshot, Value},
};
use portcullis_jwks::{Fetch, FetchError, Health, RemoteKeys};
use portcullis_test::provider::{Behaviour, ScriptedProvider};
use support::{FRESHNESS, HOUR, MINUTE, Service, until};
use tokio::time::{Duration, sleep};

#[tokio::test(start_paused = true)]
async fn half_an_hour_without_the_issuer_is_not_noticed() {
    let service = Service::started().await;
    for fault in [Behaviour::Status(503), Behaviour::Unreachable, Behaviour::Hang] {
        service.provider.behave(fault.clone());
        for _ in 0..10 {
            sleep(MINUTE).await;
            assert!(service.accepts_at_once(&service.token()), "{fault:?}");
        }
    }
    assert!(matches!(service.keys.health(), Health::Degraded { stale_for } if stale_for > 15 * MINUTE));
    assert!(service.keys.last_error().is_some());
}

#[tokio::test(start_paused = true)]
async fn past_the_limit_tokens_are_not_decided_about_and_never_refused() {
    let service = Service::started().await;
    service.provider.behave(Behaviour::Status(500));
    sleep(HOUR + 9 * MINUTE).await;
    assert!(service.accepts_at_once(&service.token()));
    let seen = service.token();
    assert!(service.accepts_at_once(&seen));
    sleep(2 * MINUTE).await;
    for token in [service.token(), seen, service.token_of("unheard-of")] {
        let error = service.present(&token).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (AuthErrorKind::Unavailable, Code::KeysUnavailable));
        assert!(error.retry_after().is_some_and(|after| after <= MINUTE));
    }
    assert_eq!(service.keys.health(), Health::Down);
}

#[tokio::test(start_paused = true)]
async fn it_recovers_by_itself_within_half_a_minute() {
    let service = Service::started().await;
    service.provider.behave(Behaviour::Unreachable);
    sleep(3 * HOUR).await;
    assert_eq!(service.code(&service.token()).await, Some(Code::KeysUnavailable));
    service.provider.behave(Behaviour::Normal);
    let took = until(|| service.keys.health() == Health::Healthy).await;
    assert!(took <= Duration::from_secs(40), "{took:?}");
    assert!(service.accepts_at_once(&service.token()));
    assert!(service.keys.last_error().is_none());
}

#[tokio::test(start_paused = true)]
async fn the_issuer_is_not_hammered_while_it_is_down() {
    let service = Service::started().await;
    service.provider.behave(Behaviour::Status(503));
    sleep(FRESHNESS).await;
    let (keys, metadata) = (service.fetches(), service.provider.metadata_fetches());
    for _ in 0..60 {
        sleep(MINUTE).await;
        service.code(&service.token()).await;
    }
    let asked = service.fetches() - keys + service.provider.metadata_fetches() - metadata;
    // every half minute or so: the metadata, at one place, as an issuer that is down does not say that there are none
    assert!((100..=160).contains(&asked), "{asked}");
}

/// Down, and asking for patience.
#[derive(Debug, Default)]
struct Patient(AtomicUsize);

impl Fetch for Patient {
    async fn fetch(&self, _: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Response::builder().status(503).header("retry-after", "120").body(Vec::new()).unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_asks_for_patience_gets_it() {
    let issuer = Arc::new(Patient::default());
    let keys = RemoteKeys::from_url("https://issuer.test/jwks.json").fetch(Arc::clone(&issuer)).start().unwrap();
    sleep(10 * MINUTE).await;
    assert!((5..=6).contains(&issuer.0.load(Ordering::Relaxed)), "{issuer:?}");
    assert_eq!(keys.health(), Health::Down);
}

#[tokio::test(start_paused = true)]
async fn the_limit_can_be_set_and_zero_refuses_stale_keys() {
    let service = Service::with(ScriptedProvider::new(), |keys| keys.outage(Duration::ZERO));
    service.keys.require(MINUTE).await.unwrap();
    service.provider.behave(Behaviour::Status(500));
    sleep(Duration::from_secs(599)).await;
    assert!(service.accepts_at_once(&service.token()));
    sleep(Duration::from_secs(2)).await;
    assert_eq!(service.code(&service.token()).await, Some(Code::KeysUnavailable));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_changes_nothing_about_the_keys() {
    let service = Service::started().await;
    service.provider.clock().jump_forward(48 * HOUR);
    assert!(service.accepts_at_once(&service.token()));
    service.provider.clock().jump_back(96 * HOUR);
    assert!(service.accepts_at_once(&service.token()));
    sleep(HOUR).await;
    assert_eq!(service.keys.health(), Health::Healthy);
    assert!(service.accepts_at_once(&service.token()));
}

#[tokio::test(start_paused = true)]
async fn figures_say_how_old_the_keys_are_and_how_often_they_were_fetched() {
    let service = Service::started().await;
    let figures = |service: &Service| {
        let mut snapshot = Snapshot::default();
        service.keys.measure("login", &mut snapshot);
        snapshot
    };
    let before = figures(&service);
    assert_eq!(before.value("portcullis_keys", &["login"]), Some(&Value::Gauge(1.0)));
    assert_eq!(before.value("portcullis_keys_ready", &["login"]), Some(&Value::Gauge(1.0)));
    assert_eq!(before.value("portcullis_key_fetches_total", &["login", "ok"]), Some(&Value::Counter(1)));
    assert_eq!(before.value("portcullis_key_fetches_total", &["login", "failed"]), Some(&Value::Counter(0)));

    service.provider.behave(Behaviour::Status(500));
    sleep(3 * HOUR).await;
    let after = figures(&service);
    assert_eq!(after.value("portcullis_keys", &["login"]), Some(&Value::Gauge(0.0)), "they are too old");
    assert_eq!(after.value("portcullis_keys_ready", &["login"]), Some(&Value::Gauge(0.0)));
    let age = after.value("portcullis_keys_age_seconds", &["login"]);
    assert!(matches!(age, Some(Value::Gauge(age)) if *age >= 10_800.0), "{age:?}");
    let failed = after.value("portcullis_key_fetches_total", &["login", "failed"]);
    assert!(matches!(failed, Some(Value::Counter(count)) if *count > 100), "{failed:?}");
    assert_eq!(after.value("portcullis_key_fetches_total", &["login", "ok"]), Some(&Value::Counter(1)));
}
