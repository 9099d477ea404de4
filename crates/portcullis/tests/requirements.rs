//! Tests which callers meet a requirement, which are refused, and with which code.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::{error::Error, sync::Arc, time::Duration};

use portcullis::{
    AuthError, Code, Requirement, Verified,
    authenticator::Attempt,
    clock::UnixTime,
    requirement::{
        Circumstances, Decision, PathParams, Undecided, acr, all, any, authenticated, check, check_async,
        check_async_with, check_facts, check_with, claim, contains, covers, eq, fresh, not, one_of, param, present,
        role, role_at, scope,
    },
    verified::{AnyVerified, Conventions, Facts, NoCustom},
};

const NOW: u64 = 1_800_000_000;

fn facts(claims: &str) -> Facts {
    Facts::assertion(claims, Conventions::new("https://issuer.example")).unwrap()
}

fn verified(claims: &str) -> AnyVerified {
    Verified::assertion(facts(claims), NoCustom).into()
}

async fn outcome(requirement: &Requirement, verified: &AnyVerified, params: &PathParams) -> Result<(), AuthError> {
    requirement.evaluate(Circumstances::new(verified, params, UnixTime::from_secs(NOW))).outcome().await
}

/// Returns the code of the refusal, if there is one.
async fn refusal_on(requirement: &Requirement, claims: &str, params: &[(&str, &str)]) -> Option<Code> {
    let params = params.iter().copied().collect();
    outcome(requirement, &verified(claims), &params).await.err().map(|error| error.code())
}

async fn refusal(requirement: &Requirement, claims: &str) -> Option<Code> {
    refusal_on(requirement, claims, &[]).await
}

async fn error(requirement: &Requirement, claims: &str) -> AuthError {
    outcome(requirement, &verified(claims), &PathParams::new()).await.unwrap_err()
}

fn undecided(name: &'static str) -> Requirement {
    check_facts(name, |_| Decision::undecided("the directory is down"))
}

