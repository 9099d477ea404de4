//! Tests requirements about claims: the meaning of a string at a place, the syntax of pointers, and claims that cannot be used.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use axum::{Router, body::Body, routing::get};
use http::{Method, Request};
use portcullis::{
    AccessTable, AuthLayer, Code, RequireLayer, Requirement, Verified,
    claims::{ClaimPlace, ClaimRef},
    clock::UnixTime,
    requirement::{
        Circumstances, PathParams, acr, claim, contains, covers, eq, fresh, not, one_of, param, present, role, role_at,
        scope,
    },
    verified::{AnyVerified, Conventions, Facts, NoCustom},
};
use portcullis_test::MockIssuer;
use tower::ServiceExt;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn caller(claims: &str, conventions: Conventions) -> AnyVerified {
    Verified::assertion(Facts::assertion(claims, conventions).unwrap(), NoCustom).into()
}

fn conventions() -> Conventions {
    Conventions::new("https://issuer.example")
}

async fn refusal_of(requirement: &Requirement, caller: &AnyVerified) -> Option<Code> {
    let params = PathParams::from_iter([("instance", "i-1"), ("group", "Admins")]);
    let circumstances = Circumstances::new(caller, &params, NOW);
    requirement.evaluate(circumstances).outcome().await.err().map(|error| error.code())
}

async fn refusal(requirement: Requirement, claims: &str) -> Option<Code> {
    refusal_of(&requirement, &caller(claims, conventions())).await
}

fn delimited(pointer: &str, delimiter: char) -> ClaimPlace {
    ClaimPlace::new(pointer).delimited_by(delimiter)
}

#[tokio::test]
async fn row_m_a_text_is_one_role() {
    let former = r#"{"ad": {"groups": "Former Admins"}, "roles": "Former Admins"}"#;
    let at_group = caller(former, conventions().roles_at("/ad/groups"));
    assert_eq!(refusal_of(&role("Admins"), &at_group).await, Some(Code::RoleMissing));
    assert_eq!(refusal_of(&role("Former Admins"), &at_group).await, None);
    assert_eq!(refusal(role("Admins"), former).await, Some(Code::RoleMissing));
    assert_eq!(refusal(role("Former Admins"), former).await, None);
    assert_eq!(refusal(role_at("/ad/groups", "Admins"), former).await, Some(Code::RoleMissing));
    assert_eq!(refusal(role_at("/ad/groups", "Former Admins"), former).await, None);
    assert_eq!(refusal(not(role_at("/ad/groups", "Admins")), former).await, None);
}

#[tokio::test]
async fn row_m_a_path_parameter_names_a_place_whose_text_is_one_role() {
    let claims = r#"{"grants": {"i-1": "Former Admins"}}"#;
    assert_eq!(refusal(role_at("/grants/{instance}", "Admins"), claims).await, Some(Code::RoleMissing));
    assert_eq!(refusal(role_at("/grants/{instance}", "Former Admins"), claims).await, None);
    assert_eq!(refusal(role_at(delimited("/grants/{instance}", ' '), "Admins"), claims).await, None);
}

