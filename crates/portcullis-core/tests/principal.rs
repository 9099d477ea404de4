//! Tests the principal of a credential (a user, an application, or a party that acts for another), and the credential's kind.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

#[path = "../../../tests/tests/support/seed.rs"]
mod seed;

use std::collections::BTreeMap;

use portcullis_core::{
    Admission, AuthError, Code, JwtAuthenticator, Principal, TrustedIssuer,
    claims::ClaimRef,
    verified::{Actor, Conventions, CredentialKind, Facts, Identity},
};
use portcullis_test::MockIssuer;
use proptest::{prelude::*, test_runner::RngSeed};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

const ISSUER: &str = "https://issuer.test";

fn conventions() -> Conventions {
    Conventions::new(ISSUER)
}

fn facts_by(conventions: Conventions, claims: &Value) -> Facts {
    Facts::assertion_of(claims, conventions).unwrap()
}

fn facts(claims: &Value) -> Facts {
    facts_by(conventions(), claims)
}

/// Returns the variant of the principal with its names, and the code if it is unknown.
fn seen(facts: &Facts) -> Result<String, Code> {
    let shown = match facts.principal() {
        Principal::User(user) => format!("user {}", user.subject),
        Principal::Application(client) => format!("application {client}"),
        Principal::Acting { subject, actor } => format!("{}@{} for {}", actor.subject, actor.issuer, subject.subject),
        _ => String::from("unknown"),
    };
    let tried = facts.try_principal();
    assert_eq!(tried.as_ref().copied().unwrap_or(Principal::Unknown), facts.principal());
    tried.map(|_| shown).map_err(|error| error.code())
}

fn principal(claims: &Value) -> Result<String, Code> {
    seen(&facts(claims))
}

#[test]
fn a_subject_other_than_the_client_is_a_user() {
    assert_eq!(principal(&json!({"sub": "alice"})).as_deref(), Ok("user alice"));
    assert_eq!(principal(&json!({"sub": "alice", "client_id": "web"})).as_deref(), Ok("user alice"));
    assert_eq!(principal(&json!({"sub": "web ", "client_id": "web"})).as_deref(), Ok("user web "));
    assert_eq!(facts(&json!({"sub": "alice"})).principal(), Principal::User(Identity::new(ISSUER, "alice")));
}

#[test]
fn a_token_without_a_subject_or_with_its_client_as_subject_is_an_applications() {
    for claims in [
        json!({"client_id": "billing"}),
        json!({"sub": "", "client_id": "billing"}),
        json!({"sub": "billing", "client_id": "billing"}),
    ] {
        assert_eq!(principal(&claims).as_deref(), Ok("application billing"), "{claims}");
    }
}

#[test]
fn the_client_is_read_from_the_issuers_client_claim() {
    let claims = json!({"sub": "billing", "azp": "billing", "client_id": "other"});
    assert_eq!(seen(&facts(&claims)).as_deref(), Ok("user billing"));
    let azp = || conventions().client_claim("/azp");
    assert_eq!(seen(&facts_by(azp(), &claims)).as_deref(), Ok("application billing"));
    assert_eq!(seen(&facts_by(conventions().without_client_claim(), &claims)).as_deref(), Ok("user billing"));
}

#[test]
fn a_token_without_subject_and_client_is_unknown() {
    for claims in [
        json!({}),
        json!({"sub": ""}),
        json!({"client_id": ""}),
        json!({"act": {"sub": "helpdesk"}}),
        json!({"act": {"sub": "helpdesk"}, "client_id": "web"}),
    ] {
        assert_eq!(principal(&claims), Err(Code::ClaimMissing), "{claims}");
    }
    assert_eq!(
        seen(&facts_by(conventions().without_client_claim(), &json!({"client_id": "web"}))),
        Err(Code::ClaimMissing)
    );
    assert!(principal(&json!({"client_id": "web"})).is_ok());
}

#[test]
fn a_token_with_an_actor_is_of_a_party_that_acts_for_another() {
    let helpdesk = json!({"sub": "alice", "client_id": "web", "act": {"sub": "helpdesk"}});
    assert_eq!(principal(&helpdesk).as_deref(), Ok("helpdesk@https://issuer.test for alice"));
    let elsewhere = json!({"sub": "alice", "act": {"sub": "helpdesk", "iss": "https://agents.test"}});
    assert_eq!(principal(&elsewhere).as_deref(), Ok("helpdesk@https://agents.test for alice"));
    let application = json!({"sub": "web", "client_id": "web", "act": {"sub": "helpdesk"}});
    assert_eq!(principal(&application).as_deref(), Ok("helpdesk@https://issuer.test for web"));
    // only a top-level `act` counts
    assert_eq!(principal(&json!({"sub": "alice", "x": {"act": {"sub": "helpdesk"}}})).as_deref(), Ok("user alice"));
    assert_eq!(principal(&json!({"sub": "alice", "may_act": {"sub": "helpdesk"}})).as_deref(), Ok("user alice"));
}

