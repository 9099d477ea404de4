//! The provider is down.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{grants::client_credentials, provider::Provider, service::Service};

const READ: &str = "orders:read";

/// Recovery is due after a few seconds; the rest is for a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn known_keys_outlast_an_outage_and_new_ones_wait_for_its_end() {
    let Some(mut provider) = Provider::start().await else { return };
    let service = Service::start(&provider).await;
    let seen = client_credentials(&provider, "machine", provider.audience(), READ).await;
    let unseen = client_credentials(&provider, "machine-es256", provider.audience(), READ).await;
    assert_eq!(service.get("/orders", &seen).await.greeting(), "orders");
    provider.rotate().await;
    let new = client_credentials(&provider, "machine", provider.audience(), READ).await;

    provider.down().await;
    let answer = service.get("/orders", &new).await;
    assert_eq!(answer.refusal(), (503, "keys_unavailable".to_owned()));
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    assert!(!answer.headers.contains_key("www-authenticate"), "no request was refused: {answer:?}");
    for token in [&seen, &unseen] {
        assert_eq!(service.get("/orders", token).await.greeting(), "orders");
    }

    provider.up().await;
    until_let_in(&service, &new).await;
    for token in [&seen, &unseen] {
        assert_eq!(service.get("/orders", token).await.greeting(), "orders");
    }
}

#[tokio::test]
async fn a_service_that_starts_during_an_outage_recovers_with_the_provider() {
    let Some(mut provider) = Provider::start().await else { return };
    let token = client_credentials(&provider, "machine", provider.audience(), READ).await;
    provider.down().await;
    let service = Service::start_without_keys(&provider);
    assert_eq!(service.get("/orders", &token).await.refusal(), (503, "keys_unavailable".to_owned()));
    // What needs no key is decided all the same.
    assert_eq!(service.get_without_token("/orders").await.refusal(), (401, "credential_missing".to_owned()));

    provider.up().await;
    until_let_in(&service, &token).await;
}

#[tokio::test]
async fn a_provider_that_is_gone_is_no_reason_to_refuse_anybody() {
    let Some(mut provider) = Provider::start().await else { return };
    let service = Service::start(&provider).await;
    let known = client_credentials(&provider, "machine", provider.audience(), READ).await;
    provider.rotate().await;
    let new = client_credentials(&provider, "machine", provider.audience(), READ).await;
    drop(provider);
    assert_eq!(service.get("/orders", &known).await.greeting(), "orders");
    assert_eq!(service.get("/orders", &new).await.refusal(), (503, "keys_unavailable".to_owned()));
    assert_eq!(service.get("/orders", &known).await.greeting(), "orders");
}

/// Asks again and again, as a client does that is told to. Until then the answer is that we could not decide, and never
/// that the token is bad.
async fn until_let_in(service: &Service, token: &str) {
    let attempts = async {
        loop {
            let answer = service.get("/orders", token).await;
            if answer.is_ok() {
                return;
            }
            assert_eq!(answer.refusal(), (503, "keys_unavailable".to_owned()));
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, attempts).await.expect("to be let in after the outage");
}
