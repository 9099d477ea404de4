//! Sessions whose signatures are slow or fail. No access token of a session that ends meanwhile is accepted afterwards.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::time::Duration;

use portcullis_issuer::{
    MintErrorKind, SignErrorKind,
    refresh::{EndReason, LogIn, NotAccepted, RefreshError, RefreshPolicy, Tokens, Unavailable},
};
use support::{House, secs};
use tokio::time::sleep;

/// How long a signature takes.
const SIGNATURE: Duration = Duration::from_millis(500);

/// Before, during and after the signature, and the one of the other call.
const MOMENTS: [u64; 7] = [0, 1, 250, 499, 501, 750, 999];

/// A session whose first token was replaced a while ago, so that it is an old one.
async fn scene() -> (House, Tokens, Tokens) {
    let house = House::signing_after(SIGNATURE);
    let first = house.log_in().await;
    let second = house.refresh(&first).await.unwrap();
    house.clock.advance(secs(61));
    (house, first, second)
}

#[tokio::test(start_paused = true)]
async fn a_user_who_logs_out_while_a_signature_is_made_is_logged_out() {
    for moment in MOMENTS {
        let (house, _, current) = scene().await;
        let log_out = async {
            sleep(Duration::from_millis(moment)).await;
            house.sessions.end(current.session().id, EndReason::LoggedOut).await.unwrap();
        };
        let (refreshed, ()) = tokio::join!(house.refresh(&current), log_out);
        assert!(!house.accepts(&current), "after {moment} ms");
        assert!(!refreshed.is_ok_and(|tokens| house.accepts(&tokens)), "a token of after {moment} ms lives on");
        assert!(house.refresh(&current).await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_token_that_comes_while_a_signature_is_made_ends_the_session() {
    for moment in MOMENTS {
        let (house, old, current) = scene().await;
        let reuse = async {
            sleep(Duration::from_millis(moment)).await;
            house.sessions.refresh(old.refresh_token(), "web", &RefreshPolicy::new()).await.unwrap_err()
        };
        let (refreshed, _) = tokio::join!(house.refresh(&current), reuse);
        assert!(!house.accepts(&current), "after {moment} ms");
        assert!(!refreshed.is_ok_and(|tokens| house.accepts(&tokens)), "a token of after {moment} ms lives on");
        assert!(house.refresh(&current).await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_does_not_end_is_refreshed_by_a_slow_signer() {
    let (house, _, current) = scene().await;
    let refreshed = house.refresh(&current).await.unwrap();
    assert!(house.accepts(&refreshed));
}

#[tokio::test]
async fn an_outage_of_the_signing_key_is_not_decided_and_costs_no_session() {
    let house = House::new();
    let (tokens, policy) = (house.log_in().await, RefreshPolicy::new());
    let log_in = || house.sessions.log_in(LogIn::new("alice", "web"), &policy);
    house.fail_to_sign(Some(SignErrorKind::Unavailable));
    for error in [house.refresh(&tokens).await.unwrap_err(), log_in().await.unwrap_err()] {
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(matches!(error, RefreshError::Unavailable(Unavailable::Signer(_))), "{error}");
        assert!(error.to_string().contains("signs access tokens") && source.contains("as the test wants it"));
    }
    // What will not change by trying again is told from it.
    house.fail_to_sign(Some(SignErrorKind::Refused));
    for error in [house.refresh(&tokens).await.unwrap_err(), log_in().await.unwrap_err()] {
        let kind = match &error {
            RefreshError::Mint(error) => error.kind(),
            other => panic!("{other}"),
        };
        assert_eq!(kind, MintErrorKind::SignerFailed);
    }
    house.fail_to_sign(None);
    assert_eq!(house.sessions.sessions_of("alice").await.unwrap().len(), 1, "no log-in was opened");
    assert!(house.refresh(&tokens).await.is_ok());
}

/// Tokens count whole seconds.
#[tokio::test]
async fn a_session_in_its_last_second_has_expired() {
    let house = House::new();
    let policy = RefreshPolicy::new().absolute(Duration::from_millis(60_500));
    let tokens = house.sessions.log_in(LogIn::new("alice", "web"), &policy).await.unwrap();
    house.clock.advance(secs(59));
    assert!(house.refresh(&tokens).await.is_ok());
    house.clock.advance(secs(1));
    let error = house.refresh(&tokens).await.unwrap_err();
    assert!(matches!(error, RefreshError::InvalidGrant(NotAccepted::Expired)), "{error}");
}
