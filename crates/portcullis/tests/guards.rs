//! Tests `RequireLayer` in front of a service.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, routing::get};
use http::{Request, Response, StatusCode, header::WWW_AUTHENTICATE};
use portcullis::{
    AuthError, AuthLayer, Code, RequireLayer, Requirement, Verified,
    authenticator::{Attempt, Authenticator, Credential, Proven},
    clock::{Clock, UnixTime},
    rejection::{BearerChallenge, GrpcStatus},
    requirement::{check_async, check_facts, claim, eq, fresh, param, role_at, scope},
    verified::{AnyVerified, Conventions, Facts, NoCustom},
};
use tower::{Layer, Service, ServiceExt};

fn verified(claims: &str) -> AnyVerified {
    let facts = Facts::assertion(claims, Conventions::new("https://issuer.example")).unwrap();
    Verified::assertion(facts, NoCustom).into()
}

fn auth(claims: &str) -> AuthLayer {
    AuthLayer::assertion(verified(claims))
}

/// An authenticator that refuses every credential, for tests of requests without one.
#[derive(Debug)]
struct RefuseAll;

impl Authenticator for RefuseAll {
    type Custom = NoCustom;

    fn verify(&self, _: Credential<'_>) -> Attempt<Proven> {
        Attempt::Done(Err(Code::SignatureInvalid.into()))
    }
}

fn inner() -> impl Service<Request<()>, Response = Response<String>, Error = Infallible, Future: Send> + Clone {
    tower::service_fn(|_: Request<()>| ready(Ok(Response::new(String::from("in")))))
}

fn request(uri: &str) -> Request<()> {
    Request::get(uri).body(()).unwrap()
}

async fn answer(claims: &str, guard: RequireLayer, uri: &str) -> Response<String> {
    auth(claims).layer(guard.layer(inner())).oneshot(request(uri)).await.unwrap()
}

fn code(response: &Response<String>) -> Option<Code> {
    response.extensions().get().copied()
}

