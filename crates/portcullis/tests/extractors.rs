//! Tests the extractors for axum, behind the layer and without it.
#![cfg(feature = "axum")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/under_dpop.rs"]
mod under_dpop;

use std::{sync::LazyLock, time::Duration};

use axum::{Router, body::to_bytes, extract::FromRef, routing::get};
use http::{Request, StatusCode};
use portcullis::{
    Admission, AuthError, AuthLayer, Claims, Code, FromState, Guard, JwtAuthenticator, Requirement, Verified,
    authenticator::{Attempt, Authenticator, Credential, Dispatch, Header, Proven, Scheme},
    clock::UnixTime,
    extract::{GrantedScopes, RawToken, Require},
    requirement::fresh,
    verified::{AnyVerified, Conventions, Facts, NoCustom},
};
use portcullis_test::{FixedClock, MockIssuer};
use serde::Deserialize;
use tower::ServiceExt;
use under_dpop::UnderDpop;

#[derive(Deserialize)]
struct Tenant {
    tenant: String,
}

async fn subject(claims: Claims) -> String {
    claims.subject().unwrap_or("unknown").to_owned()
}

async fn maybe(claims: Option<Claims>) -> String {
    claims.map_or("anonymous".to_owned(), |claims| claims.subject().unwrap_or("unknown").to_owned())
}

async fn tenant(claims: Claims<Tenant>) -> String {
    claims.custom.tenant.clone()
}

async fn scopes(granted: GrantedScopes) -> String {
    format!("{} {}", granted.allow("a"), granted.allow("b"))
}

async fn raw(token: RawToken) -> String {
    assert!(!format!("{token:?}").contains(token.expose()));
    token.expose().to_owned()
}

#[derive(Clone, FromRef)]
struct App {
    auth: AuthLayer,
}

fn layer(issuer: &MockIssuer) -> AuthLayer {
    AuthLayer::new(JwtAuthenticator::new(issuer.trusted()).unwrap()).realm("orders")
}

async fn send(app: Router, token: Option<&str>) -> (StatusCode, String) {
    let mut request = Request::get("/").body(axum::body::Body::empty()).unwrap();
    if let Some(token) = token {
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let reply = app.oneshot(request).await.unwrap();
    let status = reply.status();
    let body = to_bytes(reply.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.into()).unwrap())
}

fn ok(body: &str) -> (StatusCode, String) {
    (StatusCode::OK, body.to_owned())
}

#[tokio::test]
async fn behind_the_layer_claims_are_available() {
    let issuer = MockIssuer::new();
    let token = issuer.token().subject("alice").scope("a").sign();
    let app = |handler| Router::new().route("/", handler).layer(layer(&issuer));
    assert_eq!(send(app(get(subject)), Some(&token)).await, ok("alice"));
    assert_eq!(send(app(get(maybe)), Some(&token)).await, ok("alice"));
    assert_eq!(send(app(get(scopes)), Some(&token)).await, ok("true false"));
}

