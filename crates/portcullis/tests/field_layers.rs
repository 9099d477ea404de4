//! Tests where a layer can be put, and which requests pass it (rows T6, T13, T16).
#![cfg(feature = "axum")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::convert::Infallible;

use axum::{
    Router,
    body::Body,
    routing::{any, get, post},
};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use portcullis::{
    AuthLayer, Claims, Verified,
    location::Cookie,
    verified::{Conventions, Facts, NoCustom},
};
use portcullis_test::MockIssuer;
use tower::{ServiceExt, service_fn};
use tower_http::cors::CorsLayer;

fn auth() -> AuthLayer {
    AuthLayer::new(MockIssuer::new().admission())
}

fn preflight() -> http::request::Builder {
    let request = Request::options("/a").header("origin", "https://app.example");
    request.header("access-control-request-method", "POST")
}

async fn status(app: &Router, request: http::request::Builder, body: &'static str) -> u16 {
    app.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap().status().as_u16()
}

/// All kinds of handlers that ignore the method, and one that extracts the caller.
fn handlers() -> [(&'static str, Router); 4] {
    let nested = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::from("in"))));
    let maybe = async |claims: Option<Claims>| if claims.is_some() { "identified" } else { "anonymous" };
    [
        ("any", Router::new().route("/a", any(async || "in"))),
        ("nest_service", Router::new().nest_service("/a", nested)),
        ("fallback", Router::new().fallback(async || "in")),
        ("Option<Claims>", Router::new().route("/a", any(maybe))),
    ]
}

#[tokio::test]
async fn row_t6_an_anonymous_preflight_reaches_no_handler() {
    for (name, router) in handlers() {
        let app = router.layer(auth());
        assert_eq!(status(&app, preflight(), "a body").await, 401, "{name}");
        assert_eq!(status(&app, preflight(), "").await, 401, "{name}");
    }
}