#[test]
fn only_the_outermost_actor_counts() {
    let chain = json!({"sub": "alice", "act": {"sub": "gateway", "act": {"sub": "batch"}}});
    let facts = facts(&chain);
    let actor = facts.actor().unwrap();
    assert_eq!((actor.issuer, actor.subject), (ISSUER, "gateway"));
    assert_eq!(facts.claim("/act/act/sub").and_then(ClaimRef::as_str), Some("batch"), "the rest is history");
    // the form of the history does not matter either
    let odd = json!({"sub": "alice", "act": {"sub": "gateway", "act": 7}});
    assert_eq!(principal(&odd).as_deref(), Ok("gateway@https://issuer.test for alice"));
}

#[test]
fn an_actor_that_cannot_be_read_does_not_count_as_absent() {
    for act in [
        json!(null),
        json!(true),
        json!(7),
        json!("helpdesk"),
        json!([]),
        json!([{"sub": "helpdesk"}]),
        json!({}),
        json!({"sub": ""}),
        json!({"sub": null}),
        json!({"sub": 7}),
        json!({"sub": ["helpdesk"]}),
        json!({"client_id": "helpdesk"}),
        json!({"act": {"sub": "helpdesk"}}),
        json!({"sub": "helpdesk", "iss": ""}),
        json!({"sub": "helpdesk", "iss": null}),
        json!({"sub": "helpdesk", "iss": ["https://agents.test"]}),
    ] {
        let facts = facts(&json!({"sub": "alice", "client_id": "web", "act": act}));
        assert_eq!(facts.actor(), None, "{act}");
        assert_eq!(facts.try_actor().unwrap_err().code(), Code::ClaimsMalformed, "{act}");
        assert_eq!(seen(&facts), Err(Code::ClaimsMalformed), "{act}");
    }
    let facts = facts(&json!({"sub": "alice", "client_id": "web"}));
    assert_eq!(facts.try_actor().unwrap(), None);
    assert_eq!(seen(&facts).as_deref(), Ok("user alice"));
}

#[test]
fn a_token_whose_client_id_cannot_be_read_is_unknown() {
    for client in [json!(7), json!(null), json!(["alice"])] {
        assert_eq!(principal(&json!({"sub": "alice", "client_id": client})), Err(Code::ClaimsMalformed), "{client}");
    }
    assert!(principal(&json!({"sub": "alice", "client_id": "web"})).is_ok());
    // it does not matter if no rule reads it
    let odd = json!({"sub": "alice", "client_id": 7});
    assert_eq!(seen(&facts_by(conventions().client_claim("/azp"), &odd)).as_deref(), Ok("user alice"));
    assert_eq!(seen(&facts_by(conventions().without_client_claim(), &odd)).as_deref(), Ok("user alice"));
}

#[test]
fn an_issuer_may_mark_its_applications() {
    let marked = || conventions().client_claim("/azp").application_if("/idtyp", "app").application_if("/gty", "cc");
    let seen = |claims: &Value| seen(&facts_by(marked(), claims));
    assert_eq!(seen(&json!({"sub": "c0ffee", "azp": "web", "idtyp": "app"})).as_deref(), Ok("application web"));
    assert_eq!(seen(&json!({"sub": "c0ffee", "azp": "web", "gty": "cc"})).as_deref(), Ok("application web"));
    assert_eq!(seen(&json!({"sub": "c0ffee", "idtyp": "app"})).as_deref(), Ok("application c0ffee"));
    for user in [
        json!({"sub": "alice", "azp": "web"}),
        json!({"sub": "alice", "azp": "web", "idtyp": "user"}),
        json!({"sub": "alice", "azp": "web", "idtyp": "App"}),
        json!({"sub": "alice", "azp": "web", "idtyp": null}),
        json!({"sub": "alice", "azp": "web", "idtyp": []}),
        json!({"sub": "alice", "azp": "web", "idtyp": ["user", "App", "app "]}),
    ] {
        assert_eq!(seen(&user).as_deref(), Ok("user alice"), "{user}");
    }
    for list in [json!(["app"]), json!(["user", "app"]), json!(["app", "app", "user"])] {
        let marked = json!({"sub": "c0ffee", "azp": "web", "idtyp": list});
        assert_eq!(seen(&marked).as_deref(), Ok("application web"), "{list}");
    }
    for odd in [json!(true), json!({"app": 1}), json!(["app", 7]), json!([["app"]]), json!(["app", null])] {
        assert_eq!(seen(&json!({"sub": "alice", "azp": "web", "idtyp": odd})), Err(Code::ClaimsMalformed), "{odd}");
    }
    let acting = json!({"sub": "c0ffee", "azp": "web", "idtyp": "app", "act": {"sub": "helpdesk"}});
    assert_eq!(seen(&acting).as_deref(), Ok("helpdesk@https://issuer.test for c0ffee"));
}

