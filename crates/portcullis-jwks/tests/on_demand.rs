//! Keys of tenants: fetched from the first token on, and let go when none comes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use portcullis_core::{Admission, Code, Issuers, JwtAuthenticator, authenticator::Attempt, keys::KeySource};
use portcullis_jwks::{OnDemandKeys, TenantKeys};
use portcullis_test::{
    MockIssuer,
    provider::{Behaviour, ScriptedProvider},
};
use support::{HOUR, MINUTE};
use tokio::time::{Duration, sleep};

const SECOND: Duration = Duration::from_secs(1);

struct Tenant {
    provider: ScriptedProvider,
    keys: OnDemandKeys,
    issuers: Issuers,
    admission: Admission,
}

impl Tenant {
    fn new() -> Self {
        let provider = ScriptedProvider::new();
        let of = provider.clone();
        let tenants = TenantKeys::new().keys(move |keys| keys.fetch(of.clone()).clock(of.clock()));
        let keys = tenants.discover(provider.issuer().name()).unwrap();
        let issuers = Issuers::new([provider.issuer().trusted_with(keys.clone())]).unwrap();
        let admission = Admission::new(JwtAuthenticator::issuers(issuers.clone())).clock(provider.clock());
        Self { provider, keys, issuers, admission }
    }

    async fn code(&self, token: &str) -> Option<Code> {
        self.admission.verify(token).outcome().await.err().map(|error| error.code())
    }

