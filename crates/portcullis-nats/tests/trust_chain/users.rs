//! Who is let in, and as whom.

use std::time::Duration;

use portcullis_core::{Admission, Code, policy::Leeway, verified::CredentialKind};
use portcullis_nats::{
    TrustChain,
    accounts::{AccountResolver, MemoryAccounts, ResolverError},
    chain::{Policy, V1},
    nkey::{AccountKey, Role},
};
use portcullis_test::FixedClock;
use serde_json::json;

use crate::{
    Service, code, proofs, secs,
    world::{NOW, account_token, key, merged, sign, user_token, user_token_at, usual},
};

#[tokio::test]
async fn a_user_with_a_proof_is_let_in_as_one_of_the_account() {
    let service = Service::new();
    let user = service.admit_fresh(&service.world.usual_user()).await.unwrap();
    let (account, key) = (service.world.account_id(), service.world.user.public_key());
    assert_eq!(user.issuer(), format!("nats:{account}"));
    assert_eq!(user.subject(), Some(key.as_str()));
    assert_eq!(user.token_id().unwrap(), format!("{key}.{NOW}"));
    assert_eq!((user.credential(), user.expires_at()), (CredentialKind::NatsUser, None));
    assert_eq!(user.claim("/nats/account_name").unwrap().as_str(), Some("acme"));
    assert_eq!(user.claim("/nats/permissions/pub/allow/0").unwrap().as_str(), Some("orders.>"));
    assert_eq!(user.claim("/nats/permissions/pub/deny/0").unwrap().as_str(), Some("orders.secret"));
    assert_eq!(user.claim("/nats/permissions/sub/allow/0").unwrap().as_str(), Some("events.*"));
}

#[tokio::test]
async fn a_signing_key_does_not_change_who_a_user_is() {
    let service = Service::new();
    let signing = key(Role::Account);
    let account = service.world.account_token(json!({"signing_keys": [signing.public_key().as_str()]}));
    service.accounts.insert(service.world.account_id(), account);
    let own = service.admit_fresh(&service.world.usual_user()).await.unwrap();
    let claims = crate::world::merged(usual(), json!({"issuer_account": service.world.account_id().as_str()}));
    let token = user_token(&signing, service.world.user.public_key(), claims);
    let signed = service.admit_fresh(&token).await.unwrap();
    assert_eq!(signed.identity(), own.identity());
    assert_eq!(signed.key_id(), Some(signing.public_key().as_str()));
    let stranger = user_token(
        &key(Role::Account),
        service.world.user.public_key(),
        json!({"issuer_account": service.world.account_id().as_str()}),
    );
    assert_eq!(code(service.admit_fresh(&stranger).await), Code::IssuerNotTrusted);
}

#[tokio::test]
async fn an_account_of_another_operator_is_refused() {
    let service = Service::new();
    let other = key(Role::Operator);
    let forged = account_token(&other, service.world.account.public_key(), NOW, json!({}));
    service.accounts.insert(service.world.account_id(), forged);
    assert_eq!(code(service.admit_fresh(&service.world.usual_user()).await), Code::IssuerNotTrusted);
}

#[tokio::test]
async fn an_unknown_account_is_refused() {
    let service = Service::new();
    service.accounts.remove(&service.world.account_id());
    assert_eq!(code(service.admit_fresh(&service.world.usual_user()).await), Code::IssuerNotTrusted);
}

#[tokio::test]
async fn a_user_without_permissions_is_refused_unless_the_policy_says_otherwise() {
    let token = |service: &Service| service.world.user_token(json!({}));
    let strict = Service::new();
    assert_eq!(code(strict.admit_fresh(&token(&strict)).await), Code::IssuerNotTrusted);
    let open = Service::with(Policy::new().danger_unrestricted_users());
    let user = open.admit_fresh(&token(&open)).await.unwrap();
    assert_eq!(user.claim("/nats/permissions/pub/allow/0").unwrap().as_str(), Some(">"));
}

