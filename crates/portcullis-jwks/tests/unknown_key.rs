//! Rows "unknown `kid`", "cool-down" and "hostile `kid`s" of the rules.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use portcullis_core::{Admission, Algorithm, Code, JwtAuthenticator, TrustedIssuer};
use portcullis_test::{MockIssuer, provider::Behaviour};
use support::{COOL_DOWN, MINUTE, Service};
use tokio::time::{Duration, Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_new_key_is_fetched_within_the_request_that_brings_it() {
    let service = Service::settled().await;
    service.provider.issuer().rotate();
    assert!(!service.accepts_at_once(&service.token()));
    assert!(service.accepts(&service.token()).await);
    assert_eq!(service.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn all_requests_share_the_one_fetch() {
    let service = Service::settled().await;
    service.provider.behave(Behaviour::Slow(SECOND));
    service.provider.issuer().rotate();
    let tokens: Vec<_> = (0..100).map(|_| service.token()).collect();
    let attempts: Vec<_> = tokens.iter().map(|token| service.admission.verify(token)).collect();
    for attempt in attempts {
        assert!(attempt.outcome().await.is_ok());
    }
    assert_eq!(service.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn requests_wait_at_most_two_seconds_and_the_fetch_continues_without_them() {
    let service = Service::settled().await;
    service.provider.behave(Behaviour::Slow(4 * SECOND));
    service.provider.issuer().rotate();
    let start = Instant::now();
    let error = service.present(&service.token()).await.unwrap_err();
    assert_eq!((error.code(), start.elapsed()), (Code::KeysUnavailable, 2 * SECOND));
    assert!(error.retry_after().is_some());
    sleep(2 * SECOND + SECOND / 2).await;
    assert!(service.accepts_at_once(&service.token()), "it came for those who come later");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_takes_nothing_with_it() {
    let service = Service::settled().await;
    service.provider.behave(Behaviour::Slow(SECOND));
    service.provider.issuer().rotate();
    let token = service.token();
    let (first, second) = (service.admission.verify(&token), service.admission.verify(&token));
    drop(first);
    assert!(second.outcome().await.is_ok());
    assert_eq!(service.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_does_not_exist_is_refused_and_not_asked_for_again() {
    let service = Service::settled().await;
    assert_eq!(service.code(&service.token_of("unheard-of")).await, Some(Code::KeyUnknown));
    assert_eq!(service.fetches(), 2);
    for _ in 0..100 {
        assert_eq!(service.code(&service.token_of("unheard-of")).await, Some(Code::KeyUnknown));
    }
    assert_eq!(service.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_client_with_a_key_that_does_not_exist_costs_a_fetch_in_five_minutes() {
    let service = Service::settled().await;
    let before = service.fetches();
    for _ in 0..60 * 60 {
        assert_eq!(service.code(&service.token_of("unheard-of")).await, Some(Code::KeyUnknown));
        sleep(SECOND).await;
    }
    let caused = service.fetches() - before;
    // one at once, more after half a minute, one, two and four, and then they take the place of the scheduled ones
    assert!((12..=17).contains(&caused), "{caused}");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_used_before_it_was_published_is_admitted_within_a_cool_down() {
    let service = Service::settled().await;
    service.provider.freeze(); // a cache in front of the issuer
    service.provider.issuer().rotate();
    let token = service.token();
    assert_eq!(service.code(&token).await, Some(Code::KeyUnknown));
    service.provider.thaw();
    sleep(COOL_DOWN).await;
    assert!(service.accepts(&token).await);
}

#[tokio::test(start_paused = true)]
async fn also_if_several_requests_used_it_at_once() {
    for slow in [Duration::ZERO, SECOND / 10] {
        let service = Service::settled().await;
        service.provider.behave(Behaviour::Slow(slow));
        service.provider.freeze();
        service.provider.issuer().rotate();
        let token = service.token();
        let attempts: Vec<_> = (0..5).map(|_| service.admission.verify(&token)).collect();
        for attempt in attempts {
            assert_eq!(attempt.outcome().await.unwrap_err().code(), Code::KeyUnknown);
        }
        assert_eq!(service.code(&token).await, Some(Code::KeyUnknown));
        service.provider.thaw();
        sleep(COOL_DOWN).await;
        assert!(service.accepts(&token).await, "{slow:?}");
    }
}

/// A secret is nothing that an issuer publishes.
#[tokio::test(start_paused = true)]
async fn a_token_that_a_secret_signed_causes_no_fetch() {
    let service = Service::settled().await;
    let id = service.keys.keys().iter().next().unwrap().id().unwrap().to_owned();
    let trusted =
        TrustedIssuer::new(service.provider.issuer().name(), service.keys.clone()).audience("https://service.test");
    let admission: Admission = Admission::new(JwtAuthenticator::new(trusted).unwrap()).clock(service.provider.clock());
    let forged = MockIssuer::with_secret(&id, Algorithm::Hs256, "a secret of at least 32 bytes, ok");
    for id in [id.as_str(), "unheard-of"] {
        let token = forged.token().claim("iss", service.provider.issuer().name()).header("kid", id).sign();
        let refused = admission.verify(&token).ready().expect("no request waits").unwrap_err();
        assert_eq!(refused.code(), Code::KeyUnknown, "{id}");
    }
    assert_eq!(service.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_began_before_the_key_was_published_is_not_the_last_word() {
    let service = Service::settled().await;
    service.provider.freeze();
    service.provider.behave_once([Behaviour::Slow(SECOND)]); // its answer is made now, and comes a second later
    let bogus = service.admission.verify(&service.token_of("unheard-of"));
    sleep(SECOND / 10).await;
    service.provider.thaw();
    service.provider.issuer().rotate();
    let fresh = service.admission.verify(&service.token());
    assert!(fresh.outcome().await.is_ok());
    assert!(bogus.outcome().await.is_err());
    assert_eq!(service.fetches(), 3);
}

#[tokio::test(start_paused = true)]
async fn random_keys_cause_a_fetch_per_cool_down_and_do_not_affect_valid_tokens() {
    let service = Service::settled().await;
    let (known, before, start) = (service.token(), service.fetches(), Instant::now());
    let uncached = service.admission.clone().without_cache();
    for n in 0..5 * 60 {
        let hostile = service.token_of(&format!("random-{n}"));
        // Refused by those few for which a fetch was made.
        assert!(matches!(service.code(&hostile).await, Some(Code::KeyUnknown | Code::KeysUnavailable)));
        assert!(uncached.verify(&known).ready().is_some_and(|outcome| outcome.is_ok()));
        sleep(SECOND).await;
    }
    let periods = usize::try_from(start.elapsed().as_secs() / COOL_DOWN.as_secs()).unwrap();
    let caused = service.fetches() - before;
    assert!((1..=periods + 2).contains(&caused), "{caused} fetches in {periods} cool-downs");
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_admitted_within_a_cool_down_during_a_flood() {
    let service = Service::settled().await;
    for n in 0..100 {
        service.code(&service.token_of(&format!("random-{n}"))).await;
    }
    service.provider.issuer().rotate();
    let (token, published) = (service.token(), Instant::now());
    let mut n = 0;
    while !service.accepts(&token).await {
        assert!(published.elapsed() <= COOL_DOWN, "still refused after {:?}", published.elapsed());
        service.code(&service.token_of(&format!("more-{n}"))).await;
        n += 1;
        sleep(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_of_keys_forgets_what_was_not_there() {
    let service = Service::settled().await;
    service.provider.freeze();
    service.provider.issuer().rotate();
    let early = service.token();
    for _ in 0..2 {
        assert_eq!(service.code(&early).await, Some(Code::KeyUnknown));
        sleep(COOL_DOWN).await;
    }
    assert_eq!(service.code(&early).await, Some(Code::KeyUnknown), "absent for five minutes by now");
    service.provider.thaw();
    sleep(COOL_DOWN).await;
    service.code(&service.token_of("another")).await; // has the set fetched
    assert!(service.accepts_at_once(&early));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_cannot_be_looked_for_is_no_reason_to_refuse() {
    let service = Service::settled().await;
    service.provider.behave(Behaviour::Status(500));
    service.provider.issuer().rotate();
    for _ in 0..10 {
        let error = service.present(&service.token()).await.unwrap_err();
        assert_eq!(error.code(), Code::KeysUnavailable);
        assert!(error.retry_after().is_some_and(|after| after <= MINUTE));
    }
    assert!(service.fetches() <= 4);
}

/// What was found out about other keys says nothing about these.
#[tokio::test(start_paused = true)]
async fn a_change_of_the_set_ends_every_absence() {
    let service = Service::settled().await;
    for _ in 0..2 {
        assert_eq!(service.code(&service.token_of("too-early")).await, Some(Code::KeyUnknown));
        sleep(COOL_DOWN).await;
    }
    let fetches = service.fetches();
    assert_eq!(service.code(&service.token_of("too-early")).await, Some(Code::KeyUnknown));
    assert_eq!(service.fetches(), fetches, "absent for longer than a cool-down by now");
    service.provider.issuer().rotate();
    assert!(service.accepts(&service.token()).await);
    assert_eq!(service.fetches(), fetches + 1);
    assert_eq!(service.code(&service.token_of("too-early")).await, Some(Code::KeyUnknown));
    assert_eq!(service.fetches(), fetches + 2, "looked for again");
}
