//! Which revocations end a token.

use portcullis_core::{
    Code,
    revocation::{Revocation, Revoker},
};
use portcullis_issuer::api_tokens::{ApiTokenKind, Grant, NewApiToken, Owner};

use crate::house::{House, ISSUER, secs};

#[tokio::test]
async fn a_token_ends_with_its_application_and_its_pepper_but_not_with_the_sessions_of_its_user() {
    let house = House::new();
    let new = |kind, owner| NewApiToken::new(kind, owner, "x").grant(Grant::scope("orders:read")).created_by("alice");
    let of_user = house.tokens.create(new(ApiTokenKind::UserToPlatform, Owner::user("alice"))).await.unwrap();
    let of_crm = house.tokens.create(new(ApiTokenKind::Application, Owner::application("crm"))).await.unwrap();
    let of_erp = house.tokens.create(new(ApiTokenKind::Application, Owner::application("erp"))).await.unwrap();
    let codes = || async { [house.code(&of_user).await, house.code(&of_crm).await, house.code(&of_erp).await] };
    assert_eq!(codes().await, [None; 3]);
    let now = crate::house::T.plus(secs(10));
    // Those that end the access tokens of a user, whose API tokens go on.
    let of_sessions = vec![Revocation::subject(ISSUER, "alice", now), Revocation::version(ISSUER, "alice", 7)];
    house.log.revoke_all(of_sessions).await.unwrap();
    assert_eq!(codes().await, [None; 3]);
    house.log.revoke_all(vec![Revocation::client(ISSUER, "crm", now)]).await.unwrap();
    assert_eq!(codes().await, [None, Some(Code::TokenRevoked), None]);
    // A signing key of the issuer is not a pepper.
    house.log.revoke_all(vec![Revocation::key(ISSUER, "1")]).await.unwrap();
    assert_eq!(codes().await, [None, Some(Code::TokenRevoked), None]);
    house.log.revoke_all(vec![Revocation::key(ISSUER, "pepper:1")]).await.unwrap();
    assert_eq!(codes().await, [Some(Code::TokenRevoked); 3]);
}
