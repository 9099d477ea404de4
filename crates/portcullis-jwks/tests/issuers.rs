//! Several issuers in one service, and many requests at once.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use portcullis_core::{Admission, Code, JwtAuthenticator};
use portcullis_jwks::RemoteKeys;
use portcullis_test::{
    MockIssuer,
    provider::{Behaviour, ScriptedProvider},
};
use support::{COOL_DOWN, Service};
use tokio::{
    task::JoinSet,
    time::{Duration, Instant, sleep},
};

fn named(name: &str) -> ScriptedProvider {
    ScriptedProvider::of(MockIssuer::new().named(name))
}

fn keys(provider: &ScriptedProvider) -> RemoteKeys {
    RemoteKeys::discover(provider.issuer().name()).fetch(provider.clone()).start().unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_is_slow_or_down_does_not_touch_the_tokens_of_another() {
    let local = MockIssuer::new().named("https://local.test");
    for fault in [Behaviour::Hang, Behaviour::Unreachable, Behaviour::Slow(Duration::from_secs(4)), Behaviour::Garbage]
    {
        let (well, ill) = (named("https://well.test"), named("https://ill.test/"));
        ill.behave(fault.clone());
        let trusted = [well.issuer().trusted_with(keys(&well)), ill.issuer().trusted_with(keys(&ill)), local.trusted()];
        let service = Admission::new(JwtAuthenticator::trusting(trusted).unwrap());
        // The clock of this test is the system's, so the tokens are signed by it, too.
        let service = service.clock(well.clock());
        let local_token = local.clone().clock(well.clock()).token().sign();

        let waiting = service.verify(&ill.issuer().token().sign());
        let start = Instant::now();
        assert!(service.verify(&well.issuer().token().sign()).outcome().await.is_ok(), "{fault:?}");
        assert!(service.verify(&local_token).outcome().await.is_ok(), "{fault:?}");
        assert!(start.elapsed() < Duration::from_millis(10), "{fault:?}");
        assert_eq!(waiting.outcome().await.unwrap_err().code(), Code::KeysUnavailable, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_requests_at_a_rotation_cause_one_fetch_and_none_is_refused() {
    let service = Service::settled().await;
    let before = service.fetches();
    service.provider.behave(Behaviour::Slow(Duration::from_millis(300)));
    service.provider.issuer().rotate();
    let service = Arc::new(service);
    let tokens: Arc<Vec<String>> = Arc::new((0..100).map(|_| service.token()).collect());
    let mut requests = JoinSet::new();
    for n in 0..10_000_usize {
        let (service, tokens) = (Arc::clone(&service), Arc::clone(&tokens));
        requests.spawn(async move { service.accepts(&tokens[n % tokens.len()]).await });
    }
    let outcomes = requests.join_all().await;
    assert_eq!(outcomes.iter().filter(|accepted| !**accepted).count(), 0);
    assert_eq!(service.fetches() - before, 1);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_random_keys_cause_a_fetch_per_cool_down_and_refuse_no_valid_token() {
    let service = Service::settled().await;
    let uncached = service.admission.clone().without_cache();
    let (known, before, start) = (service.token(), service.fetches(), Instant::now());
    let mut published = None;
    let mut admitted_after = None;
    // 100 000 in a hundred seconds: a thousand every second
    for second in 0..100_u64 {
        if second == 45 {
            service.provider.issuer().rotate();
            published = Some((service.token(), Instant::now()));
        }
        for n in 0..1000 {
            let hostile = with_key_id(&known, &format!("{second}-{n}"));
            let attempt = service.admission.verify(&hostile);
            if n % 100 == 0 {
                assert!(uncached.verify(&known).ready().is_some_and(|outcome| outcome.is_ok()), "second {second}");
                let code = attempt.outcome().await.unwrap_err().code();
                assert!(matches!(code, Code::KeyUnknown | Code::KeysUnavailable), "{code:?}");
            }
        }
        if let (Some((token, at)), None) = (&published, admitted_after) {
            admitted_after = service.accepts(token).await.then(|| at.elapsed());
        }
        sleep(Duration::from_secs(1)).await;
    }
    let periods = usize::try_from(start.elapsed().as_secs() / COOL_DOWN.as_secs()).unwrap();
    let fetches = service.fetches() - before;
    assert!(fetches <= periods + 2, "{fetches} fetches in {periods} cool-downs");
    assert!(admitted_after.is_some_and(|after| after <= COOL_DOWN), "{admitted_after:?}");
}

/// The token with another header. Its signature is wrong then, but without a key it is never checked.
fn with_key_id(token: &str, key_id: &str) -> String {
    let header = BASE64_URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"ES256","kid":"{key_id}"}}"#));
    format!("{header}.{}", token.split_once('.').unwrap().1)
}
