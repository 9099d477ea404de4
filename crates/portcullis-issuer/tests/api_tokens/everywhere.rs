//! Logging out everywhere spares API tokens, unless asked.

use portcullis_core::{Algorithm, Code, policy::TokenSpec};
use portcullis_issuer::{
    SigningKey, TokenIssuer,
    api_tokens::{ApiTokenKind, Grant, NewApiToken, Owner},
    refresh::{DangerUncheckedSubjects, LogIn, MemoryRefreshStore, RefreshKeys, RefreshPolicy, Sessions},
};

use crate::house::{House, ISSUER};

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
