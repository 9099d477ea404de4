//! Tests requirements about the caller (a user, an application, a party that acts for another) and the kind of credential.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use portcullis::{
    AccessTable, AuthError, Code, Requirement, Verified,
    clock::UnixTime,
    requirement::{
        Circumstances, PathParams, acting, actor, actor_of, all, any, application, check_async, claim, credential, eq,
        not, present, role, role_at, scope, user,
    },
    verified::{Conventions, CredentialKind, Facts, NoCustom},
};
use serde_json::{Value, json};

const ISSUER: &str = "https://issuer.example";

async fn outcome(requirement: &Requirement, facts: Facts) -> Result<(), AuthError> {
    let verified = Verified::assertion(facts, NoCustom).into();
    let params = PathParams::new();
    requirement.evaluate(Circumstances::new(&verified, &params, UnixTime::from_secs(1_800_000_000))).outcome().await
}

/// Returns the code of the refusal, if there is one.
async fn refusal(requirement: &Requirement, claims: &Value) -> Option<Code> {
    let facts = Facts::assertion_of(claims, Conventions::new(ISSUER)).unwrap();
    outcome(requirement, facts).await.err().map(|error| error.code())
}

fn alice() -> Value {
    json!({"sub": "alice", "client_id": "web"})
}

fn billing() -> Value {
    json!({"sub": "billing", "client_id": "billing"})
}

fn helpdesk_for_alice() -> Value {
    json!({"sub": "alice", "client_id": "web", "act": {"sub": "helpdesk", "act": {"sub": "batch"}}})
}

#[tokio::test]
async fn a_route_for_users_admits_only_users() {
    assert_eq!(refusal(&user(), &alice()).await, None);
    for other in [billing(), helpdesk_for_alice()] {
        assert_eq!(refusal(&user(), &other).await, Some(Code::RequirementNotMet), "{other}");
        assert_eq!(refusal(&not(user()), &other).await, None, "{other}");
    }
    assert_eq!(refusal(&not(user()), &alice()).await, Some(Code::RequirementNotMet));
}

#[tokio::test]
async fn a_route_for_applications_admits_only_applications() {
    assert_eq!(refusal(&application(), &billing()).await, None);
    assert_eq!(refusal(&application(), &json!({"client_id": "billing"})).await, None);
    for other in [alice(), helpdesk_for_alice()] {
        assert_eq!(refusal(&application(), &other).await, Some(Code::RequirementNotMet), "{other}");
    }
}

#[tokio::test]
async fn a_route_for_an_actor_compares_the_outermost_actor() {
    assert_eq!(refusal(&acting(), &helpdesk_for_alice()).await, None);
    assert_eq!(refusal(&actor("helpdesk"), &helpdesk_for_alice()).await, None);
    for name in ["batch", "alice", "web", "helpdesk "] {
        let requirement = any([actor(name), actor_of(ISSUER, name)]);
        assert!(refusal(&requirement, &helpdesk_for_alice()).await.is_some(), "{name:?}");
    }
    for other in [alice(), billing(), json!({"sub": "helpdesk"}), json!({"client_id": "helpdesk"})] {
        assert_eq!(refusal(&acting(), &other).await, Some(Code::RequirementNotMet), "{other}");
        assert_eq!(refusal(&actor("helpdesk"), &other).await, Some(Code::RequirementNotMet), "{other}");
    }
}

#[tokio::test]
async fn an_actor_of_another_issuer_is_another_actor() {
    let of = |issuer: &str| json!({"sub": "alice", "act": {"sub": "helpdesk", "iss": issuer}});
    let (ours, theirs) = (of(ISSUER), of("https://agents.example"));
    assert_eq!(refusal(&actor("helpdesk"), &ours).await, None);
    assert_eq!(refusal(&actor("helpdesk"), &theirs).await, Some(Code::RequirementNotMet));
    let agents = actor_of("https://agents.example", "helpdesk");
    assert_eq!(refusal(&agents, &theirs).await, Some(Code::RequirementNotMet), "any issuer could say so");
    for (speaks_for, expected) in
        [("https://agents.example", None), ("https://other.example", Some(Code::RequirementNotMet))]
    {
        let facts = Facts::assertion_of(&theirs, Conventions::new(ISSUER).actors_of(speaks_for)).unwrap();
        assert_eq!(outcome(&agents, facts).await.err().map(|error| error.code()), expected, "{speaks_for}");
    }
    assert_eq!(refusal(&agents, &ours).await, Some(Code::RequirementNotMet));
    assert_eq!(refusal(&actor_of(ISSUER, "helpdesk"), &helpdesk_for_alice()).await, None, "the token's own issuer");
}

