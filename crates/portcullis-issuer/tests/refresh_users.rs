//! What users and their clients may do with sessions.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use portcullis_core::{Algorithm, Clock, clock::SystemClock, policy::TokenSpec, revocation::Revocation};
use portcullis_issuer::{
    SigningKey, TokenIssuer,
    refresh::{
        DangerUncheckedSubjects, EndReason, Family, FamilyId, LogIn, MemoryRefreshStore, NotAccepted, RefreshError,
        RefreshKeys, RefreshPolicy, SessionEvent, Sessions, Unavailable,
    },
};
use portcullis_store::{MemoryLog, Revocations};
use support::{House, ISSUER, SERVICE, T, claims, secs};

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
async fn a_user_who_has_lost_every_scope_gets_none_of_the_log_in() {
    let house = House::new();
    let log_in = LogIn::new("alice", "web").scope("orders:read orders:write");
    let tokens = house.sessions.log_in(log_in, &RefreshPolicy::new()).await.unwrap();
    assert_eq!(claims(&tokens)["scope"], "orders:read orders:write");
    house.subjects.grant(&["orders:read"], "clerk");
    assert_eq!(claims(&house.refresh(&tokens).await.unwrap())["scope"], "orders:read");
    house.subjects.grant(&[], "clerk");
    let tokens = house.refresh(&tokens).await.unwrap();
    assert!(claims(&tokens).get("scope").is_none(), "{}", claims(&tokens));
    assert_eq!(claims(&tokens)["roles"].to_string(), "[\"clerk\"]");
}

/// Also what the application does not grant now: it could come back.
#[tokio::test]
async fn a_log_in_that_no_token_could_be_minted_for_is_not_opened() {
    let house = House::new();
    let policy = RefreshPolicy::new();
    house.subjects.grant(&["orders:read"], "clerk");
    let asked = house.store_calls();
    for log_in in [
        LogIn::new("", "web"),
        LogIn::new("alice", ""),
        LogIn::new("alice", "web").scope("orders:read a\"b"),
        LogIn::new("alice", "web").audience("https://elsewhere.test"),
        LogIn::new("alice", "web").acr(""),
    ] {
        let error = house.sessions.log_in(log_in, &policy).await.unwrap_err();
        assert!(matches!(error, RefreshError::LogIn(_)), "{error}");
    }
    assert_eq!(house.store_calls(), asked + 5, "only its time was asked for");
    let log_in = LogIn::new("alice", "web").scope("orders:read a'b").audience(SERVICE).acr("1");
    assert!(house.sessions.log_in(log_in, &policy).await.is_ok());
}

/// An operator reads why before what.
#[tokio::test]
async fn every_end_of_a_session_is_told_once_after_its_cause() {
    let names = |house: &House| {
        house.events(|event| match event {
            SessionEvent::Reused { .. } => Some("reused"),
            SessionEvent::Ended { reason: EndReason::Reuse, .. } => Some("ended by reuse"),
            SessionEvent::Ended { reason: EndReason::Revoked, .. } => Some("ended by the log"),
            _ => None,
        })
    };
    let house = House::new();
    let first = house.log_in().await;
    house.refresh(&first).await.unwrap();
    house.clock.advance(secs(61));
    assert!(house.refresh(&first).await.is_err());
    assert_eq!(names(&house), ["reused", "ended by reuse"]);

    let house = House::new();
    let tokens = house.log_in().await;
    house.revoke_up_to(T);
    for _ in 0..2 {
        assert!(house.refresh(&tokens).await.is_err());
    }
    assert_eq!(names(&house), ["ended by the log"]);
}

/// What never was does not end.
#[tokio::test]
async fn a_user_who_is_refused_at_the_log_in_ends_no_session() {
    let house = House::new();
    house.subjects.refuse("alice");
    let policy = RefreshPolicy::new();
    let error = house.sessions.log_in(LogIn::new("alice", "web"), &policy).await.unwrap_err();
    assert!(matches!(error, RefreshError::InvalidGrant(NotAccepted::SubjectRefused)), "{error}");
    assert!(house.order().is_empty() && house.store.dump().is_empty(), "{:?}", house.order());
    assert!(house.events(|event| Some(event.clone())).is_empty());
    let bob = house.sessions.log_in(LogIn::new("bob", "web"), &policy).await.unwrap();
    house.subjects.refuse("bob");
    assert!(house.refresh(&bob).await.is_err());
    assert_eq!(house.order(), ["revoke session", "end"], "a session that was");
}

