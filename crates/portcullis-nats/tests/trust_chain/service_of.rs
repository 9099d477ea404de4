//! A service of one account, used by others.
#![allow(clippy::needless_pass_by_value, reason = "so that a claim is written at the call")]

use portcullis_core::{
    Admission, Code, Verified,
    authenticator::{Presented, Scheme},
};
use portcullis_nats::{
    TrustChain,
    accounts::MemoryAccounts,
    nkey::{KeyPair, Role},
    proof::ProofVerifier,
};
use portcullis_test::FixedClock;
use serde_json::{Value, json};

use crate::{
    code,
    world::{NOW, ORIGIN, TestRequest, World, account_token, key, merged, sign, user_token},
};

struct Two {
    world: World,
    importer: KeyPair,
    accounts: MemoryAccounts,
    chain: TrustChain<MemoryAccounts>,
    admission: Admission,
}

impl Two {
    fn new(export: Value, import: Value) -> Self {
        let (world, importer, accounts) = (World::new(), key(Role::Account), MemoryAccounts::new());
        let chain = TrustChain::builder()
            .operator_key(world.operator_key())
            .resolver(accounts.clone())
            .proofs(
                ProofVerifier::new(ORIGIN)
                    .unwrap()
                    .freshness(portcullis_nats::proof::Freshness::DangerTimeOnly { clock_error: crate::secs(30) }),
            )
            .service_of(world.account_id())
            .build()
            .unwrap();
        let admission = Admission::new(chain.clone()).clock(FixedClock::at(NOW));
        let two = Self { world, importer, accounts, chain, admission };
        two.accounts.insert(two.world.account_id(), two.world.account_token(json!({"exports": [export]})));
        let import = merged(json!({"account": two.world.account_id().as_str()}), import);
        let token = account_token(&two.world.operator, two.importer.public_key(), NOW, json!({"imports": [import]}));
        two.accounts.insert(crate::world::id(&two.importer), token);
        two
    }

    async fn admit(&self, account: &KeyPair, claims: Value) -> Result<Verified, portcullis_core::AuthError> {
        let token = user_token(account, self.world.user.public_key(), claims);
        let request = TestRequest::new("GET", "/").proven(&self.world.user, &token, "", NOW);
        let presented =
            Presented::bearer(token.as_bytes()).with_scheme(Scheme::Other("NatsUser")).with_request(&request);
        self.admission.admit(presented).outcome().await
    }
}

fn list(user: &Verified, place: &str) -> Vec<String> {
    let claim = user.claim(place).unwrap();
    (0..)
        .map_while(|at| user.claim(&format!("{place}/{at}")))
        .map(|entry| entry.as_str().unwrap().to_owned())
        .inspect(|_| {
            let _ = &claim;
        })
        .collect()
}

fn may(publish: &[&str]) -> Value {
    json!({"pub": {"allow": publish, "deny": ["orders.secret", "shop.secret"]}})
}

#[tokio::test]
async fn users_of_the_account_itself_have_their_permissions() {
    let two =
        Two::new(json!({"subject": "orders.>", "type": "service"}), json!({"subject": "orders.>", "type": "service"}));
    let user = two.admit(&two.world.account, may(&["orders.*", "other.>"])).await.unwrap();
    assert_eq!(list(&user, "/nats/permissions/pub/allow"), ["orders.*", "other.>"]);
}

#[tokio::test]
async fn users_of_another_account_have_what_it_imports() {
    let two = Two::new(
        json!({"subject": "orders.>", "type": "service"}),
        json!({"subject": "orders.eu.>", "local_subject": "shop.>", "type": "service"}),
    );
    let user = two.admit(&two.importer, may(&["shop.*", "other.>"])).await.unwrap();
    assert_eq!(list(&user, "/nats/permissions/pub/allow"), ["orders.eu.*"]);
    assert_eq!(list(&user, "/nats/permissions/pub/deny"), ["orders.eu.secret"]);
    assert_eq!(user.issuer(), format!("nats:{}", two.importer.public_key()), "they are still users of their account");
    let user = two.admit(&two.importer, may(&["orders.>"])).await.unwrap();
    assert!(list(&user, "/nats/permissions/pub/allow").is_empty(), "that subject means something else at home");
}

