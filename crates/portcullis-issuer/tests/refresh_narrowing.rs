//! Clients that ask for less than their session allows, and for more.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use portcullis_issuer::refresh::{Exceeds, LogIn, Narrowing, RefreshError, RefreshPolicy, Tokens};
use serde_json::json;
use support::{House, SERVICE, claims, secs};

async fn log_in(house: &House) -> Tokens {
    let log_in = LogIn::new("alice", "web").scope("orders:read orders:write").audience(SERVICE);
    house.sessions.log_in(log_in, &RefreshPolicy::new()).await.unwrap()
}

async fn refresh(house: &House, tokens: &Tokens, narrowing: Narrowing) -> Result<Tokens, RefreshError> {
    house.confirm();
    let policy = RefreshPolicy::new();
    house.sessions.refresh_narrowed(tokens.refresh_token(), "web", &policy, narrowing).await
}

#[tokio::test]
async fn pitfall_13_a_narrower_scope_is_for_one_access_token() {
    let house = House::new();
    let first = log_in(&house).await;
    assert_eq!(first.access().scope(), Some("orders:read orders:write"));
    let narrow = refresh(&house, &first, Narrowing::new().scope("orders:read")).await.unwrap();
    assert_eq!(
        (narrow.access().scope(), claims(&narrow)["scope"].clone()),
        (Some("orders:read"), json!("orders:read"))
    );
    let whole = refresh(&house, &narrow, Narrowing::new()).await.unwrap();
    assert_eq!(whole.access().scope(), Some("orders:read orders:write"));
}

#[tokio::test]
async fn pitfall_13_more_than_the_session_has_is_refused_and_uses_nothing() {
    let house = House::new();
    let first = log_in(&house).await;
    let before = house.store.dump();
    let more = refresh(&house, &first, Narrowing::new().scope("orders:read admin")).await.unwrap_err();
    assert!(matches!(more, RefreshError::Exceeds(Exceeds::Scope)), "{more}");
    let elsewhere = refresh(&house, &first, Narrowing::new().audience("https://bills.test")).await.unwrap_err();
    assert!(matches!(elsewhere, RefreshError::Exceeds(Exceeds::Audience)), "{elsewhere}");
    assert_eq!(house.store.dump(), before, "a refused request has changed the session");
    assert!(refresh(&house, &first, Narrowing::new().audience(SERVICE)).await.is_ok());
}

#[tokio::test]
async fn a_shorter_access_token_can_be_asked_for_and_a_longer_one_is_not_given() {
    let house = House::new();
    let first = log_in(&house).await;
    let short = refresh(&house, &first, Narrowing::new().lifetime(secs(30))).await.unwrap();
    assert_eq!(short.access().expires_in(), 30);
    let long = refresh(&house, &short, Narrowing::new().lifetime(secs(3600))).await.unwrap();
    assert_eq!(long.access().expires_in(), 600);
}