#[tokio::test]
async fn a_token_that_needs_no_proof_is_let_in_only_if_the_policy_accepts_that() {
    let claims = crate::world::merged(usual(), json!({"bearer_token": true}));
    let open = Service::with(Policy::new().danger_bearer_tokens());
    assert!(open.bearer(&open.world.user_token(claims.clone())).await.is_ok());
    assert_eq!(code(open.bearer(&open.world.usual_user()).await), Code::ProofMissing, "this one needs a proof");
    let strict = Service::new();
    let token = strict.world.user_token(claims);
    assert_eq!(code(strict.bearer(&token).await), Code::CredentialKindUnknown);
    assert_eq!(
        code(strict.admit_fresh(&token).await),
        Code::ProofMissing,
        "the account's owner wanted no proof, and we want one"
    );
}

#[tokio::test]
async fn a_user_of_an_account_that_disallows_it_needs_a_proof() {
    let open = Service::with(Policy::new().danger_bearer_tokens());
    let limits = json!({"limits": {"conn": -1, "subs": -1, "imports": -1, "exports": -1, "disallow_bearer": true}});
    open.accounts.insert(open.world.account_id(), open.world.account_token(limits));
    let token = open.world.user_token(crate::world::merged(usual(), json!({"bearer_token": true})));
    assert_eq!(code(open.bearer(&token).await), Code::ProofMissing);
}

#[tokio::test]
async fn a_token_of_another_kind_is_no_user() {
    let service = Service::new();
    let account = service.world.account_token(json!({}));
    assert_eq!(code(service.admit_fresh(&account).await), Code::TypeNotAccepted);
    let self_signed = sign(
        &service.world.user,
        service.world.user.public_key(),
        json!({"iat": 1, "nats": {"type": "user", "version": 2}}),
    );
    assert_eq!(code(service.admit_fresh(&self_signed).await), Code::IssuerNotTrusted);
}

#[tokio::test]
async fn tokens_of_version_1_can_be_refused_and_have_one_text() {
    let service = Service::new();
    let token =
        |header: &str| crate::world::sign_v1(&service.world.account, service.world.user.public_key(), header, usual());
    for header in [r#"{"typ":"jwt","alg":"ed25519"}"#, r#"{"typ":"JWT","alg":"ed25519"}"#] {
        assert!(service.admit_fresh(&token(header)).await.is_ok(), "{header}");
    }
    for header in [
        r#"{"typ":"jwt","alg":"ed25519","x":1}"#,
        r#"{"alg":"ed25519","typ":"jwt"}"#,
        r#"{"typ":"jwt", "alg":"ed25519"}"#,
    ] {
        assert_eq!(code(service.admit_fresh(&token(header)).await), Code::HeaderMalformed, "{header}");
    }
    let strict = Service::with(Policy::new().v1(V1::Refuse));
    let old = crate::world::sign_v1(
        &strict.world.account,
        strict.world.user.public_key(),
        r#"{"typ":"jwt","alg":"ed25519"}"#,
        usual(),
    );
    assert_eq!(code(strict.admit_fresh(&old).await), Code::ClaimsMalformed);
    assert!(strict.admit_fresh(&strict.world.usual_user()).await.is_ok());
}

#[tokio::test]
async fn a_user_who_may_have_no_subscriptions_is_refused_as_by_a_server() {
    let service = Service::new();
    for subs in [json!(0), json!(null)] {
        let mut claims = usual();
        claims["subs"] = subs.clone();
        let token = service.world.user_token(claims);
        assert_eq!(code(service.admit_fresh(&token).await), Code::IssuerNotTrusted, "{subs}");
    }
    let token = service.world.user_token(crate::world::merged(usual(), json!({"subs": 1})));
    assert_eq!(service.admit_fresh(&token).await.unwrap().claim("/nats/subscriptions").unwrap().as_u64(), Some(1));
}