#[tokio::test]
async fn references_reorder_wildcards() {
    let two = Two::new(
        json!({"subject": "orders.*.*", "type": "service"}),
        json!({"subject": "orders.*.*", "local_subject": "shop.$2.$1", "type": "service"}),
    );
    let user = two.admit(&two.importer, may(&["shop.a.*"])).await.unwrap();
    assert_eq!(list(&user, "/nats/permissions/pub/allow"), ["orders.*.a"]);
}

#[tokio::test]
async fn what_is_not_exported_or_not_imported_is_refused() {
    let import = || json!({"subject": "orders.eu", "type": "service"});
    let refused = [
        json!({"subject": "bills.>", "type": "service"}),
        json!({"subject": "orders.*", "type": "stream"}),
        json!({"subject": "orders.eu", "type": "service", "token_req": true}),
    ];
    for export in refused {
        let two = Two::new(export.clone(), import());
        assert_eq!(code(two.admit(&two.importer, may(&[">"])).await), Code::IssuerNotTrusted, "{export}");
    }
    let two = Two::new(json!({"subject": "orders.*", "type": "service"}), import());
    assert!(two.admit(&two.importer, may(&[">"])).await.is_ok());
    let stranger = key(Role::Account);
    two.accounts
        .insert(crate::world::id(&stranger), account_token(&two.world.operator, stranger.public_key(), NOW, json!({})));
    assert_eq!(code(two.admit(&stranger, may(&[">"])).await), Code::IssuerNotTrusted, "it imports nothing");
}

#[tokio::test]
async fn an_export_for_each_account_has_the_account_in_its_subject() {
    let export = || json!({"subject": "orders.*.>", "type": "service", "account_token_position": 2});
    let two = Two::new(export(), json!({"subject": "orders.x.>", "type": "service"}));
    assert_eq!(code(two.admit(&two.importer, may(&[">"])).await), Code::IssuerNotTrusted, "another account's");
    let own = two.importer.public_key().as_str();
    let import =
        json!({"account": two.world.account_id().as_str(), "subject": format!("orders.{own}.>"), "type": "service"});
    let token = account_token(
        &two.world.operator,
        two.importer.public_key(),
        NOW.plus(crate::secs(1)),
        json!({"imports": [import]}),
    );
    two.chain.insert(&token, NOW.plus(crate::secs(1))).await.unwrap();
    let user = two.admit(&two.importer, may(&[">"])).await.unwrap();
    assert_eq!(list(&user, "/nats/permissions/pub/allow"), [format!("orders.{own}.>")]);
}

/// The exporting account revokes the activation: its importers are refused with their next request, although they are known.
#[tokio::test]
async fn an_activation_that_is_revoked_ends_at_once() {
    let export = json!({"subject": "orders.>", "type": "service", "token_req": true});
    let two = Two::new(export.clone(), json!({"subject": "orders.>", "type": "service"}));
    let activation = sign(
        &two.world.account,
        two.importer.public_key(),
        json!({
            "iat": NOW.as_secs(), "nats": {"type": "activation", "version": 2, "subject": "orders.>", "kind": "service"},
        }),
    );
    let import = json!({"account": two.world.account_id().as_str(), "subject": "orders.>", "type": "service", "token": activation});
    let later = NOW.plus(crate::secs(1));
    let token = account_token(&two.world.operator, two.importer.public_key(), later, json!({"imports": [import]}));
    two.chain.insert(&token, later).await.unwrap();
    assert!(two.admit(&two.importer, may(&[">"])).await.is_ok());
    assert!(two.admit(&two.importer, may(&[">"])).await.is_ok(), "from the cache");
    let revoked = merged(export, json!({"revocations": {two.importer.public_key().as_str(): NOW.as_secs()}}));
    let token =
        account_token(&two.world.operator, two.world.account.public_key(), later, json!({"exports": [revoked]}));
    two.chain.insert(&token, later).await.unwrap();
    assert_eq!(code(two.admit(&two.importer, may(&[">"])).await), Code::IssuerNotTrusted);
}

