//! How many live tokens an owner may have.

use portcullis_core::UnixTime;
use portcullis_issuer::api_tokens::{
    ApiTokenDigest, ApiTokenError, ApiTokenId, ApiTokenKind, ApiTokenRow, ApiTokenStore, ForeignDigest, Grant,
    Inserted, NewApiToken, Owner, RevokedReason, Rotation,
};
use tokio::task::JoinSet;

use crate::house::{DAY, House, Service, T, acme, service_account};

/// A service of the house in which an owner may have as many.
fn with_limit(house: &House, limit: usize) -> Service {
    house.builder().limit_per_owner(limit).build().unwrap()
}

fn of(owner: Owner) -> NewApiToken {
    let kind = match owner {
        Owner::User(_) => ApiTokenKind::UserToPlatform,
        _ => ApiTokenKind::ServiceAccount,
    };
    NewApiToken::new(kind, owner, "x").grant(Grant::scope("orders:read")).created_by("alice")
}

#[track_caller]
fn is_full<T: std::fmt::Debug>(outcome: Result<T, ApiTokenError>, expected: (usize, usize)) {
    match outcome {
        Err(ApiTokenError::TooMany { live, limit }) => assert_eq!((live, limit), expected),
        other => panic!("not refused, but {other:?}"),
    }
}

#[tokio::test]
async fn one_token_too_many_is_refused_and_the_error_says_what_to_do() {
    let house = House::new();
    let tokens = with_limit(&house, 2);
    let first = tokens.create(service_account()).await.unwrap();
    tokens.create(service_account()).await.unwrap();
    let error = tokens.create(service_account()).await.unwrap_err();
    assert_eq!(error.code(), "too_many");
    let text = error.to_string();
    assert!(text.contains("2 live") && text.contains("may have 2") && text.contains("revoke"), "{text}");
    assert_eq!(tokens.list(&acme()).await.unwrap().tokens.len(), 2, "a token that was refused was stored");
    // Another owner has room of its own, also one of the same id.
    tokens.create(of(Owner::user("acme"))).await.unwrap();
    tokens.create(of(Owner::organisation("other"))).await.unwrap();
    // One that was revoked makes room.
    tokens.revoke(first.token().id(), RevokedReason::Asked).await.unwrap();
    tokens.create(service_account()).await.unwrap();
    is_full(tokens.create(service_account()).await, (2, 2));
    // So do those that have expired.
    house.clock.advance(91 * DAY);
    tokens.create(service_account()).await.unwrap();
}

#[tokio::test]
async fn derived_and_imported_tokens_count() {
    let house = House::new();
    let tokens = with_limit(&house, 2);
    let parent = tokens.create(service_account()).await.unwrap();
    let imported = || {
        let new = NewApiToken::new(ApiTokenKind::Imported, acme(), "old");
        new.grant(Grant::scope("orders:read")).created_by("alice")
    };
    let digest = |digit: &str| ForeignDigest::sha256_hex(&digit.repeat(64)).unwrap();
    tokens.import(imported(), digest("a"), "").await.unwrap();
    is_full(tokens.derive(parent.token().id(), of(acme())).await, (2, 2));
    is_full(tokens.import(imported(), digest("b"), "").await, (2, 2));
    // Nearly the same, with a higher limit.
    let tokens = with_limit(&house, 4);
    tokens.derive(parent.token().id(), of(acme())).await.unwrap();
    tokens.import(imported(), digest("b"), "").await.unwrap();
    // A limit that was lowered ends nothing.
    is_full(with_limit(&house, 1).create(service_account()).await, (4, 1));
    assert_eq!(house.code(&parent).await, None);
}

#[tokio::test]
async fn a_rotation_is_never_one_too_many() {
    let house = House::new();
    let tokens = with_limit(&house, 1);
    let first = tokens.create(service_account()).await.unwrap();
    let second = tokens.rotate(first.token().id(), Rotation::new([1; 16])).await.unwrap();
    // Both are live, until the overlap is over.
    is_full(tokens.create(service_account()).await, (2, 1));
    house.clock.advance(2 * DAY);
    is_full(tokens.create(service_account()).await, (1, 1));
    tokens.rotate(second.token().id(), Rotation::new([2; 16])).await.unwrap();
}

/// Makes a token at each of these services for this owner, all at once. Returns how many were made.
async fn made_at_once<'a>(calls: impl Iterator<Item = (&'a Service, Owner)>) -> usize {
    let mut callers = JoinSet::new();
    for (tokens, owner) in calls {
        let tokens = tokens.clone();
        callers.spawn(async move { tokens.create(of(owner)).await.is_ok() });
    }
    callers.join_all().await.into_iter().filter(|is_made| *is_made).count()
}

#[tokio::test]
async fn of_many_that_are_made_at_once_as_many_succeed_as_there_is_room_for() {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..50 {
        let house = House::new();
        *house.store.pace.lock().unwrap() = Some(fastrand::Rng::with_seed(random.u64(..)));
        let (one, other) = (with_limit(&house, 3), with_limit(&house, 3));
        assert_eq!(made_at_once((0..12).map(|_| (&one, acme()))).await, 3);
        // Two instances do not wait for each other: each may add one too many.
        let bob = || Owner::user("bob");
        let made = made_at_once((0..12).map(|number| (if number % 2 == 0 { &one } else { &other }, bob()))).await;
        assert!((3..=4).contains(&made), "{made}");
        is_full(one.create(of(bob())).await, (made, 3));
    }
}

#[tokio::test]
async fn an_owner_may_have_a_thousand_tokens_unless_it_is_set_otherwise() {
    let house = House::new();
    let until = T.plus(DAY).as_secs() * 1000;
    for number in 0..999_u16 {
        let mut id = [9; 16];
        id[..2].copy_from_slice(&number.to_be_bytes());
        let mut digest = [0; 32];
        digest[..16].copy_from_slice(&id);
        let (id, digest) = (ApiTokenId::from_bytes(id), ApiTokenDigest::from_bytes(digest));
        let mut row = ApiTokenRow::new(id, digest, ApiTokenKind::ServiceAccount, acme());
        row.until = Some(portcullis_issuer::refresh::Millis::new(until));
        assert_eq!(house.store.insert(&row).await.unwrap(), Inserted::New);
    }
    house.tokens.create(service_account()).await.unwrap();
    is_full(house.tokens.create(service_account()).await, (1_000, 1_000));
    with_limit(&house, 1_001).create(service_account()).await.unwrap();
    with_limit(&house, usize::MAX).create(service_account()).await.unwrap();
    house.clock.set(UnixTime::from_secs(until / 1000));
    house.tokens.create(service_account()).await.unwrap();
}

/// Undecided is never yes.
#[tokio::test]
async fn while_the_store_is_down_no_token_is_made() {
    let house = House::new();
    let tokens = with_limit(&house, 2);
    house.store.down(true);
    let error = tokens.create(service_account()).await.unwrap_err();
    assert!(matches!(error, ApiTokenError::Unavailable(_)), "{error:?}");
    house.store.down(false);
    tokens.create(service_account()).await.unwrap();
}
