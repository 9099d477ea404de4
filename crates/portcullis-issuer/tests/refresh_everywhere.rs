//! A user logs out everywhere, or everywhere else.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use portcullis_issuer::refresh::{
    EndReason, LogIn, NotAccepted, RefreshError, RefreshPolicy, SessionEvent, Tokens, Unavailable,
};
use support::{House, claims, secs};

async fn log_in(house: &House, subject: &str) -> Tokens {
    house.sessions.log_in(LogIn::new(subject, "web"), &RefreshPolicy::new()).await.unwrap()
}

fn ended(house: &House) -> usize {
    house.events(|event| matches!(event, SessionEvent::Ended { .. }).then_some(())).len()
}

#[tokio::test]
async fn a_user_without_a_token_version_logs_out_everywhere_and_in_again() {
    let house = House::new();
    let (first, second, bob) =
        (log_in(&house, "alice").await, log_in(&house, "alice").await, log_in(&house, "bob").await);
    house.sessions.log_out_everywhere("alice").await.unwrap();
    for tokens in [&first, &second] {
        assert!(!house.accepts(tokens));
        let error = house.refresh(tokens).await.unwrap_err();
        let expected = NotAccepted::Ended(EndReason::LoggedOutEverywhere);
        assert!(matches!(error, RefreshError::InvalidGrant(reason) if reason == expected), "{error}");
    }
    assert_eq!(ended(&house), 2);
    assert!(house.accepts(&bob) && house.refresh(&bob).await.is_ok());
    let policy = RefreshPolicy::new();
    let error = house.sessions.log_in(LogIn::new("alice", "web"), &policy).await.unwrap_err();
    assert!(matches!(error, RefreshError::InvalidGrant(NotAccepted::Revoked)), "in the same second: {error}");
    house.clock.advance(secs(1));
    let again = log_in(&house, "alice").await;
    assert!(house.accepts(&again) && house.refresh(&again).await.is_ok(), "without any version");
}

/// By the cut-off alone, what another instance mints meanwhile would live on.
#[tokio::test]
async fn pitfall_6_an_access_token_that_was_minted_after_the_cut_off_ends_with_its_session() {
    for is_everywhere in [true, false] {
        let house = House::new();
        let (kept, tokens) = (log_in(&house, "alice").await, log_in(&house, "alice").await);
        let elsewhere = house.instance_ahead_by(secs(5));
        let policy = RefreshPolicy::new();
        let late = elsewhere.refresh(tokens.refresh_token(), "web", &policy).await.unwrap();
        assert_eq!(claims(&late)["iat"].as_u64().unwrap(), claims(&tokens)["iat"].as_u64().unwrap() + 5);
        assert!(house.accepts(&late));
        if is_everywhere {
            house.sessions.log_out_everywhere("alice").await.unwrap();
        } else {
            house.sessions.end_others("alice", kept.session().id, EndReason::Revoked).await.unwrap();
        }
        assert!(!house.accepts(&late));
        assert!(elsewhere.refresh(late.refresh_token(), "web", &policy).await.is_err());
    }
}

#[tokio::test]
async fn a_user_keeps_the_session_in_which_the_others_were_ended() {
    let house = House::new();
    let (here, there, bob) =
        (log_in(&house, "alice").await, log_in(&house, "alice").await, log_in(&house, "bob").await);
    house.sessions.end_others("alice", here.session().id, EndReason::LoggedOut).await.unwrap();
    assert!(house.accepts(&here) && house.refresh(&here).await.is_ok());
    assert!(!house.accepts(&there));
    let error = house.refresh(&there).await.unwrap_err();
    let expected = NotAccepted::Ended(EndReason::LoggedOut);
    assert!(matches!(error, RefreshError::InvalidGrant(reason) if reason == expected), "{error}");
    assert!(house.accepts(&bob) && house.refresh(&bob).await.is_ok());
    assert_eq!(house.order(), ["revoke session", "end all"], "the log comes first");
    assert_eq!(ended(&house), 1);
    // Another user's session keeps none of this one's.
    house.sessions.end_others("alice", bob.session().id, EndReason::LoggedOut).await.unwrap();
    assert!(house.refresh(&here).await.is_err() && house.refresh(&bob).await.is_ok());
}

#[tokio::test]
async fn the_sessions_end_even_if_the_log_fails_and_the_caller_is_told() {
    let house = House::new();
    let (here, there) = (log_in(&house, "alice").await, log_in(&house, "alice").await);
    house.fail_log(true);
    let others = house.sessions.end_others("alice", here.session().id, EndReason::LoggedOut).await.unwrap_err();
    assert!(house.refresh(&there).await.is_err() && house.refresh(&here).await.is_ok());
    let all = house.sessions.log_out_everywhere("alice").await.unwrap_err();
    assert!(house.refresh(&here).await.is_err());
    for error in [others, all] {
        assert!(matches!(error, RefreshError::Unavailable(Unavailable::Log(_))), "{error}");
    }
    assert!(house.accepts(&here), "the log has nothing");
    house.fail_log(false);
    house.sessions.log_out_everywhere("alice").await.unwrap();
    assert!(!house.accepts(&here) && !house.accepts(&there), "after another attempt");
}