#[tokio::test]
async fn a_caller_who_meets_the_requirement_passes() {
    let guard = || RequireLayer::new(scope("orders:read"));
    let response = answer(r#"{"scope":"orders:read"}"#, guard(), "/").await;
    assert_eq!((response.status(), response.body().as_str()), (StatusCode::OK, "in"));

    let response = answer(r#"{"scope":"orders:write"}"#, guard(), "/").await;
    assert_eq!((response.status(), code(&response)), (StatusCode::FORBIDDEN, Some(Code::ScopeMissing)));
    let challenge = response.headers()[WWW_AUTHENTICATE].to_str().unwrap();
    assert!(challenge.contains(r#"error="insufficient_scope""#) && challenge.contains(r#"scope="orders:read""#));
    assert!(!response.body().contains("in\n") && response.body().contains("scope_missing"));
}

#[tokio::test]
async fn without_a_layer_in_front_no_request_passes() {
    let guard = RequireLayer::new(check_facts("anybody", |_| true));
    assert_eq!(answer("{}", guard.clone(), "/").await.status(), StatusCode::OK);
    let response = guard.layer(inner()).oneshot(request("/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(code(&response), Some(Code::ServiceMisconfigured));
    assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
}

#[tokio::test]
async fn an_anonymous_caller_gets_401() {
    let service =
        |guard: RequireLayer| AuthLayer::new(RefuseAll).realm("orders").optional().layer(guard.layer(inner()));
    let guard = RequireLayer::new(!scope("a"));
    let response = service(guard).oneshot(request("/")).await.unwrap();
    assert_eq!((response.status(), code(&response)), (StatusCode::UNAUTHORIZED, Some(Code::CredentialMissing)));
    assert_eq!(response.headers()[WWW_AUTHENTICATE], r#"Bearer realm="orders""#);
}

#[tokio::test]
async fn a_preflight_has_no_caller_and_is_refused_like_one() {
    let service = || AuthLayer::new(RefuseAll).optional().layer(RequireLayer::new(scope("a")).layer(inner()));
    let options = || Request::options("/").header("origin", "https://app.example");
    let preflight = options().header("access-control-request-method", "PUT").body(()).unwrap();
    assert_eq!(service().oneshot(preflight).await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let other = options().body(()).unwrap();
    assert_eq!(service().oneshot(other).await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_undecided_requirement_is_503() {
    let down = || check_facts("member", |_| Err::<bool, _>("the directory is down"));
    for requirement in [down(), !down(), down().and(scope("a")), down().or(scope("b"))] {
        let response = answer(r#"{"scope":"a"}"#, RequireLayer::new(requirement), "/").await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key("retry-after") && !response.headers().contains_key(WWW_AUTHENTICATE));
        assert!(!response.body().contains("directory"));
    }
    let response = answer(r#"{"scope":"a"}"#, RequireLayer::new(down().or(scope("a"))), "/").await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_login_that_is_too_old_asks_for_another() {
    #[derive(Debug)]
    struct At(u64);
    impl Clock for At {
        fn now(&self) -> UnixTime {
            UnixTime::from_secs(self.0)
        }
    }
    let answer_at = async |now| {
        let guard = RequireLayer::new(fresh(Duration::from_secs(60)));
        AuthLayer::assertion_by(verified(r#"{"auth_time":1000}"#), At(now))
            .layer(guard.layer(inner()))
            .oneshot(request("/"))
            .await
            .unwrap()
    };
    assert_eq!(answer_at(1060).await.status(), StatusCode::OK);
    let response = answer_at(1061).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let challenge = response.headers()[WWW_AUTHENTICATE].to_str().unwrap();
    assert!(challenge.contains(r#"error="insufficient_user_authentication""#), "{challenge}");
    assert!(challenge.contains(r#"max_age="60""#), "{challenge}");
}

#[tokio::test]
async fn path_parameters_come_from_the_template() {
    let guard =
        || RequireLayer::new(role_at("/grants/{instance}", "admin")).path("/instances/{instance}/logs").unwrap();
    let claims = r#"{"grants":{"i-1":"admin","a b":"admin"}}"#;
    for uri in ["/instances/i-1/logs", "/instances/i-1/logs?x=/instances/i-2/logs", "/instances/a%20b/logs"] {
        assert_eq!(answer(claims, guard(), uri).await.status(), StatusCode::OK, "{uri}");
    }
    for uri in ["/instances/i-2/logs", "/instances/i-1%2F../logs", "/instances/%FF/logs", "/instances/a+b/logs"] {
        assert_eq!(answer(claims, guard(), uri).await.status(), StatusCode::FORBIDDEN, "{uri}");
    }
    for uri in ["/instances/i-1", "/instances/i-1/logs/", "/"] {
        assert_eq!(answer(claims, guard(), uri).await.status(), StatusCode::FORBIDDEN, "{uri}");
    }
    let without = RequireLayer::new(role_at("/grants/{instance}", "admin"));
    assert_eq!(answer(claims, without, "/instances/i-1/logs").await.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[test]
fn an_unsuitable_template_is_refused_at_start() {
    let own = || RequireLayer::new(claim("/tenant", eq(param("tenant"))));
    assert!(own().path("/{tenant}").is_ok());
    for template in ["/{other}", "tenant", "/{tenant", "/{tenant}/{tenant}"] {
        assert!(own().path(template).is_err(), "{template}");
    }
}

#[tokio::test]
async fn in_a_nested_router_the_template_is_relative_to_the_router() {
    let guard = |template| RequireLayer::new(claim("/tenant", eq(param("tenant")))).path(template).unwrap();
    let inside = Router::new().route("/{tenant}", get(async || "in").layer(guard("/{tenant}")));
    let outside = Router::new().route("/{tenant}", get(async || "in"));
    let app = Router::new()
        .nest("/inside", inside)
        .merge(Router::new().nest("/outside", outside).layer(guard("/outside/{tenant}")))
        .layer(auth(r#"{"tenant":"acme"}"#));
    for (uri, status) in
        [("/inside/acme", 200), ("/inside/globex", 403), ("/outside/acme", 200), ("/outside/globex", 403)]
    {
        let response = app.clone().oneshot(Request::get(uri).body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), status, "{uri}");
    }
}

#[tokio::test]
async fn refusals_are_answered_with_the_challenge_of_the_layer_in_front() {
    let service = auth("{}").challenge(BearerChallenge::new().realm("orders")).layer(guard(scope("a")).layer(inner()));
    let response = service.oneshot(request("/")).await.unwrap();
    assert!(response.headers()[WWW_AUTHENTICATE].to_str().unwrap().starts_with(r#"Bearer realm="orders", "#));
}

#[tokio::test]
async fn a_guard_can_have_its_own_rejection() {
    let own = |error: &AuthError| Response::new(format!("no: {}", error.code()));
    let service = auth("{}").layer(guard(scope("a")).rejection(own).layer(inner()));
    let response = service.oneshot(request("/")).await.unwrap();
    assert_eq!((response.body().as_str(), code(&response)), ("no: scope_missing", Some(Code::ScopeMissing)));

    // a body type that only implements `Default`
    let grpc = tower::service_fn(|_: Request<()>| ready(Ok::<_, Infallible>(Response::new(()))));
    let guarded = guard(scope("a")).rejection(GrpcStatus::new()).layer(grpc);
    let service = auth("{}").rejection(GrpcStatus::new()).layer(guarded.clone());
    let response = service.oneshot(request("/")).await.unwrap();
    assert_eq!(
        (&response.headers()["grpc-status"], response.extensions().get()),
        (&"7".parse().unwrap(), Some(&Code::ScopeMissing))
    );

    let service = AuthLayer::new(RefuseAll).rejection(GrpcStatus::new()).layer(guarded);
    let response = service.oneshot(request("/")).await.unwrap();
    assert_eq!(
        (&response.headers()["grpc-status"], response.extensions().get()),
        (&"16".parse().unwrap(), Some(&Code::CredentialMissing))
    );
}

fn guard(requirement: Requirement) -> RequireLayer {
    RequireLayer::new(requirement)
}

fn later(decision: bool) -> Requirement {
    check_async("later", move |_: AnyVerified| async move {
        tokio::task::yield_now().await;
        decision
    })
}

#[tokio::test]
async fn a_decision_may_take_time() {
    assert_eq!(answer("{}", guard(later(true)), "/").await.status(), StatusCode::OK);
    let response = answer("{}", guard(later(false)), "/").await;
    assert_eq!((response.status(), code(&response)), (StatusCode::FORBIDDEN, Some(Code::RequirementNotMet)));
    let route = get(async || "in").layer(guard(later(true)));
    let app: Router = Router::new().route("/", route).layer(auth("{}"));
    let response = app.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

/// A service that panics when it is called without having been polled, as tower allows.
struct Strict {
    polled: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self { polled: false }
    }
}

impl Service<Request<()>> for Strict {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.polled = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(std::mem::take(&mut self.polled), "called without having been polled");
        ready(Ok(Response::new(String::from("in"))))
    }
}

#[tokio::test]
async fn the_service_that_was_polled_is_the_one_that_is_called() {
    for requirement in [scope("a"), later(true)] {
        let mut service = auth(r#"{"scope":"a"}"#).layer(guard(requirement).layer(Strict { polled: false }));
        for _ in 0..2 {
            let response = service.ready().await.unwrap().call(request("/")).await.unwrap();
            assert_eq!(response.body(), "in");
        }
    }
}

#[tokio::test]
async fn a_refused_request_never_reaches_the_inner_service() {
    let unreachable = tower::service_fn(
        |_: Request<()>| -> Pin<Box<dyn Future<Output = Result<Response<String>, Infallible>> + Send>> {
            panic!("reached")
        },
    );
    for requirement in [scope("a"), later(false)] {
        let service = auth("{}").layer(guard(requirement).layer(unreachable));
        assert_eq!(service.oneshot(request("/")).await.unwrap().status(), StatusCode::FORBIDDEN);
    }
}

#[test]
fn a_guard_is_send_sync_and_debug() {
    fn shared<T: Clone + Send + Sync + std::fmt::Debug + 'static>(value: &T) -> String {
        format!("{value:?}")
    }
    let layer = guard(scope("a"));
    assert_eq!(shared(&layer), r#"RequireLayer { requirement: Requirement(scope("a")), .. }"#);
    assert_eq!(layer.requirement().to_string(), r#"scope("a")"#);
}