#[test]
fn a_mark_that_no_token_can_have_is_a_configuration_error() {
    for (pointer, value) in [("idtyp", "app"), ("/idtyp", ""), ("/idtyp", "app\n")] {
        let refused = Facts::assertion("{}", conventions().application_if(pointer, value)).unwrap_err();
        assert_eq!(refused.code(), Code::ServiceMisconfigured, "{pointer} {value:?}");
        let trusted = MockIssuer::new().trusted().application_if(pointer, value);
        assert!(JwtAuthenticator::new(trusted).unwrap_err().to_string().contains("idtyp"), "{pointer} {value:?}");
    }
    assert!(JwtAuthenticator::new(MockIssuer::new().trusted().application_if("/idtyp", "app")).is_ok());
}

async fn admitted(trusted: TrustedIssuer, token: &str) -> portcullis_core::Verified {
    Admission::new(JwtAuthenticator::new(trusted).unwrap()).verify(token).outcome().await.unwrap()
}

#[tokio::test]
async fn a_verified_token_has_a_principal_and_a_kind() {
    let issuer = MockIssuer::new();
    let alone = admitted(issuer.trusted(), &issuer.token().subject("alice").sign()).await;
    assert_eq!(alone.credential(), CredentialKind::Jwt);
    assert_eq!(alone.principal(), Principal::User(alone.identity().unwrap()));

    let token = issuer.token().subject("alice").claim("act", json!({"sub": "helpdesk"})).sign();
    let acting = admitted(issuer.trusted(), &token).await;
    assert!(matches!(acting.principal(), Principal::Acting { actor, .. } if actor.subject == "helpdesk"));

    let token = issuer.token().subject("alice").claim("act", json!("helpdesk")).sign();
    let unclear = admitted(issuer.trusted(), &token).await;
    assert_eq!(unclear.principal(), Principal::Unknown, "accepted, as no rule reads `act`");

    let pipeline = issuer.trusted().without_client_claim().application_if("/iss", alone.issuer());
    let token = issuer.token().subject("repo:a/b").sign();
    assert_eq!(admitted(pipeline, &token).await.principal(), Principal::Application("repo:a/b"));
}

#[test]
fn the_authenticator_sets_the_kind_and_no_claim_changes_it() {
    let asserted = facts(&json!({"sub": "alice", "credential": "jwt"}));
    assert_eq!((asserted.credential(), asserted.key_id()), (CredentialKind::Asserted, None));
    let token = asserted.with_credential(CredentialKind::ApiToken).with_key_id("pepper-1");
    assert_eq!((token.credential(), token.key_id()), (CredentialKind::ApiToken, Some("pepper-1")));
    assert_eq!(token.credential().to_string(), "api_token");
}

#[test]
fn debug_of_a_principal_shows_no_name() {
    let facts = facts(&json!({"sub": "alice", "act": {"sub": "helpdesk"}}));
    let user = Principal::User(facts.identity().unwrap());
    let shown = format!("{:?} {:?} {user:?} {:?}", facts.principal(), facts.actor(), Principal::Application("alice"));
    assert!(!shown.contains("alice") && !shown.contains("helpdesk"), "{shown}");
}

// ---- facts from structured claims

fn assertion_of(claims: &impl Serialize) -> Result<Facts, AuthError> {
    Facts::assertion_of(claims, conventions())
}

#[test]
fn structured_claims_are_the_same_facts_as_their_text() {
    let claims = json!({"sub": "al\"ice\u{1f600}", "exp": 1_800_000_000_u64, "big": u64::MAX, "low": i64::MIN, "half": 0.1, "scope": "a b"});
    let (structured, read) =
        (assertion_of(&claims).unwrap(), Facts::assertion(claims.to_string(), conventions()).unwrap());
    assert_eq!(structured.claims_json(), read.claims_json());
    assert_eq!(structured.subject(), Some("al\"ice\u{1f600}"));
    assert_eq!(structured.claim("/big").unwrap().as_u64(), Some(u64::MAX));
    assert_eq!(structured.claim("/low").unwrap().as_i64(), Some(i64::MIN));
    assert_eq!(structured.claim("/half").unwrap().read::<f64>(), Some(0.1));
    assert!(structured.has_scope("b"));
    let map = claims.as_object().unwrap();
    assert_eq!(assertion_of(map).unwrap().claims_json(), read.claims_json());
}