#[tokio::test]
async fn row_m_a_text_contains_itself_and_no_word_of_it() {
    let claims = r#"{"groups": "Former Admins"}"#;
    assert_eq!(refusal(claim("/groups", contains("Admins")), claims).await, Some(Code::RequirementNotMet));
    assert_eq!(refusal(claim("/groups", contains(param("group"))), claims).await, Some(Code::RequirementNotMet));
    assert_eq!(refusal(claim("/groups", contains("Former Admins")), claims).await, None);
    assert_eq!(refusal(claim("/groups", contains("Admins")), r#"{"groups": ["x", "Admins"]}"#).await, None);
}

#[tokio::test]
async fn row_m_a_delimiter_is_something_that_a_place_is_given() {
    let spaced = r#"{"groups": "Former Admins", "roles": "staff Admins"}"#;
    assert_eq!(refusal(role_at(delimited("/groups", ' '), "Admins"), spaced).await, None);
    assert_eq!(refusal(claim(delimited("/groups", ' '), contains("Admins")), spaced).await, None);
    assert_eq!(refusal(claim(delimited("/groups", ' '), contains(param("group"))), spaced).await, None);
    let given = caller(spaced, conventions().roles_at(delimited("/roles", ' ')));
    assert_eq!(refusal_of(&role("Admins"), &given).await, None);
    assert_eq!(refusal_of(&role("staff Admins"), &given).await, Some(Code::RoleMissing));

    let gap = r#"{"groups": "a  b"}"#;
    assert_eq!(refusal(claim(delimited("/groups", ' '), contains("")), gap).await, Some(Code::RequirementNotMet));

    let commas = r#"{"groups": "staff,Former Admins, Auditors"}"#;
    for held in ["staff", "Former Admins", "Auditors"] {
        assert_eq!(refusal(role_at(delimited("/groups", ','), held), commas).await, None, "{held}");
        assert_eq!(refusal(claim(delimited("/groups", ','), contains(held)), commas).await, None, "{held}");
    }
    for other in ["Admins", "Former", "staff,Former Admins", " Auditors"] {
        let facts = Facts::assertion(commas, conventions().roles_at(delimited("/groups", ','))).unwrap();
        assert!(!facts.has_role(other) && !facts.roles_at("/groups").delimited_by(',').contains(other), "{other}");
    }
}

#[tokio::test]
async fn row_m_a_text_is_one_subject_pattern() {
    let claims = r#"{"publish": "bills.> orders.*"}"#;
    assert_eq!(refusal(claim("/publish", covers("orders.new")), claims).await, Some(Code::RequirementNotMet));
    assert_eq!(refusal(claim(delimited("/publish", ' '), covers("orders.new")), claims).await, None);
}

#[tokio::test]
async fn row_m_a_delimiter_changes_neither_arrays_nor_scopes() {
    let claims = r#"{"groups": ["Former Admins"], "scope": "orders:read bills:read"}"#;
    assert_eq!(refusal(role_at(delimited("/groups", ' '), "Admins"), claims).await, Some(Code::RoleMissing));
    assert_eq!(refusal(role_at(delimited("/groups", ' '), "Former Admins"), claims).await, None);
    assert_eq!(refusal(scope("bills:read"), claims).await, None);
    assert_eq!(refusal(claim(delimited("/groups", ' '), eq("Former")), claims).await, Some(Code::RequirementNotMet));
}

#[test]
fn row_m_a_delimiter_that_is_part_of_names_is_a_mistake() {
    for delimiter in ['a', '7', 'é'] {
        assert!(role_at(delimited("/groups", delimiter), "x").checked().is_err(), "{delimiter}");
    }
    for delimiter in [' ', ',', ';', '|', '\t'] {
        assert!(role_at(delimited("/groups", delimiter), "x").checked().is_ok(), "{delimiter}");
    }
}

#[test]
fn row_m_a_delimiter_is_printed_with_its_place() {
    let requirement = role_at(delimited("/groups", ','), "x").to_string();
    assert_eq!(requirement, r#"role("x") at "/groups" delimited by ','"#);
    assert_eq!(role_at("/groups", "x").to_string(), r#"role("x") at "/groups""#);
}

#[test]
fn row_e_the_pointer_to_write_is_shown_wherever_a_requirement_takes_one() {
    let wrong = ["https://ns/roles", "/https://ns/roles"];
    for pointer in wrong {
        for requirement in [
            role_at(pointer, "admin"),
            claim(pointer, eq("admin")),
            claim(pointer, present()),
            not(claim(pointer, contains("admin"))).or(scope("a")),
        ] {
            let refused = requirement.clone().checked().unwrap_err().to_string();
            assert!(refused.contains("`/https:~1~1ns~1roles`"), "{requirement}: {refused}");
            let table = AccessTable::new().require(Method::GET, "/orders", requirement);
            let refused = table.layer().unwrap_err().to_string();
            assert!(refused.contains("`/https:~1~1ns~1roles`"), "{refused}");
        }
    }
    for right in [ClaimPlace::new("/https:~1~1ns~1roles"), ClaimPlace::named("https://ns/roles")] {
        assert!(role_at(right.clone(), "admin").checked().is_ok());
        assert!(AccessTable::new().require(Method::GET, "/orders", claim(right, present())).layer().is_ok());
    }
}

#[tokio::test]
async fn row_e_the_pointer_shown_finds_the_claim() {
    let claims = r#"{"https://ns/roles": ["admin"], "a~b": "x"}"#;
    assert_eq!(refusal(role_at("/https:~1~1ns~1roles", "admin"), claims).await, None);
    assert_eq!(refusal(role_at(ClaimPlace::named("https://ns/roles"), "admin"), claims).await, None);
    assert_eq!(refusal(claim(ClaimPlace::named("a~b"), eq("x")), claims).await, None);
    let facts = Facts::assertion(claims, conventions()).unwrap();
    assert_eq!(facts.claim(ClaimPlace::named("a~b").pointer()).and_then(ClaimRef::as_str), Some("x"));
}

#[tokio::test]
async fn row_t1_what_is_not_so_is_never_concluded_from_claims_that_cannot_be_read() {
    let not_banned = not(claim("/banned", eq(true)));
    let issuer = MockIssuer::new();
    let app = |requirement| {
        let guarded = Router::new().route("/", get(async || "in")).layer(RequireLayer::new(requirement));
        guarded.layer(AuthLayer::new(issuer.admission()))
    };
    let status = async |claim: &str, levels: usize, banned: bool| {
        let nested = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let (iss, aud) = (MockIssuer::DEFAULT_NAME, MockIssuer::DEFAULT_AUDIENCE);
        let claims =
            format!(r#"{{"iss":"{iss}","aud":"{aud}","exp":4000000000,"banned":{banned},"{claim}":{nested}}}"#);
        let bearer = issuer.token().raw_claims(claims).bearer();
        let request = Request::get("/").header("authorization", bearer).body(Body::empty()).unwrap();
        app(not_banned.clone()).oneshot(request).await.unwrap().status().as_u16()
    };
    for claim in ["scp", "scope", "other"] {
        assert_eq!(status(claim, 31, false).await, 200, "{claim}");
        assert_eq!(status(claim, 31, true).await, 403, "{claim}");
        assert_eq!(status(claim, 32, true).await, 401, "{claim}");
        assert_eq!(status(claim, 32, false).await, 401, "{claim}");
    }
}

#[tokio::test]
async fn row_a_a_requirement_refuses_the_claim_that_it_reads() {
    let day = Duration::from_secs(86_400);
    let malformed = [
        (fresh(day), r#"{"auth_time":"2026-11-29T10:00:00Z"}"#),
        (fresh(day), r#"{"auth_time":1800000000000}"#),
        (fresh(day), r#"{"auth_time":null}"#),
        (acr(["gold"]), r#"{"acr":7}"#),
        (acr(["gold"]), r#"{"acr":["gold"]}"#),
    ];
    for (requirement, claims) in malformed {
        assert_eq!(refusal(requirement.clone(), claims).await, Some(Code::ClaimsMalformed), "{claims}");
        assert_eq!(refusal(not(requirement.clone()), claims).await, Some(Code::ClaimsMalformed), "not, {claims}");
        assert_eq!(refusal(scope("a"), &claims.replace('}', r#","scope":"a"}"#)).await, None, "{claims}");
        let either = scope("a").or(requirement);
        assert_eq!(refusal(either, &claims.replace('}', r#","scope":"a"}"#)).await, None, "another way in, {claims}");
    }
    assert_eq!(refusal(fresh(day), r#"{"auth_time":1800000000}"#).await, None);
    assert_eq!(refusal(fresh(day), "{}").await, Some(Code::AuthenticationTooOld));
    assert_eq!(refusal(not(fresh(day)), "{}").await, None);
    assert_eq!(refusal(acr(["gold"]), r#"{"acr":"gold"}"#).await, None);
    assert_eq!(refusal(acr(["gold"]), r#"{"acr":"silver"}"#).await, Some(Code::AuthenticationTooWeak));
}

#[tokio::test]
async fn row_b_a_scope_in_an_array_lets_in() {
    let read = || scope("orders:read");
    assert_eq!(refusal(read(), r#"{"scope": ["openid", "orders:read"]}"#).await, None);
    assert_eq!(refusal(read(), r#"{"scp": ["openid", "orders:read"]}"#).await, None);
    assert_eq!(refusal(read(), r#"{"scope": [7, "orders:read"]}"#).await, None);
    for claims in [r#"{"scope": ["openid orders:read"]}"#, r#"{"scope": [["orders:read"]]}"#, r#"{"scope": []}"#] {
        assert_eq!(refusal(read(), claims).await, Some(Code::ScopeMissing), "{claims}");
    }
}

#[tokio::test]
async fn row_d_an_empty_name_is_not_present() {
    for name in ["/sub", "/jti", "/sid", "/client_id"] {
        let claims = |value: &str| format!(r#"{{"{}": "{value}"}}"#, &name[1..]);
        assert_eq!(refusal(claim(name, present()), &claims("")).await, Some(Code::RequirementNotMet), "{name}");
        assert_eq!(refusal(claim(name, present()), &claims("x")).await, None, "{name}");
    }
    assert_eq!(refusal(claim("/nickname", present()), r#"{"nickname": ""}"#).await, None);
}

#[test]
fn row_f_a_name_that_nobody_can_have_is_a_mistake_that_is_shown_in_quotes() {
    for text in
        ["", " ", " admin", "admin ", "admin\n", "\tadmin", "admin\u{a0}", "\u{feff}admin", "ad\tmin", "ad\u{200b}min"]
    {
        for requirement in [role(text), role_at("/roles", text), scope(text), acr([text]), acr(["gold", text])] {
            let refused = requirement.clone().checked().unwrap_err().to_string();
            assert!(refused.contains(&format!("{text:?}")), "{refused}");
            let table = AccessTable::new().require(Method::GET, "/orders", not(requirement));
            assert!(table.layer().is_err(), "{text:?}");
        }
        if !text.is_empty() {
            for matcher in [eq(text), contains(text), one_of(["gold", text])] {
                let refused = claim("/plan", matcher).checked().unwrap_err().to_string();
                assert!(refused.contains(&format!("{text:?}")), "{refused}");
            }
        }
    }
    for right in [role("Former Admins"), role_at("/roles", "admin"), scope("orders:read"), acr(["gold"])] {
        assert!(right.clone().checked().is_ok(), "{right}");
    }
    for right in [eq("Former Admins"), eq(""), contains("a b"), one_of(["gold", "silver"]), eq(7), eq(param("x"))] {
        assert!(claim("/plan", right).checked().is_ok());
    }
}

#[test]
fn row_f_a_subject_that_no_pattern_covers_is_a_mistake() {
    for malformed in ["", "orders..new", " orders.new", "orders.new\n", "orders.>.new"] {
        assert!(claim("/publish", covers(malformed)).checked().is_err(), "{malformed:?}");
    }
    assert!(claim("/publish", covers("orders.new")).and(claim("/publish", covers(param("x")))).checked().is_ok());
}