#[tokio::test]
async fn the_time_of_authentication_is_what_the_application_says_and_never_later_than_the_log_in() {
    let house = House::new();
    let (policy, log_in) = (RefreshPolicy::new(), || LogIn::new("alice", "web"));
    let yesterday = T.minus(secs(86_400));
    for (log_in, expected) in [
        (log_in(), T),
        (log_in().authenticated_at(yesterday), yesterday),
        (log_in().authenticated_at(T.plus(secs(60))), T),
    ] {
        let tokens = house.sessions.log_in(log_in, &policy).await.unwrap();
        assert_eq!(claims(&tokens)["auth_time"], expected.as_secs());
        let read = Family::from_json(&tokens.session().to_json()).unwrap();
        assert_eq!((read.log_in.auth_time(), read.log_in.at()), (expected, T));
        house.clock.advance(secs(120));
        let later = house.refresh(&tokens).await.unwrap();
        assert_eq!(claims(&later)["auth_time"], expected.as_secs(), "a refresh does not authenticate");
        house.clock.set(T);
    }
    // A session that is opened now is newer than a cut-off of an hour ago, however old its authentication is.
    let tokens = house.sessions.log_in(log_in().authenticated_at(yesterday), &policy).await.unwrap();
    house.revoke_up_to(T.minus(secs(3600)));
    assert!(house.refresh(&tokens).await.is_ok());
    house.revoke_up_to(T);
    assert!(house.refresh(&tokens).await.is_err());
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

#[tokio::test]
async fn a_log_in_that_is_revoked_while_it_is_opened_gets_no_tokens() {
    let house = House::new();
    let policy = RefreshPolicy::new();
    let log_in = || house.sessions.log_in(LogIn::new("alice", "web"), &policy);
    house.revoke_at_open(Revocation::subject(ISSUER, "bob", T));
    assert!(log_in().await.is_ok(), "another user was revoked");
    house.revoke_at_open(Revocation::subject(ISSUER, "alice", T));
    house.fail_to_end(true);
    let error = log_in().await.unwrap_err();
    assert!(matches!(error, RefreshError::Unavailable(Unavailable::Store(_))), "{error}");
    house.fail_to_end(false);
    house.clock.advance(secs(1));
    house.revoke_at_open(Revocation::subject(ISSUER, "alice", T.plus(secs(1))));
    let error = log_in().await.unwrap_err();
    assert!(matches!(error, RefreshError::InvalidGrant(NotAccepted::Revoked)), "{error}");
    let live = house.sessions.sessions_of("alice").await.unwrap();
    assert_eq!(live.len(), 2, "it has ended; the first two could not be");
    house.clock.advance(secs(1));
    assert!(log_in().await.is_ok(), "after the second of the cut-off");
}

/// A stale view proves nothing about a log-in; the next refresh asks again.
#[tokio::test]
async fn a_log_in_does_not_wait_for_the_log() {
    let house = House::new();
    house.clock.advance(secs(30));
    house.make_view_stale();
    assert!(house.sessions.log_in(LogIn::new("alice", "web"), &RefreshPolicy::new()).await.is_ok());
}

#[tokio::test]
async fn a_log_in_without_the_version_that_was_raised_is_told_what_to_do() {
    let house = House::new();
    let policy = RefreshPolicy::new();
    let log_in = |log_in| house.sessions.log_in(log_in, &policy);
    let alice = || LogIn::new("alice", "web");
    house.sessions.raise_version("alice", 2).await.unwrap();
    for outdated in [alice(), alice().version(1)] {
        let asked = house.store_calls();
        let error = log_in(outdated).await.unwrap_err();
        assert!(matches!(error, RefreshError::LogIn(_)) && error.to_string().contains("LogIn::version"), "{error}");
        assert_eq!(house.store_calls(), asked + 1, "it was not opened");
    }
    house.revoke_at_open(Revocation::version(ISSUER, "alice", 3));
    let error = log_in(alice().version(2)).await.unwrap_err();
    assert!(matches!(error, RefreshError::LogIn(_)) && error.to_string().contains("LogIn::version"), "{error}");
    assert!(house.sessions.sessions_of("alice").await.unwrap().is_empty());
    assert!(log_in(alice().version(3)).await.is_ok());
    assert!(log_in(LogIn::new("bob", "web")).await.is_ok(), "a user whose version was never raised");
}

/// More than stores and the log can name, or what some of them cannot be asked about.
fn impossible_names() -> [String; 3] {
    [format!("alice{}", "x".repeat(251)), "alice\0".to_owned(), "alice\u{85}".to_owned()]
}

#[tokio::test]
async fn a_client_that_cannot_have_logged_in_is_refused_before_the_store_is_asked() {
    let house = House::new();
    let (policy, tokens) = (RefreshPolicy::new(), house.log_in().await);
    let asked = house.store_calls();
    for client in impossible_names() {
        let error = house.sessions.refresh(tokens.refresh_token(), &client, &policy).await.unwrap_err();
        assert!(matches!(error, RefreshError::InvalidGrant(NotAccepted::ClientMismatch)), "{error}");
    }
    assert_eq!(house.store_calls(), asked);
    let longest = "x".repeat(255);
    let error = house.sessions.refresh(tokens.refresh_token(), &longest, &policy).await.unwrap_err();
    assert!(matches!(error, RefreshError::InvalidGrant(NotAccepted::ClientMismatch)), "{error}");
    assert!(house.store_calls() > asked, "it may have logged in");
    assert!(house.refresh(&tokens).await.is_ok(), "its own client is answered");
    let of_longest = house.sessions.log_in(LogIn::new("alice", longest.as_str()), &policy).await.unwrap();
    assert!(house.sessions.refresh(of_longest.refresh_token(), &longest, &policy).await.is_ok());
}

#[tokio::test]
async fn a_user_who_cannot_have_logged_in_has_no_sessions_and_costs_no_store_call() {
    let house = House::new();
    let tokens = house.log_in().await;
    let (session, asked) = (tokens.session().id, house.store_calls());
    for subject in impossible_names() {
        assert!(house.sessions.sessions_of(&subject).await.unwrap().is_empty());
        assert!(!house.sessions.end_of(&subject, session, EndReason::Revoked).await.unwrap());
        for ended in [
            house.sessions.log_out_everywhere(&subject).await,
            house.sessions.raise_version(&subject, 2).await,
            house.sessions.end_others(&subject, session, EndReason::Revoked).await,
        ] {
            let error = ended.unwrap_err();
            assert!(matches!(error, RefreshError::LogIn(_)), "{error}");
        }
    }
    assert_eq!(house.store_calls(), asked);
    assert!(house.order().is_empty(), "nothing was revoked");

    let longest = "x".repeat(255);
    let policy = RefreshPolicy::new();
    for _ in 0..2 {
        house.sessions.log_in(LogIn::new(longest.as_str(), "web").version(1), &policy).await.unwrap();
    }
    let sessions = house.sessions.sessions_of(&longest).await.unwrap();
    assert_eq!(sessions.len(), 2);
    assert!(house.sessions.end_of(&longest, sessions[0].id, EndReason::Revoked).await.unwrap());
    house.sessions.raise_version(&longest, 2).await.unwrap();
    assert!(house.sessions.sessions_of(&longest).await.unwrap().is_empty());
    assert!(house.refresh(&tokens).await.is_ok());
}

/// Without a word about a view: what the revoker follows is asked.
#[tokio::test]
async fn a_user_who_is_revoked_in_the_log_is_not_refreshed_by_default() {
    let revocations = Revocations::builder(MemoryLog::new()).start().unwrap();
    revocations.require(secs(60)).await.unwrap();
    let spec = TokenSpec::new(ISSUER).audience(SERVICE);
    let issuer = TokenIssuer::new(spec, SigningKey::generate(Algorithm::EdDsa).unwrap()).unwrap();
    let keys = RefreshKeys::new(1, [1; 32]).unwrap();
    let (store, revoker) = (MemoryRefreshStore::new(), revocations.clone());
    let sessions = Sessions::new(issuer, store, keys, revoker, DangerUncheckedSubjects);
    let policy = RefreshPolicy::new();
    let alice = sessions.log_in(LogIn::new("alice", "web"), &policy).await.unwrap();
    let bob = sessions.log_in(LogIn::new("bob", "web"), &policy).await.unwrap();
    revocations.revoke(Revocation::subject(ISSUER, "alice", SystemClock.now())).await.unwrap();
    let error = sessions.refresh(alice.refresh_token(), "web", &policy).await.unwrap_err();
    assert!(matches!(error, RefreshError::InvalidGrant(NotAccepted::Revoked)), "{error}");
    assert!(sessions.refresh(bob.refresh_token(), "web", &policy).await.is_ok());
}

#[tokio::test]
async fn rfc9068_5_a_user_who_is_named_like_the_client_gets_no_session_of_it() {
    let house = House::new();
    let policy = RefreshPolicy::new();
    let refused = house.sessions.log_in(LogIn::new("web", "web"), &policy).await.unwrap_err();
    assert!(matches!(refused, RefreshError::LogIn(_)), "{refused:?}");
    assert!(house.store.dump().is_empty());
    assert!(house.sessions.log_in(LogIn::new("web2", "web"), &policy).await.is_ok());
}
