//! Tests that explanations agree with the answers of layers and guards.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../tests/tests/support/seed.rs"]
mod seed;

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Method, Request, Response};
use portcullis::{
    AccessTable, Admission, AuthLayer, Code, Guard, JwtAuthenticator, RequireLayer, Requirement, Verified,
    clock::UnixTime,
    explain::{Check, Explainer, Explanation, Finding, Outcome, RequirementExplanation, RouteGuard},
    location::HttpHeader,
    requirement::{
        Circumstances, Decision, PathParams, acr, all, any, check, check_async, check_facts, claim, covers, eq, fresh,
        not, param, present, role, role_at, scope, user,
    },
    verified::{AnyVerified, Conventions, Facts, NoCustom},
};
use portcullis_test::{Defect, FixedClock, MockIssuer};
use proptest::{
    prelude::{ProptestConfig, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest},
    test_runner::RngSeed,
};
use tower::{Layer, ServiceExt, service_fn};

/// A description of a requirement, so that a test can inspect its parts.
#[derive(Clone, Debug)]
enum Tree {
    Leaf(usize),
    Not(Box<Tree>),
    Named(Box<Tree>),
    All(Vec<Tree>),
    Any(Vec<Tree>),
}

struct OtherClaims;

/// Returns one requirement of each kind. The last ones have a mistake, or take time.
fn leaf(at: usize) -> Requirement {
    let later = |name, decision: fn() -> Decision| {
        check_async(name, move |_: AnyVerified| async move {
            tokio::task::yield_now().await;
            decision()
        })
    };
    match at {
        0 => scope("orders:read"),
        1 => scope("orders:write"),
        2 => role("clerk"),
        3 => role_at("/grants/{id}", "admin"),
        4 => claim("/tenant", eq(param("id"))),
        5 => claim("/tenant", present()),
        6 => claim("/publish", covers("orders.new")),
        7 => fresh(Duration::from_secs(60)),
        8 => acr(["high"]),
        9 => user(),
        10 => check_facts("deny", |_| false),
        11 => check_facts("undecided", |_| Decision::undecided("the directory is down")),
        12 => check("other claims", |_: &Verified<OtherClaims>| true),
        13 => claim("/tenant", eq(param("of another route"))),
        14 => later("later yes", || Decision::Allow),
        15 => later("later no", || Decision::Deny),
        16 => later("later undecided", || Decision::undecided("the directory is down")),
        _ => scope("no scope"),
    }
}

const LEAVES: usize = 17;

fn takes_time(tree: &Tree) -> bool {
    match tree {
        Tree::Leaf(at) => (14..LEAVES).contains(at),
        Tree::Not(part) | Tree::Named(part) => takes_time(part),
        Tree::All(parts) | Tree::Any(parts) => parts.iter().any(takes_time),
    }
}

fn requirement(tree: &Tree) -> Requirement {
    match tree {
        Tree::Leaf(at) => leaf(*at),
        Tree::Not(part) => not(requirement(part)),
        Tree::Named(part) => requirement(part).named("name"),
        Tree::All(parts) => all(parts.iter().map(requirement)),
        Tree::Any(parts) => any(parts.iter().map(requirement)),
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![40 => (0..LEAVES).prop_map(Tree::Leaf), 1 => (0..=LEAVES).prop_map(Tree::Leaf)];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed.clone().prop_map(Tree::Not),
            boxed.prop_map(Tree::Named),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Tree::All),
            proptest::collection::vec(inner, 0..4).prop_map(Tree::Any),
        ]
    })
}

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

