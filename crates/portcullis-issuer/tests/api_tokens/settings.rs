//! What a service of API tokens is made of, and what beside.

use std::time::Duration;

use portcullis_core::{
    Admission, Algorithm, Code, JwtAuthenticator, KeySet, Principal, authenticator::Dispatch, policy::TokenSpec,
};
use portcullis_issuer::{
    AccessToken, SigningKey, TokenIssuer,
    api_tokens::{
        ApiTokenError, ApiTokenFormat, ApiTokenKind, ApiTokens, ApiTokensBuilder, Grant, NewApiToken, Owner, Peppers,
    },
};

use crate::house::{DAY, House, ISSUER, Log, Users, Watched, code, format, peppers, secs, service_account};

fn builder(house: &House, issuer: &str) -> ApiTokensBuilder<Watched, Users, Log> {
    ApiTokens::builder(issuer, format(), peppers(), house.store.clone())
        .memberships(house.users.clone())
        .revoker(house.log.clone())
        .clock(house.clock.clone())
}

#[test]
fn a_service_that_could_not_work_as_it_says_is_refused() {
    let house = House::new();
    let usual = || builder(&house, ISSUER);
    let grace = |days: u32| usual().grace_after_expiry(ApiTokenKind::ServiceAccount, days * DAY);
    for wrong in [
        builder(&house, ""),
        builder(&house, " https://id.test"),
        usual().environment(""),
        usual().default_lifetime(Duration::ZERO),
        usual().default_lifetime(367 * DAY),
        usual().longest_lifetime(3_661 * DAY),
        grace(31),
        usual().limit_per_owner(0),
        usual().limit_at_once(0),
    ] {
        assert!(wrong.build().is_err());
    }
    for right in [
        usual(),
        usual().longest_lifetime(3_660 * DAY).default_lifetime(367 * DAY),
        grace(30),
        usual().limit_per_owner(1).limit_at_once(1),
    ] {
        assert!(right.build().is_ok());
    }
    for wrong in [Peppers::new('_', [1; 32]), Peppers::new('1', [1; 31]), peppers().also_checks('1', [2; 32])] {
        assert!(wrong.is_err());
    }
    let many = "2345678".chars().try_fold(peppers(), |peppers, id| peppers.also_checks(id, [9; 32])).unwrap();
    assert!(many.also_checks('9', [9; 32]).is_err());
    assert!(ApiTokenFormat::new("acme").is_ok());
}

#[tokio::test]
async fn a_token_without_an_end_is_made_only_where_that_is_allowed() {
    let house = House::new();
    let error = house.tokens.create(service_account().unlimited()).await.unwrap_err();
    assert!(matches!(error, ApiTokenError::Invalid(_)), "{error}");
    let allowing = builder(&house, ISSUER).allow_unlimited().build().unwrap();
    let created = allowing.create(service_account().unlimited()).await.unwrap();
    assert_eq!(created.token().until(), None);
    house.clock.advance(300 * DAY);
    let verified = house.verify(&created).await.unwrap();
    assert_eq!(verified.expires_at(), None);
    // One that is derived from it ends as others do.
    let child = house.child_of(&created).await;
    assert!(child.token().until().is_some());
}

/// The same routes, guards and identities, whichever credential came.
#[tokio::test]
async fn a_user_is_the_same_by_an_access_token_and_by_an_api_token() {
    let house = House::new();
    let service = "https://orders.test";
    let spec = TokenSpec::new(ISSUER).audience(service);
    let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let issuer = TokenIssuer::new(spec.clone(), key.clone()).unwrap().clock(house.clock.clone());
    let jwt = JwtAuthenticator::new(spec.trusted_at(service, KeySet::from(key.verifying_key())).unwrap()).unwrap();
    let dispatch = Dispatch::builder().prefix(format().beginning(), house.tokens.authenticator()).compact_jws(jwt);
    let admission = Admission::explainable(dispatch.build().unwrap()).clock(house.clock.clone());
    let admission = admission.revocations(house.log.view());
    let new = NewApiToken::new(ApiTokenKind::UserToPlatform, Owner::user("alice"), "laptop");
    let created = house.tokens.create(new.grant(Grant::scope("orders:read")).created_by("alice")).await.unwrap();
    let minted = issuer.mint(&AccessToken::for_user("alice", "web").scope("orders:read")).await.unwrap();
    let by_token = admission.verify(created.secret().expose()).outcome().await.unwrap();
    let by_jwt = admission.verify(minted.token()).outcome().await.unwrap();
    assert_eq!(by_token.identity(), by_jwt.identity());
    assert!(matches!(by_token.principal(), Principal::User(_)) && by_token.principal() == by_jwt.principal());
    assert!(by_token.has_scope("orders:read") && by_jwt.has_scope("orders:read"));
    assert_ne!(by_token.credential(), by_jwt.credential());
    // Cached, and looked up again after a change.
    let reads = house.store.reads();
    assert!(admission.verify(created.secret().expose()).outcome().await.is_ok());
    assert_eq!(house.store.reads(), reads);
    house.tokens.memberships_changed(&Owner::user("alice"));
    assert!(admission.verify(created.secret().expose()).outcome().await.is_ok());
    assert_eq!(house.store.reads(), reads + 1);
    house.clock.advance(secs(1));
    assert_eq!(code(&admission, "acne_u_1").await, Some(Code::CredentialKindUnknown));
}
