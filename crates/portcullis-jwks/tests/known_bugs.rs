//! Tests that known bugs of other libraries that fetch keys do not exist here. DESIGN.md lists the bugs.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use portcullis_core::{Code, error::AuthErrorKind};
use portcullis_jwks::{FetchErrorKind, Health};
use portcullis_test::{
    MockIssuer,
    provider::{Behaviour, ScriptedProvider},
};
use support::{COOL_DOWN, FRESHNESS, HOUR, MINUTE, Service};
use tokio::time::{Duration, Instant, sleep};

#[tokio::test(start_paused = true)]
async fn many_unknown_kids_cause_few_fetches() {
    let service = Service::settled().await;
    let before = service.fetches();
    for n in 0..1000 {
        let expected = if n < 2 { Code::KeyUnknown } else { Code::KeysUnavailable };
        assert_eq!(service.code(&service.token_of(&n.to_string())).await, Some(expected));
    }
    assert!(service.fetches() - before <= 2);
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_again_when_they_are_due() {
    let service = Service::started().await;
    service.provider.issuer().rotate();
    sleep(FRESHNESS).await;
    assert!(service.accepts_at_once(&service.token()));
}

#[tokio::test(start_paused = true)]
async fn the_request_that_triggers_a_fetch_gets_its_keys() {
    let service = Service::settled().await;
    service.provider.issuer().rotate();
    assert!(service.accepts(&service.token()).await, "the first one");
}

#[tokio::test(start_paused = true)]
async fn a_new_key_under_the_same_kid_is_fetched() {
    let service = Service::settled().await;
    service.provider.issuer().replace_key();
    assert!(service.accepts(&service.token()).await);
}

#[tokio::test(start_paused = true)]
async fn a_failed_refresh_keeps_good_keys() {
    let service = Service::started().await;
    service.provider.behave(Behaviour::Garbage);
    sleep(FRESHNESS).await;
    assert!(service.keys.last_error().is_some());
    assert!(service.accepts_at_once(&service.token()));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_kid_keeps_good_keys() {
    for behaviour in [Behaviour::Normal, Behaviour::EmptySet, Behaviour::Status(500)] {
        let service = Service::settled().await;
        service.provider.behave(behaviour);
        assert!(!service.accepts(&service.token_of("unheard-of")).await);
        assert!(service.accepts_at_once(&service.token()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_unknown_kids_does_not_affect_valid_users() {
    let (one, other) = (Service::settled().await, Service::settled().await);
    for n in 0..1000 {
        one.code(&one.token_of(&n.to_string())).await;
        assert!(one.admission.clone().without_cache().verify(&one.token()).ready().is_some());
    }
    other.provider.issuer().rotate();
    assert!(other.accepts(&other.token()).await, "an issuer's flood is not another one's");
    one.provider.issuer().rotate();
    sleep(COOL_DOWN).await;
    assert!(one.accepts(&one.token()).await, "nor its own for longer than a cool-down");
}

#[tokio::test(start_paused = true)]
async fn fetches_and_requests_have_timeouts() {
    let provider = ScriptedProvider::new();
    provider.behave(Behaviour::Hang);
    let service = Service::with(provider, |keys| keys);
    let start = Instant::now();
    assert_eq!(service.code(&service.token()).await, Some(Code::KeysUnavailable));
    assert!(start.elapsed() <= Duration::from_secs(2));
    sleep(Duration::from_secs(4)).await;
    assert_eq!(service.keys.last_error().map(|error| error.kind()), Some(FetchErrorKind::TimedOut));
}

#[tokio::test(start_paused = true)]
async fn a_source_recovers_from_a_failed_first_fetch() {
    let provider = ScriptedProvider::new();
    provider.behave(Behaviour::Unreachable);
    let service = Service::with(provider, |keys| keys);
    assert_eq!(service.code(&service.token()).await, Some(Code::KeysUnavailable));
    service.provider.behave(Behaviour::Normal);
    sleep(Duration::from_secs(3)).await;
    assert!(service.accepts(&service.token()).await);
}

#[tokio::test(start_paused = true)]
async fn two_tokens_get_the_error_of_the_same_failed_fetch() {
    let service = Service::settled().await;
    service.provider.issuer().rotate();
    service.provider.behave(Behaviour::Slow(Duration::from_millis(200)));
    service.provider.behave_once([Behaviour::Status(500)]);
    let (first, second) = (service.admission.verify(&service.token()), service.admission.verify(&service.token()));
    for attempt in [first, second] {
        assert_eq!(attempt.outcome().await.unwrap_err().kind(), AuthErrorKind::Unavailable, "both are told the truth");
    }
    assert!(service.accepts(&service.token()).await, "and the next one causes another fetch");
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_not_reported_as_an_invalid_token() {
    let service = Service::started().await;
    service.provider.behave(Behaviour::Status(502));
    sleep(2 * HOUR).await;
    assert_eq!(service.present(&service.token()).await.unwrap_err().kind(), AuthErrorKind::Unavailable);
    assert_eq!(service.present(&service.token_of("unheard-of")).await.unwrap_err().kind(), AuthErrorKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn issuers_match_exactly_with_and_without_a_trailing_slash() {
    for name in
        ["https://tenant.test", "https://tenant.test/", "https://tenant.test/realms/a", "https://tenant.test/b/"]
    {
        let provider = || ScriptedProvider::of(MockIssuer::new().named(name));
        let service = Service::with(provider(), |keys| keys);
        assert!(service.accepts(&service.token()).await, "{name}");

        let other = name.strip_suffix('/').map_or_else(|| format!("{name}/"), str::to_owned);
        let provider = provider();
        provider.behave(Behaviour::OtherIssuer(other));
        let service = Service::with(provider, |keys| keys);
        service.keys.require(MINUTE).await.unwrap_err();
        let error = service.keys.last_error().unwrap();
        assert_eq!(error.kind(), FetchErrorKind::IssuerMismatch, "{name}");
        assert!(error.to_string().contains("slash at the end"), "{error}");
        assert_eq!(service.keys.health(), Health::Down);
    }
}