/// Returns claims for all requirements above: absent, correct, or wrong.
fn claims() -> impl Strategy<Value = String> {
    let one_of = |choices: &'static [&'static str]| (0..choices.len()).prop_map(|at| choices[at]);
    let members = [
        one_of(&["", r#""sub":"alice""#, r#""sub":"alice","act":{"sub":"helpdesk"}"#, r#""sub":"alice","act":7"#]),
        one_of(&["", r#""scope":"orders:read""#, r#""scope":"orders:read orders:write""#]),
        one_of(&["", r#""roles":["clerk"]"#]),
        one_of(&["", r#""tenant":"acme""#, r#""tenant":"globex""#, r#""tenant":null"#]),
        one_of(&["", r#""grants":{"acme":["admin"]}"#]),
        one_of(&["", r#""publish":["orders.*"]"#]),
        one_of(&["", r#""auth_time":1799999990"#, r#""auth_time":1799990000"#, r#""auth_time":"yesterday""#]),
        one_of(&["", r#""acr":"high""#, r#""acr":"low""#, r#""acr":1"#]),
    ];
    members.prop_map(|members| {
        let members: Vec<_> = members.into_iter().filter(|member| !member.is_empty()).collect();
        format!("{{{}}}", members.join(","))
    })
}

/// Whether a finding follows from its parts by Kleene's logic, and only parts that take time were skipped.
fn adds_up(tree: &Tree, finding: &Finding) -> bool {
    let is_failed = |finding: &&Finding| matches!(finding.outcome, Outcome::Failed { .. });
    let is_undecided = |finding: &&Finding| matches!(finding.outcome, Outcome::Undecided { .. });
    let is_passed = |finding: &&Finding| finding.outcome == Outcome::Passed;
    if finding.outcome == Outcome::Skipped {
        return takes_time(tree);
    }
    let parts = &finding.parts;
    let follows = match tree {
        Tree::Leaf(_) => parts.is_empty(),
        Tree::Named(part) => return adds_up(part, finding),
        Tree::Not(_) => match parts[0].outcome {
            Outcome::Passed => is_failed(&finding),
            Outcome::Failed { .. } => is_passed(&finding),
            _ => is_undecided(&finding),
        },
        Tree::All(_) if parts.iter().any(|part| is_failed(&part)) => is_failed(&finding),
        Tree::Any(_) if parts.iter().any(|part| is_passed(&part)) => is_passed(&finding),
        Tree::All(_) if parts.iter().all(|part| is_passed(&part)) => is_passed(&finding),
        Tree::Any(_) if parts.iter().all(|part| is_failed(&part)) => is_failed(&finding),
        Tree::All(_) | Tree::Any(_) => {
            parts.iter().all(|part| part.outcome != Outcome::Skipped) && is_undecided(&finding)
        }
    };
    let of_parts: &[Tree] = match tree {
        Tree::Leaf(_) | Tree::Named(_) => &[],
        Tree::Not(part) => std::slice::from_ref(part),
        Tree::All(parts) | Tree::Any(parts) => parts,
    };
    follows && of_parts.iter().zip(parts).all(|(tree, finding)| adds_up(tree, finding))
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn caller(claims: &str) -> AnyVerified {
    Verified::assertion(Facts::assertion(claims, Conventions::new("https://issuer.example")).unwrap(), NoCustom).into()
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(seed::seed()), cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn explain_agrees_with_evaluate_on_random_requirements(tree in tree(), claims in claims()) {
        let (requirement, caller) = (requirement(&tree), caller(&claims));
        let params = PathParams::from_iter([("id", "acme")]);
        let at = Circumstances::new(&caller, &params, NOW);
        let (decided, explanation) = block_on(async { (requirement.evaluate(at).outcome().await, requirement.explain(at).await) });
        let [decided, explained] = [&decided, &explanation.verdict].map(|verdict| verdict.as_ref().map_err(ToString::to_string));
        prop_assert_eq!(&decided, &explained, "{}", explanation);
        prop_assert_eq!(decided.is_err(), explanation.finding.is_failed(), "{}", explanation);
        if requirement.clone().checked().is_ok() {
            prop_assert!(adds_up(&tree, &explanation.finding), "{}", explanation);
        }
        let code = match &explanation.finding.outcome {
            Outcome::Failed { code, .. } | Outcome::Undecided { code, .. } => Some(*code),
            _ => None,
        };
        prop_assert_eq!(explanation.verdict.err().map(|error| error.code()), code);
        prop_assert!(code.is_none_or(|code| Check::Requirement.codes().contains(&code)), "{:?}", code);
    }
}

/// Returns the code with which the layers refuse.
fn answered(auth: &AuthLayer, guard: &RequireLayer, request: Request<()>) -> Option<Code> {
    let inner = service_fn(async |_: Request<()>| Ok::<_, std::convert::Infallible>(Response::new(String::new())));
    let response: Response<String> = block_on(auth.layer(guard.layer(inner)).oneshot(request)).unwrap();
    response.extensions().get::<Code>().copied()
}

fn failed<C>(explanation: &Explanation<C>) -> Vec<Check> {
    explanation.findings.iter().filter(|finding| finding.is_failed()).map(|finding| finding.check).collect()
}

fn code<C>(explanation: &Explanation<C>) -> Option<Code> {
    explanation.verdict.as_ref().err().map(portcullis::AuthError::code)
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(seed::seed()), cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn an_explainer_agrees_with_the_layers_on_random_requests(
        tree in tree(),
        scopes in 0..3usize,
        defect in proptest::option::weighted(0.3, 0..Defect::ALL.len()),
        credentials in 0..8usize,
        path in 0..3usize,
    ) {
        let clock = FixedClock::default();
        let issuer = MockIssuer::new().clock(clock.clone());
        let admission = Admission::explainable(JwtAuthenticator::new(issuer.trusted()).unwrap()).clock(clock);
        let Ok(guard) = RequireLayer::new(requirement(&tree)).path("/orders/{id}") else { return Ok(()) };
        let token = issuer.token().subject("alice").scope(["orders:read", "orders:read orders:write", "other"][scopes]);
        let token = token.claim("tenant", "acme").claim("grants", serde_json::json!({ "acme": ["admin"] }));
        let token = defect.map_or(token.clone(), |at| token.defect(Defect::ALL[at])).sign();
        let request = || {
            let request = Request::get(["/orders/acme", "/orders/globex", "/elsewhere"][path]);
            let request = if credentials == 0 { request } else { request.header("authorization", format!("Bearer {token}")) };
            let request = if credentials == 1 { request.header("x-token", &token) } else { request };
            request.body(()).ok()
        };
        let Some(sent) = request() else { return Ok(()) }; // with a byte that no header can contain
        let auth = AuthLayer::new(&admission).or_at(HttpHeader::new("x-token").unwrap(), &admission).unwrap();
        let explainer = Explainer::new(&admission).or_at(HttpHeader::new("x-token").unwrap(), &admission).guard(&guard);
        let explanation = block_on(explainer.explain(&sent));
        prop_assert_eq!(code(&explanation), answered(&auth, &guard, sent), "{}", explanation);
        prop_assert_eq!(code(&explanation).is_some(), !failed(&explanation).is_empty(), "{}", explanation);
    }
}

fn explain(requirement: &Requirement, claims: &str) -> RequirementExplanation {
    block_on(requirement.explain(Circumstances::new(&caller(claims), &PathParams::from_iter([("id", "4711")]), NOW)))
}

#[test]
fn everything_that_is_missing_is_reported_at_once() {
    let requirement = scope("orders:write").and(role("clerk")).and(scope("orders:read").or(role("admin")));
    let explanation = explain(&requirement, r#"{"scope":"orders:read"}"#);
    assert_eq!(
        explanation.to_string(),
        r#"FAILED    requirement: scope_missing (expected: scope("orders:write") and role("clerk") and (scope("orders:read") or role("admin")))
  FAILED    scope("orders:write"): scope_missing
  FAILED    role("clerk"): role_missing
  passed    scope("orders:read") or role("admin")
    passed    scope("orders:read")
    FAILED    role("admin"): role_missing
refused: scope_missing: not met: scope("orders:write"), of: scope("orders:write") and role("clerk") and (scope("orders:read") or role("admin"))"#
    );
    assert!(explain(&requirement, r#"{"scope":"orders:read orders:write","roles":["clerk"]}"#).verdict.is_ok());
}

#[test]
fn an_explanation_says_how_the_caller_differs_and_quotes_no_value() {
    let requirement = all([
        fresh(Duration::from_secs(60)),
        acr(["high"]),
        claim("/tenant", eq(param("id"))),
        claim("/region", eq("eu")),
        user(),
    ]);
    let claims = r#"{"client_id":"the-app","auth_time":1799999000,"tenant":"secret-tenant"}"#;
    let shown = explain(&requirement, claims).to_string();
    for said in [
        "FAILED    fresh(60s): authentication_too_old: the login was 1000 s ago",
        r#"FAILED    acr("high"): authentication_too_weak: the token has no `acr`"#,
        "FAILED    claim(\"/tenant\") == param(\"id\"): requirement_not_met\n",
        r#"FAILED    claim("/region") == "eu": requirement_not_met: the token has nothing there"#,
        "FAILED    user: requirement_not_met: the caller is an application",
    ] {
        assert!(shown.contains(said), "{said} in {shown}");
    }
    for value in ["secret-tenant", "the-app", "4711", "1799999000"] {
        assert!(!shown.contains(value), "{value} in {shown}");
    }
}

#[test]
fn a_look_up_is_made_only_where_a_guard_makes_it() {
    let asked = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&asked);
    let member = check_async("member", move |_: AnyVerified| {
        counter.fetch_add(1, Ordering::SeqCst);
        async { Err::<bool, _>("the directory is down") }
    });
    let requirement = member.and(scope("orders:read"));
    let refused = explain(&requirement, "{}");
    assert_eq!(refused.finding.parts[0].outcome, Outcome::Skipped, "a caller without the scope causes no look-up");
    assert_eq!(asked.load(Ordering::SeqCst), 0);

    let undecided = explain(&requirement, r#"{"scope":"orders:read"}"#);
    assert_eq!(undecided.verdict.as_ref().unwrap_err().code(), Code::RequirementUndecided);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let shown = undecided.finding.parts[0].to_string();
    assert!(shown.starts_with("UNDECIDED requirement: requirement_undecided: the look-up failed"), "{shown}");
}

#[test]
fn a_requirement_that_cannot_be_used_is_undecided_as_a_whole() {
    let explanation = explain(&scope("orders read").or(scope("orders:read")), r#"{"scope":"orders:read"}"#);
    assert_eq!(explanation.verdict.as_ref().unwrap_err().code(), Code::ServiceMisconfigured);
    assert!(matches!(explanation.finding.outcome, Outcome::Undecided { code: Code::ServiceMisconfigured, .. }));
    assert!(explain(&scope("orders:read"), r#"{"scope":"orders:read"}"#).verdict.is_ok(), "without the mistake");
}

struct OwnOrders;

impl Guard for OwnOrders {
    fn requirement() -> &'static Requirement {
        static REQUIREMENT: LazyLock<Requirement> = LazyLock::new(|| claim("/tenant", eq(param("id"))));
        &REQUIREMENT
    }

    fn path() -> Option<&'static str> {
        Some("/orders/{id}")
    }
}

#[test]
fn the_explanation_of_every_kind_of_guard_agrees_with_its_decision() {
    let issuer = MockIssuer::new();
    let admission = Admission::explainable(JwtAuthenticator::new(issuer.trusted()).unwrap());
    let token = issuer.token().claim("tenant", "acme").sign();
    let request = |path: &str, token: &str| {
        Request::get(path).header("authorization", format!("Bearer {token}")).body(()).unwrap()
    };
    let explained =
        |guard: RouteGuard, request: &Request<()>| block_on(Explainer::new(&admission).guard(guard).explain(request));
    let guard = || RouteGuard::from(&RequireLayer::new(OwnOrders::requirement().clone()).path("/orders/{id}").unwrap());
    for guard in [guard, RouteGuard::of::<OwnOrders>] {
        assert_eq!(code(&explained(guard(), &request("/orders/acme", &token))), None);
        assert_eq!(code(&explained(guard(), &request("/orders/globex", &token))), Some(Code::RequirementNotMet));
        let elsewhere = explained(guard(), &request("/elsewhere", &token));
        assert_eq!(failed(&elsewhere), [Check::Requirement], "{elsewhere}");
        assert!(elsewhere.to_string().contains("does not match the guard's template"), "{elsewhere}");
    }
    let table = AccessTable::new().public(Method::GET, "/health").authenticated(Method::GET, "/me").require(
        Method::GET,
        "/orders",
        scope("orders:read"),
    );
    let table = || RouteGuard::from(&table.layer().unwrap());
    for path in ["/health", "/me"] {
        assert_eq!(code(&explained(table(), &request(path, &token))), None, "{path}");
    }
    assert_eq!(code(&explained(table(), &request("/orders", &token))), Some(Code::ScopeMissing));
    let unlisted = explained(table(), &request("/admin", &token));
    assert!(unlisted.to_string().contains("the route is not in the access table"), "{unlisted}");
}

#[test]
fn after_a_refused_credential_requirements_are_listed_as_skipped() {
    let issuer = MockIssuer::new();
    let admission = Admission::explainable(JwtAuthenticator::new(issuer.trusted()).unwrap());
    let explainer = Explainer::new(&admission).guard(scope("orders:read").and(role("clerk")));
    let expired = issuer.token().defect(Defect::Expired).sign();
    let request = Request::get("/").header("authorization", format!("Bearer {expired}")).body(()).unwrap();
    let explanation = block_on(explainer.explain(&request));
    assert_eq!(failed(&explanation), [Check::Expiry]);
    let asked = explanation.findings.last().unwrap();
    assert_eq!((asked.check, &asked.outcome, asked.parts.len()), (Check::Requirement, &Outcome::Skipped, 2));

    let without = block_on(explainer.explain(&Request::get("/").body(()).unwrap()));
    assert_eq!((code(&without), failed(&without)), (Some(Code::CredentialMissing), vec![Check::Form]));
    let good = issuer.token().scope("orders:read").claim("roles", ["clerk"]).sign();
    let request = Request::get("/").header("authorization", format!("Bearer {good}")).body(()).unwrap();
    assert_eq!(code(&block_on(explainer.explain(&request))), None);
}

#[test]
fn an_explanation_can_be_made_on_any_thread() {
    fn is_send<T: Send>(_: &T) {}
    let admission = Admission::explainable(JwtAuthenticator::new(MockIssuer::new().trusted()).unwrap());
    let (explainer, request) = (Explainer::new(&admission), Request::new(()));
    is_send(&explainer.explain(&request));
    let (caller, params) = (caller("{}"), PathParams::new());
    is_send(&scope("a").explain(Circumstances::new(&caller, &params, NOW)));
}
