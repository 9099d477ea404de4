//! What users and their clients may do with sessions.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use portcullis_issuer::refresh::{EndReason, FamilyId, LogIn, NotAccepted, RefreshError, RefreshPolicy};
use support::{House, secs};

#[tokio::test]
async fn a_user_ends_sessions_of_their_own_only() {
    let house = House::new();
    let tokens = house.log_in().await;
    let session = tokens.session().id;
    assert!(!house.sessions.end_of("bob", session, EndReason::Revoked).await.unwrap());
    assert!(house.refresh(&tokens).await.is_ok(), "another user has ended it");
    assert!(house.sessions.end_of("alice", session, EndReason::Revoked).await.unwrap());
    assert!(house.refresh(&tokens).await.is_err() && !house.accepts(&tokens));
    assert!(!house.sessions.end_of("alice", FamilyId::from_bytes([9; 16]), EndReason::Revoked).await.unwrap());
}

#[tokio::test]
async fn a_public_client_that_keeps_its_token_is_idle_for_a_day_at_most() {
    let house = House::new();
    let policy = RefreshPolicy::new().danger_public_client_keeps_its_token();
    let tokens = house.sessions.log_in(LogIn::new("alice", "web"), &policy).await.unwrap();
    house.clock.advance(secs(86_000));
    let kept = house.refresh_by(&tokens, &policy).await.unwrap();
    assert_eq!(kept.refresh_token(), tokens.refresh_token());
    house.clock.advance(secs(86_401));
    let error = house.refresh_by(&tokens, &policy).await.unwrap_err();
    assert!(matches!(error, RefreshError::InvalidGrant(NotAccepted::Expired)), "{error}");
}
