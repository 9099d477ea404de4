//! How many sessions a user may have.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::sync::{Arc, Mutex};

use portcullis_issuer::refresh::{
    EndReason, Family, LogIn, MemoryRefreshStore, NotAccepted, Opened, RefreshError, RefreshKeys, RefreshPolicy,
    RefreshStore, SessionEvent, Sessions, Tokens,
};
use support::{House, TestLog, TestSubjects, secs};

type Few = Sessions<MemoryRefreshStore, TestLog, TestSubjects>;

fn keys() -> RefreshKeys {
    RefreshKeys::new(1, [1; 32]).unwrap()
}

async fn log_in(house: &House, sessions: &Few, subject: &str) -> Tokens {
    let tokens = sessions.log_in(LogIn::new(subject, "web"), &RefreshPolicy::new()).await.unwrap();
    house.clock.advance(secs(10));
    tokens
}

async fn refresh(sessions: &Few, tokens: &Tokens) -> Result<Tokens, RefreshError> {
    sessions.refresh(tokens.refresh_token(), "web", &RefreshPolicy::new()).await
}

#[tokio::test]
async fn a_log_in_too_many_ends_the_session_that_was_not_used_for_the_longest_time() {
    let house = House::new();
    let ended = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&ended);
    let sessions = house.with_keys(keys()).most_sessions(3).unwrap();
    let sessions = sessions.on_event(move |event| {
        if let SessionEvent::Ended { session, reason } = event {
            told.lock().unwrap().push((*session, *reason));
        }
    });
    let sessions = sessions.unwrap();
    let others = log_in(&house, &sessions, "bob").await;
    let first = log_in(&house, &sessions, "alice").await;
    let second = log_in(&house, &sessions, "alice").await;
    let third = log_in(&house, &sessions, "alice").await;
    let first = refresh(&sessions, &first).await.unwrap();
    assert_eq!(*ended.lock().unwrap(), [], "three are allowed");
    house.clock.advance(secs(10));
    let fourth = log_in(&house, &sessions, "alice").await;
    assert_eq!(*ended.lock().unwrap(), [(second.session().id, EndReason::TooMany)]);
    let error = refresh(&sessions, &second).await.unwrap_err();
    assert!(matches!(error, RefreshError::InvalidGrant(NotAccepted::Ended(EndReason::TooMany))), "{error:?}");
    assert!(!house.accepts(&second), "its access tokens live on");
    for live in [&first, &third, &fourth, &others] {
        assert!(house.accepts(live));
        assert!(refresh(&sessions, live).await.is_ok());
    }
    assert_eq!(sessions.sessions_of("alice").await.unwrap().len(), 3);
}

#[tokio::test]
async fn while_the_log_is_down_a_log_in_too_many_fails_and_the_store_ends_the_other_session() {
    let house = House::new();
    let sessions = house.with_keys(keys()).most_sessions(1).unwrap();
    let first = log_in(&house, &sessions, "alice").await;
    house.fail_log(true);
    let outcome = sessions.log_in(LogIn::new("alice", "web"), &RefreshPolicy::new()).await;
    assert!(matches!(outcome, Err(RefreshError::Unavailable(_))), "{outcome:?}");
    house.fail_log(false);
    let error = refresh(&sessions, &first).await.unwrap_err();
    assert!(matches!(error, RefreshError::InvalidGrant(NotAccepted::Ended(EndReason::TooMany))), "{error:?}");
    // Nearly the same, with a log.
    let again = log_in(&house, &sessions, "alice").await;
    assert!(refresh(&sessions, &again).await.is_ok());
}

#[tokio::test]
async fn a_user_has_a_thousand_sessions_unless_it_is_set_otherwise() {
    let house = House::new();
    let now = house.store.now().await.unwrap();
    let template = log_in(&house, &house.with_keys(keys()), "alice").await;
    let fill = async |count: u16, subject: &str| {
        for number in 0..count {
            let mut id = [0; 16];
            id[..2].copy_from_slice(&number.to_be_bytes());
            id[2] = u8::try_from(subject.len()).unwrap();
            let id = portcullis_issuer::refresh::FamilyId::from_bytes(id);
            let (share, log_in) = (template.session().share, LogIn::new(subject, "web"));
            let family = Family::new(id, share, 1, log_in, &RefreshPolicy::new(), now);
            assert_eq!(house.store.open(family).await.unwrap(), Opened::New);
        }
    };
    fill(999, "carol").await;
    log_in(&house, &house.with_keys(keys()), "carol").await;
    assert_eq!(house.store.families_of("carol").await.unwrap().len(), 1000, "the thousandth is allowed");
    log_in(&house, &house.with_keys(keys()), "carol").await;
    assert_eq!(house.store.families_of("carol").await.unwrap().len(), 1000);
    // At most a hundred end at once.
    fill(1300, "ed").await;
    log_in(&house, &house.with_keys(keys()), "ed").await;
    assert_eq!(house.store.families_of("ed").await.unwrap().len(), 1201);
    log_in(&house, &house.with_keys(keys()).most_sessions(usize::MAX).unwrap(), "ed").await;
    assert_eq!(house.store.families_of("ed").await.unwrap().len(), 1202, "nothing was to be counted");
}

#[test]
fn a_limit_that_lets_no_user_in_is_refused() {
    let house = House::new();
    assert!(house.with_keys(keys()).most_sessions(0).is_err());
    assert!(house.with_keys(keys()).most_sessions(1).is_ok());
}

/// An old instance reads the end of a session that a later one has written.
#[test]
fn a_reason_that_a_later_version_has_written_is_an_end() {
    let row = include_str!("rows/v1.json").trim();
    let later = Family::from_json(&row.replace("logged_out", "a_reason_of_later")).unwrap();
    assert_eq!(later.ended, Some(EndReason::Revoked));
    let too_many = Family::from_json(&row.replace("logged_out", "too_many")).unwrap();
    assert_eq!(too_many.ended, Some(EndReason::TooMany));
    assert!(too_many.to_json().contains(r#""ended":"too_many""#));
}