#[tokio::test]
async fn scopes_have_to_be_granted_as_a_whole() {
    let read = scope("orders:read");
    assert_eq!(refusal(&read, r#"{"scope":"profile orders:read"}"#).await, None);
    assert_eq!(refusal(&read, r#"{"scp":["orders:read"]}"#).await, None);
    for claims in ["{}", r#"{"scope":"orders:read:all"}"#, r#"{"scope":"ORDERS:READ"}"#, r#"{"roles":["orders:read"]}"#]
    {
        assert_eq!(refusal(&read, claims).await, Some(Code::ScopeMissing), "{claims}");
    }
}

#[tokio::test]
async fn scopes_follow_the_issuers_rule() {
    let conventions = Conventions::new("https://issuer.example")
        .scope_rule(|granted, needed| needed.strip_prefix(granted).is_some_and(|rest| rest.starts_with(':')));
    let facts = |claims| Facts::assertion(claims, conventions.clone()).unwrap();
    let granted = Verified::assertion(facts(r#"{"scope":"orders"}"#), NoCustom).into();
    assert!(outcome(&scope("orders:read"), &granted, &PathParams::new()).await.is_ok());
    assert!(outcome(&scope("ordersread"), &granted, &PathParams::new()).await.is_err());
}

#[tokio::test]
async fn roles_have_to_be_granted() {
    let admin = role("admin");
    assert_eq!(refusal(&admin, r#"{"roles":["user","admin"]}"#).await, None);
    assert_eq!(refusal(&admin, r#"{"roles":["user"]}"#).await, Some(Code::RoleMissing));
    assert_eq!(refusal(&admin, r#"{"realm_access":{"roles":["admin"]}}"#).await, Some(Code::RoleMissing));

    let admin = role_at("/realm_access/roles", "admin");
    assert_eq!(refusal(&admin, r#"{"realm_access":{"roles":["admin"]}}"#).await, None);
    assert_eq!(refusal(&admin, r#"{"realm_access":{"roles":["administrator"]}}"#).await, Some(Code::RoleMissing));
    assert_eq!(refusal(&admin, r#"{"roles":["admin"]}"#).await, Some(Code::RoleMissing));
}

#[tokio::test]
async fn a_role_on_one_instance_does_not_count_on_another() {
    let admin = role_at("/grants/{instance}", "admin");
    let claims = r#"{"grants":{"i-1":["admin"],"i-2":["viewer"],"a/b":"admin"}}"#;
    assert_eq!(refusal_on(&admin, claims, &[("instance", "i-1")]).await, None);
    assert_eq!(refusal_on(&admin, claims, &[("instance", "a/b")]).await, None);
    for other in ["i-2", "i-3", "", "i-1/0", "~", "a~1b", "../grants/i-1"] {
        assert_eq!(refusal_on(&admin, claims, &[("instance", other)]).await, Some(Code::RoleMissing), "{other:?}");
    }
}

#[tokio::test]
async fn a_path_parameter_does_not_index_an_array() {
    let admin = role_at("/grants/{instance}", "admin");
    assert_eq!(refusal_on(&admin, r#"{"grants":{"0":["admin"]}}"#, &[("instance", "0")]).await, None);
    let listed = r#"{"grants":[["admin"]]}"#;
    assert_eq!(refusal_on(&admin, listed, &[("instance", "0")]).await, Some(Code::RoleMissing));
}

#[tokio::test]
async fn claims_are_compared_with_their_type() {
    let rows = [
        (claim("/tenant", eq("acme")), r#"{"tenant":"acme"}"#, r#"{"tenant":"Acme"}"#),
        (claim("/tenant", eq("acme")), r#"{"tenant":"acme"}"#, r#"{"tenant":["acme"]}"#),
        (claim("/level", eq(3)), r#"{"level":3}"#, r#"{"level":"3"}"#),
        (claim("/level", eq(-3)), r#"{"level":-3}"#, r#"{"level":3}"#),
        (claim("/level", eq(u64::MAX)), r#"{"level":18446744073709551615}"#, r#"{"level":-1}"#),
        (claim("/level", eq("3")), r#"{"level":"3"}"#, r#"{"level":3}"#),
        (claim("/email_verified", eq(true)), r#"{"email_verified":true}"#, r#"{"email_verified":"true"}"#),
        (claim("/email_verified", eq(true)), r#"{"email_verified":true}"#, r#"{"email_verified":1}"#),
        (claim("/plan", one_of(["pro", "team"])), r#"{"plan":"team"}"#, r#"{"plan":"free"}"#),
        (claim("/groups", contains("a")), r#"{"groups":["b","a"]}"#, r#"{"groups":["b"]}"#),
        (claim("/groups", contains("b a")), r#"{"groups":"b a"}"#, r#"{"groups":"b"}"#),
        (claim("/groups", contains(7)), r#"{"groups":[7]}"#, r#"{"groups":["7"]}"#),
        (claim("/groups", contains("")), r#"{"groups":[""]}"#, r#"{"groups":"a  b"}"#),
        (claim("/groups", contains("a b")), r#"{"groups":["a b"]}"#, r#"{"groups":["a","b"]}"#),
        (claim("/mfa", present()), r#"{"mfa":false}"#, r#"{"mfa":null}"#),
        (claim("/mfa", present()), r#"{"mfa":""}"#, "{}"),
        (claim("/a/b", eq("x")), r#"{"a":{"b":"x"}}"#, r#"{"a/b":"x"}"#),
        (not(claim("/suspended", eq(true))), "{}", r#"{"suspended":true}"#),
    ];
    for (requirement, accepted, refused) in rows {
        assert_eq!(refusal(&requirement, accepted).await, None, "{requirement} on {accepted}");
        assert_eq!(refusal(&requirement, refused).await, Some(Code::RequirementNotMet), "{requirement} on {refused}");
    }
}

#[tokio::test]
async fn a_path_parameter_is_compared_with_a_claim() {
    let own = claim("/tenant", eq(param("tenant")));
    assert_eq!(refusal_on(&own, r#"{"tenant":"acme"}"#, &[("tenant", "acme")]).await, None);
    assert_eq!(refusal_on(&own, r#"{"tenant":42}"#, &[("tenant", "42")]).await, None);
    for (claims, tenant) in [
        (r#"{"tenant":"acme"}"#, "globex"),
        (r#"{"tenant":"acme"}"#, "ACME"),
        (r#"{"tenant":42}"#, "042"),
        (r#"{"tenant":42.5}"#, "42.5"),
        (r#"{"tenant":true}"#, "true"),
        (r#"{"tenant":null}"#, "null"),
        ("{}", ""),
    ] {
        let code = refusal_on(&own, claims, &[("tenant", tenant)]).await;
        assert_eq!(code, Some(Code::RequirementNotMet), "{claims} {tenant}");
    }
    let member = claim("/tenants", contains(param("tenant")));
    assert_eq!(refusal_on(&member, r#"{"tenants":["a","b"]}"#, &[("tenant", "b")]).await, None);
    assert!(refusal_on(&member, r#"{"tenants":["a","b"]}"#, &[("tenant", "a b")]).await.is_some());
    let either = claim("/tenant", one_of([param("from"), param("to")]));
    assert_eq!(refusal_on(&either, r#"{"tenant":"b"}"#, &[("from", "a"), ("to", "b")]).await, None);
    assert!(refusal_on(&either, r#"{"tenant":"c"}"#, &[("from", "a"), ("to", "b")]).await.is_some());
}

#[tokio::test]
async fn subject_patterns_cover_subjects() {
    let publish = claim("/publish", covers(param("subject")));
    let claims = r#"{"publish":["orders.*",7,"logs.>"]}"#;
    for subject in ["orders.new", "logs.a.b"] {
        assert_eq!(refusal_on(&publish, claims, &[("subject", subject)]).await, None, "{subject}");
    }
    for subject in ["orders", "orders.a.b", "orders.>", "logs", "other.new", "", "7", "logs..a"] {
        let code = refusal_on(&publish, claims, &[("subject", subject)]).await;
        assert_eq!(code, Some(Code::RequirementNotMet), "{subject}");
    }
    assert_eq!(refusal_on(&publish, r#"{"publish":"a.*"}"#, &[("subject", "a.b")]).await, None);
}

#[tokio::test]
async fn a_missing_path_parameter_is_our_mistake_for_every_caller() {
    let own = claim("/tenant", eq(param("tenant")));
    let misconfigured = [
        own.clone(),
        not(own.clone()),
        role_at("/grants/{tenant}", "admin"),
        not(role_at("/grants/{tenant}", "admin")),
        claim("/absent", contains(param("tenant"))),
        own.clone().or(scope("b")),
        own.clone().and(authenticated()),
        role_at("grants", "admin"),
        not(claim("/a~b", present())),
    ];
    for requirement in misconfigured {
        for claims in ["{}", r#"{"tenant":"acme","grants":[]}"#] {
            assert_eq!(refusal(&requirement, claims).await, Some(Code::ServiceMisconfigured), "{requirement} {claims}");
        }
    }
    let error = error(&own, "{}").await;
    assert!(error.to_string().contains(r#"no path parameter "tenant""#), "{error}");
    assert_eq!(refusal_on(&own, r#"{"tenant":"a"}"#, &[("tenant", "a")]).await, None);
}

struct Employee {
    grade: u8,
}

#[tokio::test]
async fn closures_decide_by_custom_claims() {
    let employee = |grade| AnyVerified::from(Verified::assertion(facts("{}"), Employee { grade }));
    let senior = check("senior", |employee: &Verified<Employee>| employee.custom.grade >= 7);
    assert!(outcome(&senior, &employee(7), &PathParams::new()).await.is_ok());
    let refused = outcome(&senior, &employee(6), &PathParams::new()).await.unwrap_err();
    assert_eq!(refused.code(), Code::RequirementNotMet);

    let at_grade = check_with("at grade", |employee: &Verified<Employee>, params: &PathParams| {
        params.get("grade") == Some(employee.custom.grade.to_string().as_str())
    });
    let params = PathParams::from_iter([("grade", "7")]);
    assert!(outcome(&at_grade, &employee(7), &params).await.is_ok());
    assert!(outcome(&at_grade, &employee(6), &params).await.is_err());
}

#[tokio::test]
async fn a_closure_over_other_custom_claims_is_our_mistake() {
    let senior = check("senior", |_: &Verified<Employee>| true);
    for requirement in [senior.clone(), not(senior.clone()), senior.or(scope("a"))] {
        let error = error(&requirement, "{}").await;
        assert_eq!(error.code(), Code::ServiceMisconfigured);
        let text = error.to_string();
        assert!(text.contains("Employee") && text.contains("NoCustom") && text.contains("senior"), "{text}");
    }
    assert_eq!(refusal(&check_facts("any caller", |_| true), "{}").await, None);
}

#[tokio::test]
async fn an_undecided_requirement_neither_refuses_nor_admits() {
    let failing = check_facts("member", |_| Err::<bool, _>(std::io::Error::other("connection refused")));
    let error = error(&failing, "{}").await;
    assert_eq!(error.code(), Code::RequirementUndecided);
    assert_eq!(error.source().unwrap().to_string(), "connection refused");
    assert!(error.to_string().contains(r#"check("member")"#));

    let later = check_facts("later", |_| {
        Decision::Undecided(Undecided::new("overloaded").with_retry_after(Duration::from_secs(9)))
    });
    let refused = outcome(&later, &verified("{}"), &PathParams::new()).await.unwrap_err();
    assert_eq!(refused.retry_after(), Some(Duration::from_secs(9)));
    assert_eq!(refusal(&check_facts("member", |_| Ok::<_, std::io::Error>(true)), "{}").await, None);
    let denied = check_facts("member", |_| Ok::<_, std::io::Error>(Decision::Deny));
    assert_eq!(refusal(&denied, "{}").await, Some(Code::RequirementNotMet));
}

#[tokio::test]
async fn futures_decide_with_state_and_path() {
    let members = Arc::new(vec!["alice".to_owned()]);
    let member = check_async_with("member", move |caller: AnyVerified, params: PathParams| {
        let members = Arc::clone(&members);
        async move {
            tokio::task::yield_now().await;
            params.get("group") == Some("admins") && members.iter().any(|name| Some(name.as_str()) == caller.subject())
        }
    });
    assert_eq!(refusal_on(&member, r#"{"sub":"alice"}"#, &[("group", "admins")]).await, None);
    assert!(refusal_on(&member, r#"{"sub":"bob"}"#, &[("group", "admins")]).await.is_some());
    assert!(refusal_on(&member, r#"{"sub":"alice"}"#, &[("group", "users")]).await.is_some());
    let down = check_async("directory", async |_: AnyVerified| Err::<bool, _>("the directory is down"));
    assert_eq!(refusal(&down, "{}").await, Some(Code::RequirementUndecided));
    assert_eq!(refusal(&not(down), "{}").await, Some(Code::RequirementUndecided));
}

#[tokio::test]
async fn a_settled_requirement_causes_no_look_up() {
    let unwanted = || check_async("unwanted", async |_: AnyVerified| -> bool { panic!("looked up") });
    let a = r#"{"scope":"a"}"#;
    assert_eq!(refusal(&unwanted().and(scope("b")), a).await, Some(Code::ScopeMissing));
    assert_eq!(refusal(&unwanted().or(scope("a")), a).await, None);
    assert_eq!(refusal(&not(any([unwanted(), not(scope("b"))])), a).await, Some(Code::RequirementNotMet));
}

#[test]
fn only_a_future_makes_the_decision_wait() {
    let (verified, params) = (verified("{}"), PathParams::new());
    let circumstances = Circumstances::new(&verified, &params, UnixTime::from_secs(NOW));
    let at_once = scope("a").and(check_facts("b", |_| true)).or(undecided("c")).named("d");
    assert!(matches!(at_once.evaluate(circumstances), Attempt::Done(_)));
    let later = at_once.and(check_async("e", async |_: AnyVerified| true));
    assert!(matches!(later.evaluate(circumstances), Attempt::Waiting(_)));
}

#[tokio::test]
async fn logins_have_to_be_recent() {
    let fresh = fresh(Duration::from_secs(300));
    let at = |secs: u64| format!(r#"{{"auth_time":{secs}}}"#);
    assert_eq!(refusal(&fresh, &at(NOW - 300)).await, None);
    assert_eq!(refusal(&fresh, &at(NOW + 30)).await, None);
    for claims in [at(NOW - 301), at(NOW + 31), "{}".to_owned()] {
        assert_eq!(refusal(&fresh, &claims).await, Some(Code::AuthenticationTooOld), "{claims}");
    }
    assert_eq!(error(&fresh, "{}").await.max_age(), Some(Duration::from_secs(300)));
}

#[tokio::test]
async fn logins_have_to_be_of_the_required_strength() {
    let strong = acr(["urn:mfa", "urn:hardware"]);
    assert_eq!(refusal(&strong, r#"{"acr":"urn:hardware"}"#).await, None);
    for claims in [r#"{"acr":"urn:password"}"#, r#"{"acr":"urn:mfa urn:hardware"}"#, "{}"] {
        assert_eq!(refusal(&strong, claims).await, Some(Code::AuthenticationTooWeak), "{claims}");
    }
    assert_eq!(error(&strong, "{}").await.acr_values(), ["urn:mfa", "urn:hardware"]);
}

#[tokio::test]
async fn one_challenge_asks_for_everything_that_a_new_login_can_fix() {
    let strict = fresh(Duration::from_secs(300)).and(acr(["urn:mfa"])).and(fresh(Duration::from_secs(60)));
    for claims in ["{}", r#"{"acr":"urn:mfa"}"#] {
        let error = error(&strict, claims).await;
        assert_eq!(error.code(), Code::AuthenticationTooOld);
        assert_eq!((error.max_age(), error.acr_values()), (Some(Duration::from_secs(60)), &["urn:mfa".to_owned()][..]));
    }
}

#[tokio::test]
async fn a_missing_permission_takes_precedence_over_a_missing_login() {
    let both = fresh(Duration::from_secs(300)).and(scope("a"));
    assert_eq!(refusal(&both, "{}").await, Some(Code::ScopeMissing));
    assert_eq!(refusal(&both, r#"{"scope":"a"}"#).await, Some(Code::AuthenticationTooOld));
    let nested = all([acr(["mfa"]), any([fresh(Duration::ZERO), scope("b")]), role("admin")]);
    assert_eq!(refusal(&nested, "{}").await, Some(Code::RoleMissing));
    let later = fresh(Duration::ZERO).and(check_async("no", async |_: AnyVerified| false));
    assert_eq!(refusal(&later, "{}").await, Some(Code::RequirementNotMet));
}

#[tokio::test]
async fn otherwise_the_first_refusal_counts() {
    assert_eq!(refusal(&all([role("a"), scope("b")]), "{}").await, Some(Code::RoleMissing));
    assert_eq!(refusal(&all([scope("b"), role("a")]), "{}").await, Some(Code::ScopeMissing));
    assert_eq!(refusal(&any([role("a"), scope("b")]), "{}").await, Some(Code::RoleMissing));
    assert_eq!(refusal(&any([scope("b"), role("a")]), "{}").await, Some(Code::ScopeMissing));
    let later = any([check_async("no", async |_: AnyVerified| false), scope("b")]);
    assert_eq!(refusal(&later, "{}").await, Some(Code::RequirementNotMet));
}

#[tokio::test]
async fn the_needed_scopes_are_those_of_the_whole() {
    let rows = [
        (scope("a"), vec!["a"]),
        (scope("a").and(scope("b")).and(scope("a")), vec!["a", "b"]),
        (scope("a").or(scope("b")), vec!["a"]),
        (scope("c").and(scope("a").or(scope("b"))), vec!["c", "a"]),
        (scope("a").and(not(scope("granted"))).named("n"), vec!["a"]),
        (all([role("granted"), scope("a"), fresh(Duration::ZERO)]), vec!["a"]),
    ];
    for (requirement, scopes) in rows {
        let error = error(&requirement, r#"{"roles":["granted"]}"#).await;
        assert_eq!((error.code(), error.scopes().iter().map(String::as_str).collect()), (Code::ScopeMissing, scopes));
    }
    assert!(error(&role("a").and(scope("b")), "{}").await.scopes().is_empty());
    assert!(error(&not(scope("a")), r#"{"scope":"a"}"#).await.scopes().is_empty());
}

#[tokio::test]
async fn empty_combinations_have_fixed_results() {
    assert_eq!(refusal(&all([]), "{}").await, None);
    assert_eq!(refusal(&authenticated(), "{}").await, None);
    assert_eq!(refusal(&any([]), "{}").await, Some(Code::RequirementNotMet));
}

#[test]
fn requirements_are_printed_readably() {
    let rows = [
        (
            scope("orders:read").and(role("admin").or(claim("/tenant", eq("acme")))),
            r#"scope("orders:read") and (role("admin") or claim("/tenant") == "acme")"#,
        ),
        (scope("a").and(scope("b")).and(scope("c")), r#"scope("a") and scope("b") and scope("c")"#),
        (scope("a").or(scope("b")).and(scope("c")), r#"(scope("a") or scope("b")) and scope("c")"#),
        (!scope("a"), r#"not scope("a")"#),
        (!scope("a").or(scope("b")), r#"not (scope("a") or scope("b"))"#),
        (!claim("/a", eq(1)), r#"not (claim("/a") == 1)"#),
        (scope("a").named("read").and(scope("b")), r#"read (scope("a")) and scope("b")"#),
        (role_at("/grants/{i}", "admin"), r#"role("admin") at "/grants/{i}""#),
        (claim("/a", one_of(["b", "c"])), r#"claim("/a") is one of ["b", "c"]"#),
        (claim("/a", contains(param("b"))), r#"claim("/a") contains param("b")"#),
        (claim("/a", covers(param("b"))), r#"claim("/a") covers param("b")"#),
        (claim("/a", present()), r#"claim("/a") is present"#),
        (claim("/a", eq(true)), r#"claim("/a") == true"#),
        (fresh(Duration::from_secs(300)).and(acr(["a", "b"])), r#"fresh(300s) and acr("a", "b")"#),
        (check_facts("it is \"so\"", |_| true), r#"check("it is \"so\"")"#),
        (check_async("later", async |_: AnyVerified| true), r#"check("later")"#),
        (authenticated(), "authenticated"),
        (any([]), "no caller"),
        (all([any([scope("a"), scope("b")])]), r#"scope("a") or scope("b")"#),
    ];
    for (requirement, text) in rows {
        assert_eq!(requirement.to_string(), text);
        assert_eq!(format!("{requirement:?}"), format!("Requirement({text})"));
    }
}

#[tokio::test]
async fn the_log_names_the_part_and_no_claim() {
    let requirement = scope("a").and(claim("/tenant", eq(param("tenant")))).named("own");
    let params = PathParams::from_iter([("tenant", "secret-path")]);
    let refused =
        outcome(&requirement, &verified(r#"{"scope":"a","tenant":"secret-claim"}"#), &params).await.unwrap_err();
    let log = format!("{refused} {refused:?} {params:?}");
    assert!(log.contains(r#"not met: claim("/tenant") == param("tenant"), of: own ("#), "{log}");
    assert!(!log.contains("secret"), "{log}");
}

#[test]
fn mistakes_are_reported_at_start() {
    let requirement = scope("a b").and(role_at("grants", "admin").or(!claim("/a~", present()))).and(acr([""; 0]));
    let problems = requirement.checked().unwrap_err();
    assert_eq!(problems.problems().len(), 4, "{problems}");
    assert!(scope("a:b").and(role_at("/grants/{i}", "admin")).checked().is_ok());
}
