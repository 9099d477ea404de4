//! What cannot be reached.

use portcullis_core::Code;
use portcullis_issuer::api_tokens::{ApiTokenError, RevokedReason};

use crate::house::{House, secs};

#[tokio::test]
async fn pitfall_7_while_the_store_is_down_a_cached_token_is_accepted_for_a_minute_and_others_are_not_decided() {
    let house = House::new();
    let (cached, other) = (house.service_account().await, house.service_account().await);
    assert_eq!(house.code(&cached).await, None);
    house.store.down(true);
    assert_eq!(house.code(&other).await, Some(Code::CredentialUndecided));
    house.clock.advance(secs(59));
    assert_eq!(house.code(&cached).await, None);
    house.clock.advance(secs(1));
    let error = house.verify(&cached).await.unwrap_err();
    assert_eq!((error.code(), error.retry_after()), (Code::CredentialUndecided, Some(secs(1))));
    house.store.down(false);
    assert_eq!((house.code(&cached).await, house.code(&other).await), (None, None));
}

#[tokio::test]
async fn pitfall_7_while_memberships_cannot_be_asked_nothing_is_decided_by_those_of_yesterday() {
    let house = House::new();
    let created = house.service_account().await;
    assert_eq!(house.code(&created).await, None);
    house.users.down(true);
    house.clock.advance(secs(59));
    assert_eq!(house.code(&created).await, None);
    house.clock.advance(secs(1));
    assert_eq!(house.code(&created).await, Some(Code::CredentialUndecided));
    house.users.down(false);
    assert_eq!(house.code(&created).await, None);
}

#[tokio::test]
async fn a_revocation_that_the_log_does_not_have_yet_is_an_error_and_can_be_made_again() {
    let house = House::new();
    let created = house.service_account().await;
    let (_, elsewhere) = house.other_instance();
    let text = created.secret().expose();
    assert!(elsewhere.verify(text).outcome().await.is_ok());
    house.log.down(true);
    let error = house.tokens.revoke(created.token().id(), RevokedReason::Asked).await.unwrap_err();
    assert!(matches!(error, ApiTokenError::NotEverywhere(_)), "{error}");
    // Here, at once; elsewhere, what is cached.
    assert_eq!(house.code(&created).await, Some(Code::TokenRevoked));
    assert!(elsewhere.verify(text).outcome().await.is_ok());
    house.log.down(false);
    house.tokens.revoke(created.token().id(), RevokedReason::Asked).await.unwrap();
    assert_eq!(crate::house::code(&elsewhere, text).await, Some(Code::TokenRevoked));
}

#[tokio::test]
async fn nothing_is_made_or_revoked_while_the_store_is_down() {
    let house = House::new();
    let created = house.service_account().await;
    house.store.down(true);
    let error = house.tokens.revoke(created.token().id(), RevokedReason::Asked).await.unwrap_err();
    assert!(matches!(error, ApiTokenError::Unavailable(_)), "{error}");
    let error = house.tokens.create(crate::house::service_account()).await.unwrap_err();
    assert!(matches!(error, ApiTokenError::Unavailable(_)), "{error}");
    house.store.down(false);
    assert_eq!(house.code(&created).await, None);
}