#[tokio::test]
async fn a_locked_account_serves_no_one() {
    let export = json!({"subject": "orders.>", "type": "service"});
    let two = Two::new(export.clone(), json!({"subject": "orders.>", "type": "service"}));
    assert!(two.admit(&two.importer, may(&[">"])).await.is_ok());
    let limits = json!({"conn": 0, "subs": -1, "imports": -1, "exports": -1, "wildcards": true});
    let later = NOW.plus(crate::secs(1));
    let claims = json!({"exports": [export], "limits": limits});
    let token = account_token(&two.world.operator, two.world.account.public_key(), later, claims);
    two.chain.insert(&token, later).await.unwrap();
    assert_eq!(code(two.admit(&two.importer, may(&[">"])).await), Code::IssuerNotTrusted);
}

#[tokio::test]
async fn a_dollar_sign_in_the_subject_itself_is_no_reference() {
    let two =
        Two::new(json!({"subject": "orders.*", "type": "service"}), json!({"subject": "orders.$1", "type": "service"}));
    let user = two.admit(&two.importer, may(&["orders.x", "orders.$1"])).await.unwrap();
    assert_eq!(list(&user, "/nats/permissions/pub/allow"), ["orders.$1"]);
}

#[tokio::test]
async fn an_import_whose_mapping_is_unclear_is_refused() {
    let with = |import: Value| Two::new(json!({"subject": "orders.*.*", "type": "service"}), import);
    let twice = with(json!({"subject": "orders.*.*", "local_subject": "shop.$1.$1", "type": "service"}));
    assert_eq!(code(twice.admit(&twice.importer, may(&[">"])).await), Code::IssuerNotTrusted);
    let fewer = with(json!({"subject": "shop.x", "to": "orders.*.*", "type": "service"}));
    assert_eq!(code(fewer.admit(&fewer.importer, may(&[">"])).await), Code::IssuerNotTrusted);
    let once = with(json!({"subject": "orders.*.*", "local_subject": "shop.$2.$1", "type": "service"}));
    assert!(once.admit(&once.importer, may(&[">"])).await.is_ok());
}

#[tokio::test]
async fn permissions_times_imports_have_a_bound() {
    let two =
        Two::new(json!({"subject": "orders.>", "type": "service"}), json!({"subject": "orders.>", "type": "service"}));
    let many =
        |count: usize| json!({"pub": {"allow": (0..count).map(|at| format!("orders.{at}")).collect::<Vec<_>>()}});
    assert!(two.admit(&two.importer, many(400)).await.is_ok());
    let imports: Vec<_> = (0..20)
        .map(|at| json!({"account": two.world.account_id().as_str(), "subject": format!("orders.{at}"), "type": "service"}))
        .collect();
    let later = NOW.plus(crate::secs(1));
    let token = account_token(&two.world.operator, two.importer.public_key(), later, json!({"imports": imports}));
    two.chain.insert(&token, later).await.unwrap();
    assert_eq!(code(two.admit(&two.importer, many(400)).await), Code::IssuerNotTrusted);
    assert!(two.admit(&two.importer, many(100)).await.is_ok());
}

/// A tenant who writes imports and permissions does not choose how much memory a request takes.
#[tokio::test]
async fn permissions_that_would_become_too_long_by_imports_are_refused() {
    let two = Two::new(json!({"subject": "orders.*.read", "type": "service"}), json!({}));
    for (len, expected) in [(400, None), (6000, Some(Code::IssuerNotTrusted))] {
        let imports: Vec<_> = (0..100)
            .map(|at| {
                json!({"account": two.world.account_id().as_str(), "subject": "orders.*.read", "type": "service", "local_subject": format!("i{at}.*")})
            })
            .collect();
        let token = account_token(&two.world.operator, two.importer.public_key(), NOW, json!({"imports": imports}));
        two.accounts.insert(crate::world::id(&two.importer), token);
        let entry = format!("*.{}", "x".repeat(len));
        let outcome = two.admit(&two.importer, json!({"pub": {"allow": [entry]}})).await;
        assert_eq!(outcome.err().map(|error| error.code()), expected, "{len}");
    }
}