    fn token(&self) -> String {
        self.provider.issuer().token().expires_in(10 * HOUR).sign()
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_fetched_before_the_first_token_and_after_an_hour_without_one() {
    let tenant = Tenant::new();
    sleep(10 * HOUR).await;
    assert_eq!((tenant.provider.key_set_fetches(), tenant.keys.running().is_some()), (0, false));
    let token = tenant.token();
    assert_eq!(tenant.code(&token).await, None);
    assert!(tenant.provider.key_set_fetches() > 0 && tenant.keys.running().is_some());

    sleep(HOUR / 2).await;
    assert_eq!(tenant.code(&token).await, None);
    sleep(59 * MINUTE).await;
    assert!(tenant.keys.running().is_some(), "it was used within the hour");
    sleep(HOUR / 2).await;
    assert!(tenant.keys.running().is_none());
    let fetches = tenant.provider.key_set_fetches();
    sleep(10 * HOUR).await;
    assert_eq!(tenant.provider.key_set_fetches(), fetches);

    assert_eq!(tenant.code(&tenant.token()).await, None);
    assert!(tenant.provider.key_set_fetches() > fetches);
}

/// A token that is remembered is found without a look-up of its key, and that is a use, too.
#[tokio::test(start_paused = true)]
async fn tokens_that_are_remembered_keep_the_keys() {
    let tenant = Tenant::new();
    let token = tenant.token();
    assert_eq!(tenant.code(&token).await, None);
    for _ in 0..20 {
        sleep(HOUR / 3).await;
        assert!(matches!(tenant.admission.verify(&token), Attempt::Done(Ok(_))));
    }
}

/// Another source counts from one, and so must not be taken for that of the one before.
#[tokio::test(start_paused = true)]
async fn a_token_does_not_outlive_a_key_that_was_removed_between_requests() {
    let tenant = Tenant::new();
    let token = tenant.token();
    assert_eq!([tenant.code(&token).await, tenant.code(&token).await], [None, None], "it is remembered");
    let edition = tenant.keys.edition(portcullis_core::Clock::now(&tenant.provider.clock()));
    sleep(2 * HOUR).await;
    assert!(tenant.keys.running().is_none());
    tenant.provider.issuer().replace_key();
    let other = tenant.token();
    assert_eq!(tenant.code(&other).await, None, "by the new key, in the first edition of the new source");
    assert_ne!(tenant.keys.edition(portcullis_core::Clock::now(&tenant.provider.clock())), edition);
    assert!(tenant.code(&token).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn an_outage_at_the_first_token_is_no_refusal() {
    let tenant = Tenant::new();
    tenant.provider.behave(Behaviour::Unreachable);
    assert_eq!(tenant.code(&tenant.token()).await, Some(Code::KeysUnavailable));
    tenant.provider.behave(Behaviour::Normal);
    sleep(MINUTE).await;
    assert_eq!(tenant.code(&tenant.token()).await, None);
}

/// Its name may be an invented one.
#[tokio::test(start_paused = true)]
async fn a_tenant_that_does_not_exist_is_fetched_only_for_tokens_that_ask() {
    let tenant = Tenant::new();
    tenant.provider.behave(Behaviour::Status(500));
    let attempts = || tenant.provider.metadata_fetches();
    for number in 1..=2 {
        assert_eq!(tenant.code(&tenant.token()).await, Some(Code::KeysUnavailable));
        sleep(20 * SECOND).await;
        assert_eq!(attempts(), number, "one token, one attempt");
    }
    for _ in 0..2 {
        assert_eq!(tenant.code(&tenant.token()).await, Some(Code::KeysUnavailable));
    }
    let asked = attempts();
    assert_eq!(tenant.code(&tenant.token()).await, Some(Code::KeysUnavailable));
    assert_eq!(attempts(), asked, "without an attempt at once");
    sleep(10 * SECOND).await;
    assert_eq!(attempts(), asked + 1, "but with one for it");
    sleep(HOUR / 2).await;
    assert_eq!(attempts(), asked + 1, "and none after it");

    assert_eq!(tenant.code(&tenant.token()).await, Some(Code::KeysUnavailable));
    tenant.provider.behave(Behaviour::Normal);
    assert_eq!(tenant.code(&tenant.token()).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_whose_keys_are_required_is_tried_until_it_has_some() {
    let tenant = Tenant::new();
    tenant.provider.behave(Behaviour::Status(500));
    assert_eq!(tenant.code(&tenant.token()).await, Some(Code::KeysUnavailable));
    let keys = tenant.keys.running().unwrap();
    let error = keys.require(MINUTE).await.unwrap_err();
    let attempts = tenant.provider.metadata_fetches();
    assert!((5..=25).contains(&attempts), "{attempts} in a minute: {error}");
    tenant.provider.behave(Behaviour::Normal);
    assert!(keys.require(MINUTE).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn removing_the_tenant_ends_the_fetches() {
    let tenant = Tenant::new();
    assert_eq!(tenant.code(&tenant.token()).await, None);
    let Tenant { provider, keys, issuers, admission } = tenant;
    issuers.remove(provider.issuer().name());
    drop((keys, admission));
    let fetches = provider.key_set_fetches();
    sleep(10 * HOUR).await;
    assert_eq!(provider.key_set_fetches(), fetches);
}

#[tokio::test]
async fn a_source_that_cannot_start_is_refused_at_once() {
    let tenants = TenantKeys::new();
    let error = tenants.discover("http://login.example.com").unwrap_err();
    assert!(error.to_string().contains("login.example.com"), "{error}");
    assert!(tenants.from_url("http://login.example.com/keys").is_err());
    assert!(tenants.discover("https://login.example.com").is_ok());
    assert!(tenants.from_url("https://login.example.com/keys").is_ok());
}

#[test]
fn the_idle_time_is_a_minute_to_a_week() {
    let tenants = TenantKeys::new;
    assert!(tenants().idle_after(MINUTE / 2).is_err() && tenants().idle_after(HOUR * 24 * 8).is_err());
    assert!(tenants().idle_after(MINUTE).is_ok() && tenants().idle_after(HOUR * 24 * 7).is_ok());
}

/// Presents a thousand forged tokens within an hour, and this many good ones in its middle. Returns whether the keys are kept beyond that hour.
async fn is_kept_after_forged_tokens(good: usize) -> bool {
    const FORGED: u32 = 1_000;
    let tenant = Tenant::new();
    let issuer = tenant.provider.issuer();
    let forger = MockIssuer::new().named(issuer.name()).clock(tenant.provider.clock());
    for number in 0..FORGED {
        if number == FORGED / 2 {
            for _ in 0..good {
                assert_eq!(tenant.code(&tenant.token()).await, None);
            }
        }
        // Under the id of the issuer's key, and under one that it does not have.
        let key_id = if number % 2 == 0 { issuer.key_id() } else { number.to_string() };
        assert!(tenant.code(&forger.token().header("kid", key_id).sign()).await.is_some());
        sleep(55 * MINUTE / FORGED).await;
    }
    assert!(tenant.keys.running().is_some(), "the hour is not over");
    sleep(15 * MINUTE).await;
    tenant.keys.running().is_some()
}

#[tokio::test(start_paused = true)]
async fn forged_tokens_do_not_keep_the_keys_and_one_good_token_does() {
    assert!(!is_kept_after_forged_tokens(0).await);
    assert!(is_kept_after_forged_tokens(1).await);
}

/// It had no use in that hour, but a request waits for it.
#[tokio::test(start_paused = true)]
async fn a_request_that_waits_when_the_idle_time_ends_gets_its_answer() {
    let tenant = Tenant::new();
    tenant.provider.cache_control("max-age=86400");
    let forger = MockIssuer::new().named(tenant.provider.issuer().name()).clock(tenant.provider.clock());
    assert!(tenant.code(&forger.token().sign()).await.is_some());
    sleep(2 * HOUR).await;
    assert!(tenant.keys.running().is_none());
    assert!(tenant.code(&forger.token().sign()).await.is_some()); // it starts again
    sleep(HOUR.saturating_sub(2 * SECOND)).await;
    tenant.provider.issuer().rotate();
    tenant.provider.behave(Behaviour::Slow(SECOND + SECOND / 2));
    sleep(SECOND).await;
    let waiting = tenant.admission.verify(&tenant.token());
    assert!(tenant.keys.running().is_some());
    assert!(waiting.outcome().await.is_ok());
    assert!(tenant.keys.running().is_none(), "it has ended meanwhile");
}