#[tokio::test]
async fn row_t6_a_cors_layer_outside_answers_preflights_and_marks_refusals() {
    let cors =
        CorsLayer::new().allow_origin(HeaderValue::from_static("https://app.example")).allow_methods([Method::POST]);
    for (name, router) in handlers() {
        let app = router.layer(auth()).layer(cors.clone());
        let answer = app.clone().oneshot(preflight().body(Body::from("a body")).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{name}");
        assert_eq!(answer.headers()["access-control-allow-methods"], "POST", "{name}");
        let body = axum::body::to_bytes(answer.into_body(), 1 << 16).await.unwrap();
        assert!(body.is_empty(), "{name}: the handler did not run");
        let request = Request::post("/a").header("origin", "https://app.example").body(Body::empty()).unwrap();
        let refused = app.oneshot(request).await.unwrap();
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{name}");
        assert_eq!(refused.headers()["access-control-allow-origin"], "https://app.example", "{name}");
    }
}

#[tokio::test]
async fn row_t6_where_preflights_are_let_through_option_claims_refuses_them() {
    for (name, router) in handlers() {
        let app = router.layer(auth().danger_pass_preflights());
        let expected = if name == "Option<Claims>" { 401 } else { 200 };
        assert_eq!(status(&app, preflight(), "").await, expected, "{name}");
        assert_eq!(status(&app, preflight().header("content-length", "6"), "a body").await, 401, "{name}");
        assert_eq!(status(&app, Request::options("/a"), "").await, 401, "{name}");
    }
    let maybe = async |claims: Option<Claims>| if claims.is_some() { "identified" } else { "anonymous" };
    let app = Router::new().route("/a", any(maybe)).layer(auth().optional());
    assert_eq!(status(&app, Request::get("/a"), "").await, 200, "anonymous");
}

#[tokio::test]
async fn row_t13_a_layer_that_asserts_a_token_looks_nowhere_else() {
    let issuer = MockIssuer::new();
    let asserted = || {
        let facts = Facts::assertion(r#"{"sub":"asserted"}"#, Conventions::new("https://a.test")).unwrap();
        AuthLayer::assertion(Verified::assertion(facts, NoCustom))
    };
    let error = asserted().or_at(Cookie::new("token").unwrap(), issuer.admission()).unwrap_err();
    assert!(error.to_string().contains("`assertion`"), "{error}");

    // Also for repeated requests, and whatever credential they have.
    let who = async |claims: Claims| claims.subject().unwrap_or("unknown").to_owned();
    let app = Router::new().route("/", get(who)).layer(asserted());
    for _ in 0..3 {
        let request = Request::get("/").header("authorization", issuer.token().subject("other-user").bearer());
        let answer = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let body = axum::body::to_bytes(answer.into_body(), 1 << 16).await.unwrap();
        assert_eq!(body, "asserted");
    }
}

#[test]
fn row_t13_one_place_has_one_authenticator() {
    let issuer = MockIssuer::new();
    let cookie = |name| Cookie::new(name).unwrap();
    let layer = || AuthLayer::at(cookie("a"), issuer.admission());
    assert!(layer().or_at(cookie("b"), issuer.admission()).is_ok());
    let error = layer().or_at(cookie("a"), issuer.admission()).unwrap_err();
    assert!(error.to_string().contains("cookie a"), "{error}");
}

#[tokio::test]
async fn row_t16_what_is_added_after_the_layer_is_open_and_before_it_guarded() {
    let handler = async || "in";
    let (open, guarded) = (200, 401);
    let post_a = || Request::post("/a");
    for (name, router, request, expected) in [
        (
            "fallback after",
            Router::new().route("/a", get(handler)).layer(auth()).fallback(handler),
            Request::get("/x"),
            open,
        ),
        (
            "fallback before",
            Router::new().route("/a", get(handler)).fallback(handler).layer(auth()),
            Request::get("/x"),
            guarded,
        ),
        (
            "route_layer",
            Router::new().route("/a", get(handler)).fallback(handler).route_layer(auth()),
            Request::get("/x"),
            open,
        ),
        ("method after", Router::new().route("/a", get(handler).layer(auth()).post(handler)), post_a(), open),
        ("method before", Router::new().route("/a", get(handler).post(handler).layer(auth())), post_a(), guarded),
        ("route after", Router::new().layer(auth()).route("/a", post(handler)), post_a(), open),
        ("route before", Router::new().route("/a", post(handler)).layer(auth()), post_a(), guarded),
    ] {
        assert_eq!(status(&router, request, "").await, expected, "{name}");
    }
}

#[cfg(feature = "form")]
#[tokio::test]
async fn row_t16_a_form_layer_inside_is_noticed_with_the_first_request() {
    use portcullis::location::{FormBody, FormBodyLayer};

    let issuer = MockIssuer::new();
    let auth = || AuthLayer::at(FormBody::new(), issuer.admission()).optional();
    let who = async |claims: Option<Claims>| if claims.is_some() { "identified" } else { "anonymous" };
    let form = |token: &str| {
        let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
        request.body(Body::from(format!("access_token={token}"))).unwrap()
    };
    let routes = || Router::new().route("/", post(who).get(who));
    let (inside, outside) =
        (routes().layer(FormBodyLayer::new()).layer(auth()), routes().layer(auth()).layer(FormBodyLayer::new()));
    let token = issuer.token().sign();
    let status =
        async |app: &Router, request: Request<Body>| app.clone().oneshot(request).await.unwrap().status().as_u16();
    assert_eq!(status(&inside, form(&token)).await, 500);
    assert_eq!(status(&inside, form("nonsense")).await, 500);
    assert_eq!(status(&inside, Request::get("/").body(Body::empty()).unwrap()).await, 500);
    assert_eq!(status(&outside, form(&token)).await, 200);
    assert_eq!(status(&outside, form("nonsense")).await, 401);
    assert_eq!(status(&outside, Request::get("/").body(Body::empty()).unwrap()).await, 200);
}
