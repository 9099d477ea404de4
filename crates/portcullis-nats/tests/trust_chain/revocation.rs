//! What ends a user before the token's time.

use portcullis_core::Code;
use serde_json::json;

use crate::{
    Service, code, secs,
    world::{NOW, account_token, key, user_token, user_token_at, usual},
};

#[tokio::test]
async fn pitfall_8_an_account_that_revokes_a_user_ends_it_with_the_next_request() {
    let service = Service::new();
    let world = &service.world;
    let token = world.usual_user();
    let other_key = key(portcullis_nats::nkey::Role::User);
    let other = user_token(&world.account, other_key.public_key(), usual());
    let other_request =
        || crate::world::TestRequest::new("GET", "/").proven(&other_key, &other, &service.nonce(), service.now());
    assert!(service.admit_fresh(&token).await.is_ok());
    let before = service.admit(&other, &other_request()).await.unwrap();

    let revocations = json!({"revocations": {world.user.public_key().as_str(): NOW.as_secs()}});
    let later = NOW.plus(secs(1));
    let account = account_token(&world.operator, world.account.public_key(), later, revocations);
    service.chain.insert(&account, later).await.unwrap();
    assert_eq!(code(service.admit_fresh(&token).await), Code::TokenRevoked);
    let after = service.admit(&other, &other_request()).await.unwrap();
    assert_eq!(after.identity(), before.identity());

    let reissued = user_token_at(&world.account, world.user.public_key(), NOW.plus(secs(1)), usual());
    assert!(service.admit_fresh(&reissued).await.is_ok(), "a token that was issued later is good again");
}

#[tokio::test]
async fn pitfall_8_a_signing_key_that_is_removed_ends_its_users() {
    let service = Service::new();
    let world = &service.world;
    let signing = key(portcullis_nats::nkey::Role::Account);
    let with_key = world.account_token(json!({"signing_keys": [signing.public_key().as_str()]}));
    service.accounts.insert(world.account_id(), with_key);
    let claims = crate::world::merged(usual(), json!({"issuer_account": world.account_id().as_str()}));
    let token = user_token(&signing, world.user.public_key(), claims);
    assert!(service.admit_fresh(&token).await.is_ok());
    let later = NOW.plus(secs(1));
    service
        .chain
        .insert(&account_token(&world.operator, world.account.public_key(), later, json!({})), later)
        .await
        .unwrap();
    assert_eq!(code(service.admit_fresh(&token).await), Code::IssuerNotTrusted);
    assert!(service.admit_fresh(&world.usual_user()).await.is_ok(), "the account's own key still signs");
}

#[tokio::test]
async fn an_account_that_its_resolver_replaces_is_noticed_after_a_minute() {
    let service = Service::new();
    let world = &service.world;
    let token = world.usual_user();
    assert!(service.admit_fresh(&token).await.is_ok());
    let revocations = json!({"revocations": {"*": NOW.as_secs()}});
    service.accounts.insert(
        world.account_id(),
        account_token(&world.operator, world.account.public_key(), NOW.plus(secs(1)), revocations),
    );
    service.clock.advance(secs(61));
    let mut outcomes = Vec::new();
    for _ in 0..50 {
        outcomes.push(service.admit_fresh(&token).await.err().map(|error| error.code()));
        tokio::task::yield_now().await;
    }
    assert_eq!(outcomes.last().unwrap(), &Some(Code::TokenRevoked), "{outcomes:?}");
}

#[tokio::test]
async fn an_older_account_is_not_taken() {
    let service = Service::new();
    let world = &service.world;
    let token = world.usual_user();
    assert!(service.admit_fresh(&token).await.is_ok());
    let older = account_token(&world.operator, world.account.public_key(), NOW.minus(secs(1)), json!({}));
    assert!(service.chain.insert(&older, NOW).await.is_err());
}
