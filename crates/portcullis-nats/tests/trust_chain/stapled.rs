//! Callers that bring their account's token along.

use portcullis_core::{
    Admission, AuthError, Code, Verified,
    authenticator::{Presented, Scheme},
};
use portcullis_nats::{
    TrustChain,
    nkey::{KeyPair, Role},
    proof::{Freshness, ProofVerifier},
};
use portcullis_test::FixedClock;
use serde_json::json;

use crate::{
    code, secs,
    world::{NOW, ORIGIN, TestRequest, World, account_token, key, user_token, usual},
};

struct Stapling {
    world: World,
    admission: Admission,
}

impl Stapling {
    fn new() -> Self {
        let world = World::new();
        let chain = TrustChain::builder()
            .operator_key(world.operator_key())
            .stapled(secs(3600))
            .proofs(ProofVerifier::new(ORIGIN).unwrap().freshness(Freshness::DangerTimeOnly { clock_error: secs(30) }))
            .tenant_per_account()
            .build()
            .unwrap();
        Self { world, admission: Admission::new(chain).clock(FixedClock::at(NOW)) }
    }

    async fn admit(&self, staple: Option<&str>) -> Result<Verified, AuthError> {
        self.admit_user(&self.world.user, staple).await
    }

    async fn admit_user(&self, user: &KeyPair, staple: Option<&str>) -> Result<Verified, AuthError> {
        let token = user_token(&self.world.account, user.public_key(), usual());
        let mut request = TestRequest::new("GET", "/").proven(user, &token, "", NOW);
        if let Some(staple) = staple {
            request = request.with("Nats-Account", staple);
        }
        let presented =
            Presented::bearer(token.as_bytes()).with_scheme(Scheme::Other("NatsUser")).with_request(&request);
        self.admission.admit(presented).outcome().await
    }
}

#[tokio::test]
async fn a_service_without_a_resolver_lets_in_who_brings_the_account_along() {
    let service = Stapling::new();
    assert_eq!(code(service.admit(None).await), Code::IssuerNotTrusted);
    let account = service.world.account_token(json!({}));
    assert!(service.admit(Some(&account)).await.is_ok());
    assert!(service.admit(None).await.is_ok(), "it is known now");
}

#[tokio::test]
async fn an_account_that_is_old_or_anothers_or_signed_by_another_is_refused() {
    let service = Stapling::new();
    let world = &service.world;
    let at = |age: u64| account_token(&world.operator, world.account.public_key(), NOW.minus(secs(age)), json!({}));
    assert!(service.admit(Some(&at(3600))).await.is_err());
    let forged = account_token(&key(Role::Operator), world.account.public_key(), NOW, json!({}));
    assert_eq!(code(service.admit(Some(&forged)).await), Code::IssuerNotTrusted);
    let of_another = account_token(&world.operator, key(Role::Account).public_key(), NOW, json!({}));
    assert_eq!(code(service.admit(Some(&of_another)).await), Code::IssuerNotTrusted);
    assert!(service.admit(Some(&at(3599))).await.is_ok());
}

#[tokio::test]
async fn who_brings_a_newer_account_wins_for_all() {
    let service = Stapling::new();
    let world = &service.world;
    let older = account_token(&world.operator, world.account.public_key(), NOW.minus(secs(10)), json!({}));
    assert!(service.admit(Some(&older)).await.is_ok());
    let revocations = json!({"revocations": {"*": NOW.as_secs()}});
    let newer = account_token(&world.operator, world.account.public_key(), NOW, revocations);
    assert_eq!(code(service.admit_user(&key(Role::User), Some(&newer)).await), Code::TokenRevoked);
    assert_eq!(code(service.admit(Some(&older)).await), Code::TokenRevoked, "the older one does not come back");
    assert_eq!(code(service.admit(None).await), Code::TokenRevoked);
}

#[tokio::test]
async fn an_account_of_the_same_second_is_not_replaced_by_what_a_caller_brings() {
    let service = Stapling::new();
    let world = &service.world;
    let signing = key(Role::Account);
    let with_key = world.account_token(json!({"signing_keys": [signing.public_key().as_str()]}));
    let without = world.account_token(json!({}));
    assert!(service.admit(Some(&without)).await.is_ok());
    let claims = crate::world::merged(usual(), json!({"issuer_account": world.account_id().as_str()}));
    let token = user_token(&signing, world.user.public_key(), claims);
    let request = TestRequest::new("GET", "/").proven(&world.user, &token, "", NOW).with("Nats-Account", with_key);
    let presented = Presented::bearer(token.as_bytes()).with_scheme(Scheme::Other("NatsUser")).with_request(&request);
    assert_eq!(code(service.admission.admit(presented).outcome().await), Code::IssuerNotTrusted);
}
