//! Bugs that users of other issuers had to live with, each with a test whose name says what is right.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "key_ring/support.rs"]
mod ring;
mod support;

use std::{collections::HashSet, time::Duration};

use portcullis_core::{Algorithm, policy::TokenSpec};
use portcullis_issuer::{
    AccessToken, SigningKey, TokenIssuer,
    key_ring::{KeyRing, KeyRingErrorKind, MemorySigningKeys, RingKey, SealingKey},
    refresh::{LogIn, NotAccepted, RefreshError, RefreshPolicy},
};
use portcullis_test::FixedClock;
use support::{House, ISSUER, SERVICE, minutes, secs};
use tokio::task::JoinSet;

fn reason<T>(outcome: Result<T, RefreshError>) -> NotAccepted {
    match outcome.err() {
        Some(RefreshError::InvalidGrant(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

/// djangorestframework-simplejwt #985: tokens are said to be replaced, but the old ones stay valid, because nothing stores what was replaced.
#[tokio::test]
async fn field_bug_a_rotation_is_stored_and_is_never_a_no_op_without_a_store() {
    let house = House::new();
    let first = house.log_in().await;
    let second = house.refresh(&first).await.unwrap();
    assert_eq!(house.store.dump()[0].generation, 1, "it is stored");
    house.clock.advance(secs(61));
    let row = house.store.dump();
    house.store.restore(Vec::new());
    assert_eq!(
        reason(house.refresh(&second).await),
        NotAccepted::Unknown,
        "without a store, no token is valid by itself"
    );
    house.store.restore(row);
    assert!(house.refresh(&second).await.is_ok(), "it is, with its row");
    assert_eq!(reason(house.refresh(&first).await), NotAccepted::Reuse, "it was replaced");
}

/// supabase/auth: any earlier token is accepted while the last refresh is recent.
#[tokio::test]
async fn field_bug_the_grace_covers_the_parent_and_no_grandparent() {
    let house = House::new();
    let (strict, patient) = (RefreshPolicy::new().grace(Duration::ZERO), RefreshPolicy::new().grace(minutes(5)));
    let first = house.log_in().await;
    let second = house.refresh_by(&first, &strict).await.unwrap();
    let third = house.refresh_by(&second, &strict).await.unwrap();
    // In the same instant, by the longest grace.
    let parent = house.refresh_by(&second, &patient).await.unwrap();
    assert_eq!(parent.refresh_token(), third.refresh_token());
    assert_eq!(reason(house.refresh_by(&first, &patient).await), NotAccepted::Reuse);
}

/// ory/hydra #1831: within the grace, each call gets a token of its own, and all of them live.
#[tokio::test]
async fn field_bug_a_token_never_has_several_live_successors() {
    let house = House::new();
    let first = house.log_in().await;
    let (mut successors, mut current) = (HashSet::new(), None);
    for _ in 0..6 {
        let tokens = house.refresh(&first).await.unwrap();
        let again = house.refresh(&tokens).await.unwrap();
        successors.extend([tokens.refresh_token().to_owned(), again.refresh_token().to_owned()]);
        current = Some(again);
        house.clock.advance(secs(9));
    }
    assert_eq!(successors.len(), 1);
    assert_eq!(house.store.dump()[0].generation, 1, "it was replaced once");
    house.clock.advance(secs(9));
    let next = house.refresh(&current.unwrap()).await.unwrap();
    assert!(!successors.contains(next.refresh_token()), "after the grace it is replaced");
}

/// Ids from the time in seconds are equal for tokens of one second, so that one of them is refused as used, or both are revoked.
#[tokio::test]
async fn field_bug_ids_of_tokens_do_not_collide_within_a_second() {
    let spec = TokenSpec::new(ISSUER).audience(SERVICE);
    let key = SigningKey::generate_secret("s", Algorithm::Hs256).unwrap();
    let issuer = TokenIssuer::new(spec, key).unwrap().clock(FixedClock::default());
    let mut ids = HashSet::new();
    for _ in 0..1_000 {
        let minted = issuer.mint(&AccessToken::for_user("alice", "web")).await.unwrap();
        assert!(ids.insert(minted.token_id().to_owned()), "at the very same time");
    }
}

/// Duende Support #1241: each of three instances makes a key of its own, and signs with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn field_bug_three_instances_never_make_three_keys() {
    for round in 0..50 {
        let (store, clock) = (ring::Faulty::default(), FixedClock::default());
        let mut starting = JoinSet::new();
        for _ in 0..3 {
            starting.spawn(ring::builder(store.clone(), &clock).start());
        }
        let rings: Vec<_> = starting.join_all().await.into_iter().map(Result::unwrap).collect();
        let signing: HashSet<_> = rings.iter().map(ring::active).collect();
        assert_eq!(signing.len(), 1, "round {round}");
        let ids = |ring: &KeyRing| ring.document().keys().map(RingKey::id).map(str::to_owned).collect::<Vec<_>>();
        let all: HashSet<_> = rings.iter().flat_map(ids).collect();
        assert_eq!(all.len(), 2, "round {round}: one that signs, and one on standby");
    }
}

/// Duende #224: after a restart the keys cannot be decrypted, and new ones are made, so that every token is refused.
#[tokio::test]
async fn field_bug_keys_are_readable_after_a_restart_or_an_error_says_why() {
    let (store, clock) = (MemorySigningKeys::new(), FixedClock::default());
    let first = ring::start(store.clone(), &clock).await;
    let (signed_with, token) = (ring::active(&first), ring::mint(&ring::issuer(&first, &clock)).await);
    drop(first);
    let text = store.dump();
    // A new process has nothing but the text, and the sealing key of its configuration.
    let restored = MemorySigningKeys::new();
    restored.restore(text.as_deref());
    let again = ring::start(restored.clone(), &clock).await;
    assert_eq!(ring::active(&again), signed_with);
    assert!(ring::admission(again, &clock).verify(&token).outcome().await.is_ok());

    let other = SealingKey::new([8; 32]).unwrap();
    let other = KeyRing::builder(restored.clone(), ring::EDDSA, other).clock(clock.clone());
    assert_eq!(other.start().await.unwrap_err().kind(), KeyRingErrorKind::Sealing);
    assert_eq!(restored.dump(), text, "no new keys were made");
}

/// `PostHog` #46982, and defaults of 10 s elsewhere: HTTP clients give up after 30 s, and their retry comes after the grace.
#[tokio::test]
async fn field_bug_a_retry_after_30_seconds_logs_no_user_out() {
    let house = House::new();
    let first = house.log_in().await;
    let lost = house.refresh(&first).await.unwrap();
    house.clock.advance(secs(31));
    let retried = house.refresh(&first).await.unwrap();
    assert_eq!(retried.refresh_token(), lost.refresh_token());
    house.clock.advance(secs(30));
    assert!(house.refresh(&retried).await.is_ok(), "the session goes on");
    assert_eq!(reason(house.refresh(&first).await), NotAccepted::Reuse, "after more than 60 s it is no retry");
}

/// spring-authorization-server #2318: each refresh gives the session its full life again.
#[tokio::test]
async fn field_bug_no_refresh_resets_the_absolute_life() {
    let house = House::new();
    let policy = RefreshPolicy::new().idle(minutes(30)).absolute(minutes(60));
    let mut tokens = house.sessions.log_in(LogIn::new("alice", "web"), &policy).await.unwrap();
    let end = tokens.session().absolute_until;
    for _ in 0..59 {
        house.clock.advance(minutes(1));
        tokens = house.refresh_by(&tokens, &policy).await.unwrap();
        assert_eq!(tokens.session().absolute_until, end);
    }
    house.clock.advance(secs(59));
    assert!(house.refresh_by(&tokens, &policy).await.is_ok());
    house.clock.advance(secs(1));
    assert_eq!(reason(house.refresh_by(&tokens, &policy).await), NotAccepted::Expired);
}