#[tokio::test]
async fn behind_an_optional_layer_each_extractor_decides_about_a_missing_token() {
    let app = |handler| Router::new().route("/", handler).layer(layer(&MockIssuer::new()).optional());
    assert_eq!(send(app(get(maybe)), None).await, ok("anonymous"));
    assert_eq!(send(app(get(subject)), None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(send(app(get(scopes)), None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(send(app(get(maybe)), Some("not.a.token")).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn custom_claims_are_typed_and_a_token_without_them_is_refused() {
    let issuer = MockIssuer::new();
    let typed = Admission::new(JwtAuthenticator::new(issuer.trusted()).unwrap().claims::<Tenant>());
    let app = Router::new().route("/", get(tenant)).layer(AuthLayer::new(typed));
    let good = issuer.token().claim("tenant", "acme").sign();
    assert_eq!(send(app.clone(), Some(&good)).await, ok("acme"));
    for bad in [issuer.token().sign(), issuer.token().claim("tenant", 7).sign()] {
        let (status, body) = send(app.clone(), Some(&bad)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(body.contains("custom_claims_malformed"), "{body}");
    }
}

#[tokio::test]
async fn a_missing_layer_or_another_claims_type_is_the_developers_mistake() {
    let issuer = MockIssuer::new();
    let token = issuer.token().subject("alice").sign();
    for handler in [get(subject), get(maybe), get(scopes), get(raw)] {
        let (status, body) = send(Router::new().route("/", handler), Some(&token)).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(body.contains("service_misconfigured"), "{body}");
    }
    let (status, _) = send(Router::new().route("/", get(tenant)).layer(layer(&issuer)), Some(&token)).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn the_raw_token_is_available_only_if_configured() {
    let issuer = MockIssuer::new();
    let token = issuer.token().sign();
    let app = |layer| Router::new().route("/", get(raw)).layer::<AuthLayer>(layer);
    assert_eq!(send(app(layer(&issuer).keep_token()), Some(&token)).await, ok(&token));
    assert_eq!(send(app(layer(&issuer)), Some(&token)).await.0, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn without_a_layer_extractors_authenticate_from_the_state() {
    async fn from_state(FromState(claims): FromState<Claims>) -> String {
        subject(claims).await
    }
    async fn maybe_from_state(FromState(claims): FromState<Option<Claims>>) -> String {
        maybe(claims).await
    }
    let issuer = MockIssuer::new();
    let token = issuer.token().subject("alice").sign();
    let app = |handler| Router::new().route("/", handler).with_state(App { auth: layer(&issuer) });
    assert_eq!(send(app(get(from_state)), Some(&token)).await, ok("alice"));
    assert_eq!(send(app(get(maybe_from_state)), Some(&token)).await, ok("alice"));
    assert_eq!(send(app(get(maybe_from_state)), None).await, ok("anonymous"));
    assert_eq!(send(app(get(from_state)), None).await.0, StatusCode::UNAUTHORIZED);
    for bad in ["not.a.token", &MockIssuer::new().token().sign()] {
        assert_eq!(send(app(get(maybe_from_state)), Some(bad)).await.0, StatusCode::UNAUTHORIZED);
    }
}

struct RecentLogin;

impl Guard for RecentLogin {
    fn requirement() -> &'static Requirement {
        static REQUIREMENT: LazyLock<Requirement> = LazyLock::new(|| fresh(Duration::from_secs(60)));
        &REQUIREMENT
    }
}

#[tokio::test]
async fn the_age_of_a_login_is_measured_with_the_layers_clock() {
    async fn recent(caller: Require<RecentLogin>) -> String {
        caller.subject().unwrap_or("unknown").to_owned()
    }
    async fn recent_from_state(FromState(caller): FromState<Require<RecentLogin>>) -> String {
        recent(caller).await
    }
    let login = UnixTime::from_secs(1_800_000_000);
    let clock = FixedClock::at(login);
    let issuer = MockIssuer::new().clock(clock.clone());
    let auth = AuthLayer::new(issuer.admission());
    let token = issuer.token().subject("alice").claim("auth_time", login.as_secs()).sign();
    let behind = Router::new().route("/", get(recent)).layer(auth.clone());
    let without = Router::new().route("/", get(recent_from_state)).with_state(App { auth });
    for app in [behind, without] {
        clock.set(login.plus(Duration::from_secs(60)));
        assert_eq!(send(app.clone(), Some(&token)).await, ok("alice"));
        clock.set(login.plus(Duration::from_secs(61)));
        let (status, body) = send(app, Some(&token)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(body.contains("authentication_too_old"), "{body}");
    }
}

#[tokio::test]
async fn an_extractors_refusal_contains_its_code() {
    let app = Router::new().route("/", get(subject)).layer(layer(&MockIssuer::new()).optional());
    let reply = app.oneshot(Request::get("/").body(axum::body::Body::empty()).unwrap()).await.unwrap();
    assert_eq!(reply.extensions().get(), Some(&Code::CredentialMissing));
}

#[tokio::test]
async fn an_extractor_challenges_under_the_scheme_that_was_used() {
    let clock = FixedClock::default();
    let issuer = MockIssuer::new().clock(clock.clone());
    let trusted = JwtAuthenticator::new(issuer.trusted()).unwrap();
    let both = Dispatch::builder().compact_jws(trusted.clone()).scheme(Scheme::DPoP, UnderDpop(trusted)).build();
    let auth = AuthLayer::new(Admission::new(both.unwrap()).clock(clock));
    let behind = Router::new().route("/", get(async |_: Require<RecentLogin>| ())).layer(auth.clone());
    let from_state = get(async |_: FromState<Require<RecentLogin>>| ());
    let from_state = Router::new().route("/", from_state).with_state(App { auth });
    let recent = issuer.token().claim("auth_time", FixedClock::DEFAULT.as_secs()).sign();
    for app in [behind, from_state] {
        for (token, expected) in [
            (recent.clone(), None),
            (issuer.token().sign(), Some("DPoP error=\"insufficient_user_authentication\"")),
            ("a.b.c".to_owned(), Some("DPoP error=\"invalid_token\"")),
        ] {
            let request = Request::get("/").header("authorization", format!("DPoP {token}"));
            let response = app.clone().oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
            let challenges = response.headers().get_all("www-authenticate").iter().map(|value| value.to_str().unwrap());
            let blamed: Vec<_> = challenges.filter(|challenge| challenge.contains("error=")).collect();
            assert_eq!(blamed.len(), usize::from(expected.is_some()), "{blamed:?}");
            assert!(blamed.iter().all(|challenge| challenge.starts_with(expected.unwrap_or_default())), "{blamed:?}");
        }
    }
}

/// Takes each proof once.
#[derive(Debug, Default)]
struct OneUse(std::sync::Mutex<Vec<Vec<u8>>>);

impl Authenticator for OneUse {
    type Custom = NoCustom;

    fn verify(&self, _: Credential<'_>) -> Attempt<Proven> {
        let facts = Facts::assertion(r#"{"sub":"alice"}"#, Conventions::new("https://login.test"));
        Attempt::Done(facts.map(|facts| Proven::new(facts, NoCustom).proof_owed()))
    }

    fn check_proof(&self, credential: Credential<'_>, _: &Verified<NoCustom>) -> Result<(), AuthError> {
        let Some(Header::One(proof)) = credential.request().map(|request| request.header("dpop")) else {
            return Err(Code::ProofMissing.into());
        };
        let mut used = self.0.lock().unwrap();
        if used.iter().any(|known| known == proof) {
            return Err(Code::ProofReplayed.into());
        }
        used.push(proof.to_vec());
        Ok(())
    }

    fn schemes(&self) -> Vec<Scheme> {
        vec![Scheme::DPoP]
    }
}

#[tokio::test]
async fn several_extractors_use_the_proof_of_a_request_once() {
    async fn handler(_: FromState<Claims>, FromState(claims): FromState<Claims>) -> String {
        subject(claims).await
    }
    let app = Router::new().route("/", get(handler)).with_state(App { auth: AuthLayer::new(OneUse::default()) });
    let send = async |proof: &str| {
        let request = Request::get("/").header("authorization", "DPoP token").header("dpop", proof);
        app.clone().oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap().status()
    };
    assert_eq!(send("one").await, 200);
    assert_eq!(send("one").await, 401, "in another request");
    assert_eq!(send("two").await, 200);
}

#[tokio::test]
async fn claims_convert_into_any_verified_with_their_custom_claims() {
    async fn handler(claims: Claims<Tenant>) -> String {
        let any = AnyVerified::from(claims);
        any.downcast::<Tenant>().unwrap().custom.tenant.clone()
    }
    let issuer = MockIssuer::new();
    let auth = AuthLayer::new(issuer.admission_of::<Tenant>());
    let app = Router::new().route("/", get(handler)).layer(auth);
    let token = issuer.token().claim("tenant", "acme").sign();
    assert_eq!(send(app, Some(&token)).await, (StatusCode::OK, "acme".to_owned()));
}

#[tokio::test]
async fn custom_claims_can_be_taken_beside_a_requirement() {
    struct Writes;
    impl Guard for Writes {
        fn requirement() -> &'static Requirement {
            static WRITES: LazyLock<Requirement> = LazyLock::new(|| portcullis::requirement::scope("orders:write"));
            &WRITES
        }
    }
    let issuer = MockIssuer::new();
    let auth = AuthLayer::new(issuer.admission_of::<Tenant>());
    let handler = async |_: Require<Writes>, claims: Claims<Tenant>| claims.custom.tenant.clone();
    let app = Router::new().route("/", get(handler)).layer(auth);
    let token = issuer.token().claim("tenant", "acme");
    assert_eq!(send(app.clone(), Some(&token.clone().scope("orders:read").sign())).await.0, StatusCode::FORBIDDEN);
    let written = send(app, Some(&token.scope("orders:write").sign())).await;
    assert_eq!(written, (StatusCode::OK, "acme".to_owned()));
}

/// The status of a mistyped URL, and of a guarded route, without a token.
async fn statuses(app: Router) -> (u16, u16) {
    let of = async |path: &str| {
        let request = Request::get(path).body(axum::body::Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    (of("/ordres").await, of("/orders").await)
}

#[tokio::test]
async fn a_mistyped_url_of_merged_routers_is_not_found_with_route_layer_or_an_outer_fallback() {
    let issuer = MockIssuer::new();
    let group = |path: &str| Router::new().route(path, get(subject));
    let merge = |orders: Router, stock: Router| Router::new().merge(orders).merge(stock);

    let layered = merge(group("/orders").layer(layer(&issuer)), group("/stock").layer(layer(&issuer)));
    assert_eq!(statuses(layered.clone()).await, (401, 401), "axum takes the last router's fallback, with its layer");
    assert_eq!(statuses(layered.fallback(async || StatusCode::NOT_FOUND)).await, (404, 401));

    let routes = merge(group("/orders").route_layer(layer(&issuer)), group("/stock").route_layer(layer(&issuer)));
    assert_eq!(statuses(routes).await, (404, 401));
}
