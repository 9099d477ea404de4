//! Refresh tokens of the system that users come from.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use portcullis_issuer::{
    SignErrorKind,
    refresh::{
        EndReason, ForeignTokens, LogIn, NotAccepted, RefreshError, RefreshKeys, RefreshPolicy, Rotation, StoreError,
    },
};
use support::{House, claims, secs};

/// The tokens of another system: `old-` and a user, of the client `web`.
#[derive(Debug, Default)]
struct OldSystem {
    asked: Arc<AtomicUsize>,
    is_down: Arc<AtomicBool>,
    retired: Arc<Mutex<HashSet<String>>>,
}

impl ForeignTokens for OldSystem {
    fn looks_like(&self, token: &str) -> bool {
        token.starts_with("old-")
    }

    async fn log_in(&self, token: &str) -> Result<Option<LogIn>, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.is_down.load(Ordering::SeqCst) {
            return Err(StoreError::new("as the test wants it"));
        }
        let is_valid = |user: &&str| *user != "unknown" && !self.retired.lock().unwrap().contains(token);
        let log_in = |user: &str| match user {
            "nameless" => LogIn::new("", "web"),
            "quoted" => LogIn::new("alice", "web").scope("a\"b"),
            "elsewhere" => LogIn::new("alice", "web").audience("https://elsewhere.test"),
            user => LogIn::new(user, "web").scope("a"),
        };
        Ok(token.strip_prefix("old-").filter(is_valid).map(log_in))
    }

    async fn retire(&self, token: &str) -> Result<(), StoreError> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(StoreError::new("as the test wants it"));
        }
        self.retired.lock().unwrap().insert(token.to_owned());
        Ok(())
    }
}

#[tokio::test]
async fn a_foreign_token_becomes_a_session_and_then_is_an_old_token_of_it() {
    let house = House::new();
    let old = OldSystem::default();
    let asked = Arc::clone(&old.asked);
    let sessions = house.with_keys(RefreshKeys::new(1, [1; 32]).unwrap()).foreign_tokens(old).unwrap();
    let policy = RefreshPolicy::new();
    let first = sessions.refresh("old-alice", "web", &policy).await.unwrap();
    assert!(first.refresh_token().starts_with("prt_"));
    assert_eq!(claims(&first)["sub"], "alice");
    // The answer got lost: the same successor, and the other system is not asked again.
    let again = sessions.refresh("old-alice", "web", &policy).await.unwrap();
    assert_eq!(again.refresh_token(), first.refresh_token());
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // Also by an instance with a new key.
    let keys = RefreshKeys::new(2, [2; 32]).unwrap().also_reads(1, [1; 32]).unwrap();
    let elsewhere = house.with_keys(keys).foreign_tokens(OldSystem::default()).unwrap();
    let again = elsewhere.refresh("old-alice", "web", &policy).await.unwrap();
    assert_eq!(again.refresh_token(), first.refresh_token());
    assert_eq!(house.store.dump().len(), 1);
    // Later it is a token that was replaced.
    house.clock.advance(secs(61));
    let error = sessions.refresh("old-alice", "web", &policy).await.unwrap_err();
    assert!(matches!(error, RefreshError::InvalidGrant(NotAccepted::Reuse)), "{error}");
    let error = sessions.refresh(first.refresh_token(), "web", &policy).await.unwrap_err();
    assert!(matches!(error, RefreshError::InvalidGrant(NotAccepted::Ended(EndReason::Reuse))), "{error}");
}

#[tokio::test]
async fn a_foreign_token_is_accepted_only_as_the_other_system_says() {
    let house = House::new();
    let old = OldSystem::default();
    let (asked, is_down) = (Arc::clone(&old.asked), Arc::clone(&old.is_down));
    let sessions = house.with_keys(RefreshKeys::new(1, [1; 32]).unwrap()).foreign_tokens(old).unwrap();
    let policy = RefreshPolicy::new();
    let long = format!("old-{}", "x".repeat(9000));
    for (token, client, expected, calls) in [
        ("junk", "web", NotAccepted::NotOurs, 0),
        ("prt_junk", "web", NotAccepted::NotOurs, 0),
        (long.as_str(), "web", NotAccepted::NotOurs, 0),
        ("old-unknown", "web", NotAccepted::NotOurs, 1),
        ("old-bob", "another", NotAccepted::ClientMismatch, 1),
    ] {
        asked.store(0, Ordering::SeqCst);
        let error = sessions.refresh(token, client, &policy).await.unwrap_err();
        assert!(matches!(error, RefreshError::InvalidGrant(reason) if reason == expected), "{token}: {error}");
        assert_eq!(asked.load(Ordering::SeqCst), calls, "{token}");
        assert!(house.store.dump().is_empty(), "{token} has become a session");
    }
    is_down.store(true, Ordering::SeqCst);
    let error = sessions.refresh("old-bob", "web", &policy).await.unwrap_err();
    assert!(matches!(error, RefreshError::Unavailable(_)), "an outage is no refusal: {error}");
    is_down.store(false, Ordering::SeqCst);
    sessions.refresh("old-bob", "web", &policy).await.unwrap();
    // Without the migration, it is a token that this issuer has not made.
    let without = house.with_keys(RefreshKeys::new(1, [1; 32]).unwrap());
    let error = without.refresh("old-carol", "web", &policy).await.unwrap_err();
    assert!(matches!(error, RefreshError::InvalidGrant(NotAccepted::NotOurs)), "{error}");
}

