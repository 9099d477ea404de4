//! Row "same `kid`, new key" of the rules.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use portcullis_core::Code;
use portcullis_test::{Defect, provider::Behaviour};
use support::{COOL_DOWN, MINUTE, Service};
use tokio::time::{Duration, sleep};

#[tokio::test(start_paused = true)]
async fn a_new_key_under_the_old_id_is_fetched_within_the_request() {
    let service = Service::settled().await;
    let before = service.token();
    assert!(service.accepts(&before).await);
    service.provider.issuer().replace_key();
    assert!(service.accepts(&service.token()).await);
    assert_eq!(service.fetches(), 2);
    assert_eq!(service.code(&before).await, Some(Code::SignatureInvalid), "and the old key is gone");
}

#[tokio::test(start_paused = true)]
async fn everybody_with_the_new_key_joins_the_one_fetch() {
    let service = Service::settled().await;
    service.provider.behave(Behaviour::Slow(Duration::from_secs(1)));
    service.provider.issuer().replace_key();
    let attempts: Vec<_> = (0..50).map(|_| service.admission.verify(&service.token())).collect();
    for attempt in attempts {
        assert!(attempt.outcome().await.is_ok());
    }
    assert_eq!(service.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn forged_signatures_cause_a_fetch_in_five_minutes_and_are_refused() {
    let service = Service::settled().await;
    let forged = service.provider.issuer().token().defect(Defect::WrongKey).sign();
    let before = service.fetches();
    for _ in 0..270 {
        assert_eq!(service.code(&forged).await, Some(Code::SignatureInvalid));
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(service.fetches(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn forged_signatures_do_not_use_up_what_new_keys_need_for_longer_than_a_cool_down() {
    let service = Service::settled().await;
    let forged = service.provider.issuer().token().defect(Defect::WrongKey).sign();
    service.code(&forged).await;
    service.code(&service.token_of("unheard-of")).await;
    service.provider.issuer().rotate();
    sleep(COOL_DOWN).await;
    assert!(service.accepts(&service.token()).await);
}

#[tokio::test(start_paused = true)]
async fn a_forged_signature_is_refused_also_while_nothing_can_be_fetched() {
    let service = Service::settled().await;
    service.provider.behave(Behaviour::Status(500));
    let forged = service.provider.issuer().token().defect(Defect::WrongKey).sign();
    assert_eq!(service.code(&forged).await, Some(Code::SignatureInvalid));
    service.provider.behave(Behaviour::Hang);
    sleep(6 * MINUTE).await;
    assert_eq!(service.code(&forged).await, Some(Code::SignatureInvalid));
}