#[test]
fn structured_claims_have_the_same_depth_limit_as_text() {
    let nested = |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({ "x": inner }));
    assert!(assertion_of(&nested(32)).is_ok());
    assert_eq!(assertion_of(&nested(33)).unwrap_err().code(), Code::ClaimsMalformed);
}

#[derive(Serialize)]
struct Twice {
    sub: &'static str,
    #[serde(flatten)]
    more: BTreeMap<&'static str, &'static str>,
}

struct Broken;

impl Serialize for Broken {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("alice"))
    }
}

#[test]
fn structured_claims_follow_the_rules_of_text() {
    let of = |name| Twice { sub: "alice", more: BTreeMap::from([(name, "mallory")]) };
    assert!(assertion_of(&of("jti")).is_ok());
    assert_eq!(assertion_of(&of("sub")).unwrap_err().code(), Code::ClaimsMalformed);
    for claims in [json!([]), json!("{}"), json!({"sub": 7}), json!({"exp": "1"}), json!({"exp": null})] {
        assert_eq!(assertion_of(&claims).unwrap_err().code(), Code::ClaimsMalformed, "{claims}");
    }
    assert_eq!(assertion_of(&BTreeMap::from([("exp", f64::NAN)])).unwrap_err().code(), Code::ClaimsMalformed);
    let broken = assertion_of(&Broken).unwrap_err();
    assert_eq!(broken.code(), Code::ServiceMisconfigured);
    assert!(!format!("{broken:?} {broken}").contains("alice"));
}

// ---- random tokens

fn name() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => prop_oneof!["alice", "web", "app", ""].prop_map(Value::from),
        1 => prop_oneof![Just(json!(null)), Just(json!(7)), Just(json!(["web"])), Just(json!({"sub": "web"}))],
    ]
}

fn actor() -> impl Strategy<Value = Value> {
    let members = (prop::option::of(name()), prop::option::of(name()), prop::option::of(name()));
    let object = members.prop_map(|(sub, iss, act)| object([("sub", sub), ("iss", iss), ("act", act)]));
    prop_oneof![2 => object, 1 => name()]
}

fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(members.collect())
}

/// A second implementation of the rule, on the tree of claims.
fn expected(claims: &Value) -> &'static str {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let subject = text(&claims["sub"]);
    if let Some(act) = claims.get("act") {
        let named =
            act.is_object() && text(&act["sub"]).is_some() && act.get("iss").is_none_or(|iss| text(iss).is_some());
        return if named && subject.is_some() { "acting" } else { "unknown" };
    }
    if claims.get("client_id").is_some_and(|client| !client.is_string()) {
        return "unknown";
    }
    let client = text(&claims["client_id"]);
    match (&subject, &client) {
        (None, None) => "unknown",
        (None, Some(_)) => "application",
        (Some(_), _) if subject == client => "application",
        _ => match claims.get("idtyp") {
            Some(Value::String(mark)) if mark == "app" => "application",
            Some(Value::Array(marks)) if marks.iter().all(Value::is_string) => {
                if marks.contains(&json!("app")) {
                    "application"
                } else {
                    "user"
                }
            }
            Some(Value::String(_) | Value::Null) | None => "user",
            Some(_) => "unknown",
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(seed::seed()), ..ProptestConfig::default() })]

    #[test]
    fn every_token_has_a_principal_and_one_with_an_actor_is_never_a_plain_user(
        sub in prop::option::of(prop_oneof!["alice", "web", "app", ""].prop_map(Value::from)),
        client in prop::option::of(name()),
        act in prop::option::of(actor()),
        mark in prop::option::of(name()),
    ) {
        let claims = object([("sub", sub), ("client_id", client), ("act", act.clone()), ("idtyp", mark)]);
        let facts = facts_by(conventions().application_if("/idtyp", "app"), &claims);
        let found = match facts.principal() {
            Principal::User(_) => "user",
            Principal::Application(_) => "application",
            Principal::Acting { .. } => "acting",
            _ => "unknown",
        };
        prop_assert_eq!(found, expected(&claims), "{}", claims);
        prop_assert_eq!(facts.try_principal().is_err(), found == "unknown");
        if act.is_some() {
            prop_assert!(!matches!(facts.principal(), Principal::User(_) | Principal::Application(_)), "{}", claims);
            prop_assert!(!matches!(facts.try_actor(), Ok(None)), "{}", claims);
        }
    }

    #[test]
    fn a_token_with_any_act_is_never_a_users(act in any_json()) {
        let facts = facts(&json!({"sub": "alice", "client_id": "web", "act": act}));
        let is_acting = matches!(facts.principal(), Principal::Acting { actor: Actor { .. }, .. });
        prop_assert!(is_acting || facts.principal() == Principal::Unknown, "{}", act);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let members = prop::collection::btree_map(prop_oneof!["sub", "iss", "act", ".{0,3}"], inner.clone(), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}
