//! Tests ways around a guard that reviewers found, each next to the request that should pass.
#![cfg(feature = "axum")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::convert::Infallible;

use axum::{
    Router,
    body::Body,
    routing::{any, get},
};
use http::{Method, Request, Response, StatusCode};
use portcullis::{
    AccessTable, Admission, AuthLayer, Claims, FromState, JwtAuthenticator, RequireLayer,
    access_table::RouteMethod,
    extract::GrantedScopes,
    location::QueryParameter,
    rejection::GrpcStatus,
    requirement::{authenticated, claim, eq, not, one_of, param, role_at, scope},
};
use portcullis_test::MockIssuer;
use tower::{Layer, ServiceExt, service_fn};

fn auth(issuer: &MockIssuer) -> AuthLayer {
    AuthLayer::new(JwtAuthenticator::new(issuer.trusted()).unwrap())
}

async fn send(app: Router, request: http::request::Builder) -> StatusCode {
    app.oneshot(request.body(Body::from("a body")).unwrap()).await.unwrap().status()
}

fn preflight(path: &str) -> http::request::Builder {
    let request = Request::builder().method(Method::OPTIONS).uri(path);
    request.header("origin", "https://app.example").header("access-control-request-method", "POST")
}

fn with_token(path: &str, token: &str) -> http::request::Builder {
    Request::get(path).header("authorization", format!("Bearer {token}"))
}

#[tokio::test]
async fn a_preflight_reaches_no_guarded_handler() {
    let issuer = MockIssuer::new();
    let token = issuer.token().scope("admin").sign();
    let guarded = any(async || "in").layer(RequireLayer::new(scope("admin")));
    let app = Router::new().route("/", guarded).layer(auth(&issuer));
    assert_eq!(send(app.clone(), with_token("/", &token)).await, StatusCode::OK);
    assert_eq!(send(app, preflight("/")).await, StatusCode::UNAUTHORIZED);

    let fallback = Router::new().fallback(async || "in").layer(RequireLayer::new(authenticated())).layer(auth(&issuer));
    assert_eq!(send(fallback.clone(), with_token("/", &token)).await, StatusCode::OK);
    assert_eq!(send(fallback, preflight("/")).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_preflight_reaches_only_public_routes_of_an_access_table() {
    let issuer = MockIssuer::new();
    let table =
        AccessTable::new().public(RouteMethod::ANY, "/public").require(RouteMethod::ANY, "/admin", scope("admin"));
    let app = Router::new()
        .route("/public", any(async || "in"))
        .route("/admin", any(async || "in"))
        .route("/unlisted", any(async || "in"))
        .layer(table.layer().unwrap())
        .layer(auth(&issuer).optional());
    assert_eq!(send(app.clone(), preflight("/public")).await, StatusCode::OK);
    assert_eq!(send(app.clone(), preflight("/admin")).await, StatusCode::UNAUTHORIZED);
    assert_eq!(send(app, preflight("/unlisted")).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn preflights_pass_only_if_configured() {
    let inner = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::from("in"))));
    let layer = auth(&MockIssuer::new());
    let status =
        async |layer: &AuthLayer| layer.layer(inner).oneshot(preflight("/").body(()).unwrap()).await.unwrap().status();
    assert_eq!(status(&layer).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&layer.clone().danger_pass_preflights()).await, StatusCode::OK);
    let grpc = layer.rejection(GrpcStatus::new()).layer(inner).oneshot(preflight("/").body(()).unwrap()).await.unwrap();
    assert_eq!(grpc.headers()["grpc-status"], "16");
}

#[tokio::test]
async fn a_mistake_under_a_not_admits_no_caller() {
    let issuer = MockIssuer::new();
    let token = issuer.token().sign();
    let app = |requirement| {
        Router::new().route("/", get(async || "in").layer(RequireLayer::new(requirement))).layer(auth(&issuer))
    };
    assert_eq!(send(app(not(scope("banned"))), with_token("/", &token)).await, StatusCode::OK);
    for mistaken in [
        not(scope("a b")),
        not(claim("/x", one_of([] as [&str; 0]))),
        not(claim("no-pointer", eq("x"))),
        not(not(scope("a b"))).or(authenticated()),
    ] {
        let shown = mistaken.to_string();
        assert_eq!(send(app(mistaken), with_token("/", &token)).await, StatusCode::INTERNAL_SERVER_ERROR, "{shown}");
    }
}

#[tokio::test]
async fn two_parameters_in_one_segment_of_a_pointer_are_refused() {
    let issuer = MockIssuer::new();
    let grants = serde_json::json!({"a": {"b:c": ["admin"]}, "a:b:c": ["admin"]});
    let token = issuer.token().claim("grants", grants).sign();
    let app = |pointer: &str| {
        let guard = RequireLayer::new(role_at(pointer, "admin")).path("/{org}/{inst}").unwrap();
        Router::new().route("/{org}/{inst}", get(async || "in").layer(guard)).layer(auth(&issuer))
    };
    assert_eq!(send(app("/grants/{org}/{inst}"), with_token("/a/b:c", &token)).await, StatusCode::OK);
    assert_eq!(send(app("/grants/{org}/{inst}"), with_token("/a:b/c", &token)).await, StatusCode::FORBIDDEN);
    let ambiguous = RequireLayer::new(role_at("/grants/{org}:{inst}", "admin"));
    assert!(ambiguous.path("/{org}/{inst}").unwrap_err().to_string().contains("one parameter"));
}

#[tokio::test]
async fn a_path_that_a_client_chooses_does_not_count_as_the_developers_mistake() {
    let issuer = MockIssuer::new();
    let token = issuer.token().claim("tenant", "acme").sign();
    let guard = RequireLayer::new(claim("/tenant", eq(param("tenant")))).path("/t/{tenant}").unwrap();
    let app = Router::new().route("/t/{tenant}", get(async || "in")).layer(guard).layer(auth(&issuer));
    assert_eq!(send(app.clone(), with_token("/t/acme", &token)).await, StatusCode::OK);
    for path in ["/t/globex", "/nothing", "/t/acme/"] {
        assert_eq!(send(app.clone(), with_token(path, &token)).await, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn several_extractors_from_the_state_see_one_caller() {
    async fn both(
        FromState(claims): FromState<Claims>,
        FromState(again): FromState<Option<Claims>>,
        FromState(scopes): FromState<GrantedScopes>,
    ) -> String {
        let again = again.and_then(|claims| claims.subject().map(str::to_owned));
        format!("{:?} {again:?} {}", claims.subject(), scopes.allow("a"))
    }
    let issuer = MockIssuer::new();
    let token = issuer.token().subject("alice").scope("a").sign();
    let admission = Admission::new(JwtAuthenticator::new(issuer.trusted()).unwrap());
    for (layer, request) in [
        (auth(&issuer), with_token("/", &token)),
        (
            AuthLayer::at(QueryParameter::new("access_token").unwrap(), admission),
            Request::get(format!("/?access_token={token}")),
        ),
    ] {
        let app = Router::new().route("/", get(both)).with_state(layer);
        let reply = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(reply.status(), StatusCode::OK);
        let body = axum::body::to_bytes(reply.into_body(), 1 << 16).await.unwrap();
        assert_eq!(body, r#"Some("alice") Some("alice") true"#);
    }
}