#[tokio::test]
async fn a_user_is_let_in_until_the_token_or_the_account_expires() {
    let service = Service::new();
    let world = &service.world;
    let end = NOW.plus(secs(100)).as_secs();
    let nats = merged(json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1}), usual());
    let token = sign(&world.account, world.user.public_key(), json!({"iat": NOW.as_secs(), "exp": end, "nats": nats}));
    let user = service.admit_fresh(&token).await.unwrap();
    assert_eq!(user.expires_at().unwrap().as_secs(), end);
    service.clock.advance(secs(99));
    assert!(service.admit_fresh(&token).await.is_ok());
    service.clock.advance(secs(1));
    assert_eq!(code(service.admit_fresh(&token).await), Code::TokenExpired);
}

#[tokio::test]
async fn issued_at_leeway_limits_how_far_iat_may_be_ahead() {
    let service = Service::with(Policy::new().issued_at_leeway(Leeway::from_secs(10).unwrap()));
    let world = &service.world;
    let ahead = |ahead| user_token_at(&world.account, world.user.public_key(), NOW.plus(secs(ahead)), usual());
    assert!(service.admit_fresh(&ahead(10)).await.is_ok());
    assert_eq!(code(service.admit_fresh(&ahead(11)).await), Code::TokenIssuedInFuture);
}

#[tokio::test]
async fn a_scope_whose_placeholder_has_blanks_is_read_as_by_a_server() {
    let service = Service::new();
    let world = &service.world;
    let signing = key(Role::Account);
    let scope = json!({"kind": "user_scope", "key": signing.public_key().as_str(), "role": "own", "template": {"pub": {"allow": ["own.{{ name() }}.>"]}}});
    service.accounts.insert(world.account_id(), world.account_token(json!({"signing_keys": [scope]})));
    let nats = json!({"type": "user", "version": 2, "issuer_account": world.account_id().as_str()});
    let token = sign(&signing, world.user.public_key(), json!({"iat": NOW.as_secs(), "name": "alice", "nats": nats}));
    let user = service.admit_fresh(&token).await.unwrap();
    assert_eq!(user.claim("/nats/permissions/pub/allow/0").unwrap().as_str(), Some("own.alice.>"));
    assert_eq!(user.claim("/nats/scope_role").unwrap().as_str(), Some("own"));
}

/// A resolver that takes this long, by the service's clock.
#[derive(Clone, Debug)]
struct Late {
    accounts: MemoryAccounts,
    clock: FixedClock,
    takes: Duration,
}

impl AccountResolver for Late {
    async fn fetch(&self, id: &AccountKey) -> Result<Option<String>, ResolverError> {
        tokio::task::yield_now().await;
        self.clock.advance(self.takes);
        self.accounts.fetch(id).await
    }
}

#[tokio::test]
async fn a_user_whose_token_expires_while_the_account_is_looked_up_is_refused() {
    for (takes, expected) in [(9, None), (10, Some(Code::TokenExpired))] {
        let service = Service::new();
        let resolver = Late { accounts: service.accounts.clone(), clock: service.clock.clone(), takes: secs(takes) };
        let chain = TrustChain::builder()
            .operator_key(service.world.operator_key())
            .resolver(resolver)
            .policy(Policy::new().leeway(Leeway::NONE))
            .proofs(proofs(&service.nonces))
            .tenant_per_account()
            .build()
            .unwrap();
        let service = Service { admission: Admission::new(chain).clock(service.clock.clone()), ..service };
        let nats = merged(json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1}), usual());
        let claims = json!({"iat": NOW.as_secs(), "exp": NOW.as_secs() + 10, "nats": nats});
        let token = sign(&service.world.account, service.world.user.public_key(), claims);
        assert_eq!(service.admit_fresh(&token).await.err().map(|error| error.code()), expected, "{takes}");
    }
}

/// Each request would carry them.
#[tokio::test]
async fn default_permissions_are_bounded() {
    for (count, expected) in [(4096, None), (4097, Some(Code::ClaimsMalformed))] {
        let service = Service::new();
        let allow = vec!["a"; count];
        let account = service.world.account_token(json!({"default_permissions": {"pub": {"allow": allow}}}));
        service.accounts.insert(service.world.account_id(), account);
        let token = service.world.user_token(json!({}));
        assert_eq!(service.admit_fresh(&token).await.err().map(|error| error.code()), expected, "{count}");
    }
}
