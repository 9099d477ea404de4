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
    // Whatever else is set.
    let policy = RefreshPolicy::new().danger_public_client_keeps_its_token().idle(secs(30 * 86_400));
    let tokens = house.sessions.log_in(LogIn::new("alice", "web"), &policy).await.unwrap();
    house.clock.advance(secs(86_000));
    let kept = house.refresh_by(&tokens, &policy).await.unwrap();
    assert_eq!(kept.refresh_token(), tokens.refresh_token());
    house.clock.advance(secs(86_401));
    let error = house.refresh_by(&tokens, &policy).await.unwrap_err();
    assert!(matches!(error, RefreshError::InvalidGrant(NotAccepted::Expired)), "{error}");
}

#[tokio::test]
async fn a_name_that_cannot_be_revoked_cannot_log_in() {
    let house = House::new();
    let policy = RefreshPolicy::new();
    for name in ["x".repeat(256), "a\0b".to_owned(), "a\nb".to_owned()] {
        for log_in in [LogIn::new(name.as_str(), "web"), LogIn::new("alice", name.as_str())] {
            let error = house.sessions.log_in(log_in, &policy).await.unwrap_err();
            assert!(matches!(error, RefreshError::LogIn(_)), "{error}");
        }
    }
    let longest = "x".repeat(255);
    assert!(house.sessions.log_in(LogIn::new(longest.as_str(), "web"), &policy).await.is_ok());
}