/// Otherwise it would be lost for its user, without a new one.
#[tokio::test]
async fn a_foreign_token_stays_valid_while_no_token_can_be_minted_for_it() {
    let house = House::new();
    let old = OldSystem::default();
    let retired = Arc::clone(&old.retired);
    let sessions = house.with_keys(RefreshKeys::new(1, [1; 32]).unwrap()).foreign_tokens(old).unwrap();
    let policy = RefreshPolicy::new();
    for token in ["old-nameless", "old-quoted", "old-elsewhere"] {
        let error = sessions.refresh(token, "web", &policy).await.unwrap_err();
        assert!(matches!(error, RefreshError::LogIn(_)), "{token}: {error}");
    }
    house.fail_to_sign(Some(SignErrorKind::Unavailable));
    assert!(matches!(sessions.refresh("old-alice", "web", &policy).await, Err(RefreshError::Unavailable(_))));
    house.fail_to_sign(None);
    house.subjects.refuse("bob");
    let error = sessions.refresh("old-bob", "web", &policy).await.unwrap_err();
    assert!(matches!(error, RefreshError::InvalidGrant(NotAccepted::SubjectRefused)), "{error}");
    assert!(house.store.dump().is_empty() && retired.lock().unwrap().is_empty());
    sessions.refresh("old-alice", "web", &policy).await.unwrap();
    assert!(house.store.dump().len() == 1 && retired.lock().unwrap().contains("old-alice"));
}

#[tokio::test]
async fn a_foreign_token_opens_no_second_session_once_the_first_is_forgotten() {
    let house = House::new();
    let sessions = house.with_keys(RefreshKeys::new(1, [1; 32]).unwrap()).foreign_tokens(OldSystem::default()).unwrap();
    let policy = RefreshPolicy::new();
    sessions.refresh("old-alice", "web", &policy).await.unwrap();
    house.store.restore([]); // as a store that forgets after the session's end
    let error = sessions.refresh("old-alice", "web", &policy).await.unwrap_err();
    assert!(matches!(error, RefreshError::InvalidGrant(NotAccepted::NotOurs)), "{error}");
    assert!(sessions.refresh("old-bob", "web", &policy).await.is_ok(), "another one does");
}

#[tokio::test]
async fn a_foreign_token_is_replaced_also_for_a_client_that_keeps_its_tokens() {
    let house = House::new();
    let sessions = house.with_keys(RefreshKeys::new(1, [1; 32]).unwrap()).foreign_tokens(OldSystem::default()).unwrap();
    let policy = RefreshPolicy::new().rotation(Rotation::Never);
    let tokens = sessions.refresh("old-alice", "web", &policy).await.unwrap();
    assert!(tokens.refresh_token().starts_with("prt_"));
    let kept = sessions.refresh(tokens.refresh_token(), "web", &policy).await.unwrap();
    assert_eq!(kept.refresh_token(), tokens.refresh_token());
}

#[tokio::test]
async fn a_client_that_logs_out_with_a_foreign_token_ends_what_it_is_or_has_become() {
    let (house, old) = (House::new(), OldSystem::default());
    let retired = Arc::clone(&old.retired);
    let is_retired = |token: &str| retired.lock().unwrap().contains(token);
    let sessions = house.with_keys(RefreshKeys::new(1, [1; 32]).unwrap()).foreign_tokens(old).unwrap();
    // Not used yet: it is made invalid, for its own client alone.
    assert!(sessions.end_by_token("old-alice", "another").await.unwrap());
    assert!(!is_retired("old-alice"));
    assert!(sessions.end_by_token("old-alice", "web").await.unwrap());
    assert!(is_retired("old-alice"));
    // It has become a session.
    let tokens = sessions.refresh("old-bob", "web", &RefreshPolicy::new()).await.unwrap();
    assert!(sessions.end_by_token("old-bob", "another").await.unwrap());
    assert!(house.accepts(&tokens));
    assert!(sessions.end_by_token("old-bob", "web").await.unwrap());
    assert!(!house.accepts(&tokens));
    assert!(!sessions.end_by_token("junk", "web").await.unwrap());
}

#[tokio::test]
async fn rfc9068_5_a_foreign_token_of_a_user_who_is_named_like_the_client_becomes_no_session() {
    let house = House::new();
    let sessions = house.with_keys(RefreshKeys::new(1, [1; 32]).unwrap()).foreign_tokens(OldSystem::default()).unwrap();
    let policy = RefreshPolicy::new();
    let refused = sessions.refresh("old-web", "web", &policy).await.unwrap_err();
    assert!(matches!(refused, RefreshError::LogIn(_)), "{refused:?}");
    assert!(house.store.dump().is_empty());
    assert!(sessions.refresh("old-web2", "web", &policy).await.is_ok());
}
