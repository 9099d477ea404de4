//! Logging out everywhere spares API tokens, unless asked.

use std::sync::atomic::Ordering;

use portcullis_core::{Algorithm, Code, policy::TokenSpec};
use portcullis_issuer::{
    SigningKey, TokenIssuer,
    api_tokens::{ApiTokenKind, Grant, NewApiToken, Owner, RevokedReason},
    refresh::{DangerUncheckedSubjects, LogIn, MemoryRefreshStore, RefreshKeys, RefreshPolicy, Sessions},
};

use crate::house::{House, ISSUER, acme, code, secs};

#[tokio::test]
async fn logging_out_everywhere_spares_api_tokens_unless_asked() {
    let house = House::new();
    let spec = TokenSpec::new(ISSUER).audience("https://orders.test");
    let issuer = TokenIssuer::new(spec, SigningKey::generate(Algorithm::EdDsa).unwrap()).unwrap();
    let issuer = issuer.clock(house.clock.clone());
    let (store, keys) = (MemoryRefreshStore::with_clock(house.clock.clone()), RefreshKeys::new(1, [1; 32]).unwrap());
    let sessions = Sessions::new(issuer, store, keys, house.log.clone(), DangerUncheckedSubjects);
    let new = |owner| {
        let kind =
            if owner == Owner::user("alice") { ApiTokenKind::UserToPlatform } else { ApiTokenKind::ServiceAccount };
        NewApiToken::new(kind, owner, "laptop").grant(Grant::scope("orders:read")).created_by("alice")
    };
    let of_alice = house.tokens.create(new(Owner::user("alice"))).await.unwrap();
    let of_acme = house.tokens.create(new(crate::house::acme())).await.unwrap();
    let policy = RefreshPolicy::new();
    let log_in = || LogIn::new("alice", "web");
    sessions.log_in(log_in(), &policy).await.unwrap();
    sessions.log_out_everywhere("alice").await.unwrap();
    assert!(sessions.sessions_of("alice").await.unwrap().is_empty());
    assert_eq!(house.code(&of_alice).await, None);
    house.clock.advance(crate::house::secs(2));
    sessions.log_in(log_in(), &policy).await.unwrap();
    sessions.log_out_everywhere_including_api_tokens("alice", &house.tokens).await.unwrap();
    assert!(sessions.sessions_of("alice").await.unwrap().is_empty());
    assert_eq!((house.code(&of_alice).await, house.code(&of_acme).await), (Some(Code::TokenRevoked), None));
}

#[tokio::test]
async fn a_log_out_everywhere_names_roots_alone_in_the_log() {
    let house = House::new();
    let (root, other) = (house.service_account().await, house.service_account().await);
    let child = house.child_of(&root).await;
    let grandchild = house.child_of(&child).await;
    let (_, elsewhere) = house.other_instance();
    let all = [&root, &other, &child, &grandchild];
    for created in all {
        assert_eq!(code(&elsewhere, created.secret().expose()).await, None);
    }
    let entries = || house.log.entries.load(Ordering::SeqCst);
    let before = entries();
    assert_eq!(house.tokens.revoke_all_of(&acme(), RevokedReason::LoggedOutEverywhere).await.unwrap(), 4);
    assert_eq!(entries() - before, 2);
    for created in all {
        let is_root = created.token().ancestors().is_empty();
        let expected = if is_root { Code::TokenRevoked } else { Code::CredentialRevokedByParent };
        assert_eq!(code(&elsewhere, created.secret().expose()).await, Some(expected), "{created:?}");
    }
    // One whose parent is no longer named is named itself.
    let parent = house.service_account().await;
    let child = house.child_of(&parent).await;
    house.tokens.revoke(parent.token().id(), RevokedReason::Asked).await.unwrap();
    house.clock.advance(secs(3_600));
    let before = entries();
    assert_eq!(house.tokens.revoke_all_of(&acme(), RevokedReason::LoggedOutEverywhere).await.unwrap(), 1);
    assert_eq!(entries() - before, 1);
    assert!(house.code(&child).await.is_some());
}