/// Each requirement and its negation must both refuse, because otherwise a `not` would admit such a token.
#[tokio::test]
async fn an_unknown_caller_is_refused_even_under_a_not() {
    let requirements = || [user(), application(), acting(), actor("helpdesk"), actor_of(ISSUER, "helpdesk")];
    let malformed = [
        json!({"sub": "alice", "act": "helpdesk"}),
        json!({"sub": "alice", "act": null}),
        json!({"sub": "alice", "act": {"sub": 7}}),
        json!({"sub": "alice", "act": {"sub": "helpdesk", "iss": 7}}),
        json!({"sub": "alice", "client_id": 7}),
    ];
    let nameless = [json!({}), json!({"sub": "", "client_id": ""}), json!({"act": {"sub": "helpdesk"}})];
    let rows = malformed.map(|claims| (claims, Code::ClaimsMalformed));
    for (claims, code) in rows.into_iter().chain(nameless.map(|claims| (claims, Code::ClaimMissing))) {
        for requirement in requirements() {
            assert_eq!(refusal(&requirement, &claims).await, Some(code), "{requirement}, {claims}");
            assert_eq!(refusal(&not(requirement.clone()), &claims).await, Some(code), "not {requirement}, {claims}");
            let later = requirement.and(check_async("later", |_| async { true }));
            assert_eq!(refusal(&later, &claims).await, Some(code), "{later}, {claims}");
        }
        // A rule that does not read the malformed claim accepts the token.
        assert_eq!(refusal(&not(credential(CredentialKind::Jwt)), &claims).await, None, "{claims}");
    }
    for claims in [alice(), billing(), helpdesk_for_alice()] {
        let met = any(requirements());
        assert_eq!(refusal(&met, &claims).await, None, "{claims}");
    }
}

#[tokio::test]
async fn applications_are_recognised_by_their_issuers_mark() {
    let claims = json!({"sub": "c0ffee", "client_id": "web", "idtyp": "app"});
    assert_eq!(refusal(&user(), &claims).await, None, "without the mark, it looks like a user");
    let marked = Conventions::new(ISSUER).application_if("/idtyp", "app");
    let facts = || Facts::assertion_of(&claims, marked.clone()).unwrap();
    assert_eq!(outcome(&user(), facts()).await.unwrap_err().code(), Code::RequirementNotMet);
    assert!(outcome(&application(), facts()).await.is_ok());
}

#[tokio::test]
async fn a_route_may_require_a_kind_of_credential() {
    let facts = || Facts::assertion_of(&alice(), Conventions::new(ISSUER)).unwrap();
    let no_api_tokens = !credential(CredentialKind::ApiToken);
    assert!(outcome(&no_api_tokens, facts().with_credential(CredentialKind::Jwt)).await.is_ok());
    let api_token = outcome(&no_api_tokens, facts().with_credential(CredentialKind::ApiToken)).await;
    assert_eq!(api_token.unwrap_err().code(), Code::RequirementNotMet);
    let jwt = credential(CredentialKind::Jwt);
    assert!(outcome(&jwt, facts().with_credential(CredentialKind::Jwt)).await.is_ok());
    assert!(outcome(&jwt, facts()).await.is_err(), "an assertion is no JWT");
}

#[test]
fn requirements_about_callers_are_printed() {
    for (requirement, printed) in [
        (user().or(acting()).and(scope("a")), r#"(user or acting) and scope("a")"#),
        (!application(), "not application"),
        (!actor("helpdesk"), r#"not actor("helpdesk")"#),
        (!actor_of(ISSUER, "helpdesk"), r#"not (actor("helpdesk") of "https://issuer.example")"#),
        (!credential(CredentialKind::ApiToken), "not credential(api_token)"),
    ] {
        assert_eq!(requirement.to_string(), printed);
    }
    let no_api_tokens = scope("orders:write").and(!credential(CredentialKind::ApiToken));
    let table = AccessTable::new().require(http::Method::POST, "/orders", no_api_tokens);
    assert!(table.to_string().contains(r#"scope("orders:write") and not credential(api_token)"#), "{table}");
}

#[tokio::test]
async fn an_actor_that_no_token_can_name_is_a_configuration_error() {
    for mistaken in [actor(""), actor(" helpdesk"), actor_of("", "helpdesk"), actor_of("https://a\n", "helpdesk")] {
        assert!(mistaken.clone().checked().unwrap_err().to_string().contains("actor("), "{mistaken}");
        assert_eq!(refusal(&not(mistaken), &alice()).await, Some(Code::ServiceMisconfigured));
    }
    for right in [actor("help desk"), actor_of(ISSUER, "helpdesk"), user(), credential(CredentialKind::Session)] {
        assert!(right.checked().is_ok());
    }
}

#[tokio::test]
async fn the_log_names_the_rule_and_no_caller() {
    let facts = Facts::assertion_of(&helpdesk_for_alice(), Conventions::new(ISSUER)).unwrap();
    let error = outcome(&scope("a").or(user()), facts).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("user") && !shown.contains("alice") && !shown.contains("helpdesk"), "{shown}");
}

#[test]
fn scopes_and_roles_are_listed_for_documents() {
    let requirement = all([
        scope("orders:read").or(role("admin").and(scope("all"))).named("readers"),
        scope("orders:read"),
        claim("/tenant", present()),
        role_at("/grants/{instance}", "owner"),
        user(),
    ]);
    assert_eq!(requirement.scopes(), ["orders:read", "all"]);
    assert_eq!(requirement.roles(), ["admin", "owner"]);
    assert!(claim("/scope", eq("a")).scopes().is_empty());

    let lacking = not(scope("guest").or(role("banned"))).and(not(not(scope("a").and(!role("b")))));
    assert_eq!((lacking.scopes(), lacking.roles()), (vec!["a"], vec![]));
}
