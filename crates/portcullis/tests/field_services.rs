//! Tests the services that revoke, and the codes of their answers (rows T4, T7, T8).
#![cfg(all(feature = "revocation", feature = "form", feature = "jwks"))]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    routing::{get, post},
};
use http::{Request, Response};
use portcullis::{
    Admission, Algorithm, AuthLayer, JwtAuthenticator, TrustedIssuer,
    location::FormBodyLayer,
    provider,
    rejection::ServiceCode,
    requirement::scope,
    revocation::{BackChannelLogout, Cursor, LogError, Page, Revocation, RevocationApi, Revoker},
};
use portcullis_store::{MemoryLog, Revocations};
use portcullis_test::{FixedClock, MockIssuer, TokenBuilder};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

const A: &str = "https://a.example";
const B: &str = "https://b.example";

async fn started() -> Revocations {
    let revocations = Revocations::builder(MemoryLog::new()).start().unwrap();
    revocations.require(Duration::from_secs(5)).await.unwrap();
    revocations
}

async fn json_of(response: Response<Body>) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// An API with two trusted issuers.
struct Scene {
    a: MockIssuer,
    b: MockIssuer,
    revocations: Revocations,
}

impl Scene {
    async fn new() -> Self {
        let [a, b] = [A, B].map(|name| MockIssuer::new().named(name));
        Self { a, b, revocations: started().await }
    }

    fn app(&self, api: impl Fn(RevocationApi) -> RevocationApi) -> Router {
        let trusted = [self.a.trusted(), self.b.trusted()];
        let admission = Admission::new(JwtAuthenticator::trusting(trusted).unwrap()).revocations(&self.revocations);
        let api = api(RevocationApi::new(self.revocations.clone(), scope("revoke")));
        Router::new().route_service("/revocations", api).layer(AuthLayer::new(admission))
    }

    async fn ask(&self, app: &Router, who: &TokenBuilder, body: Option<Value>) -> (u16, Value) {
        let request =
            Request::builder().uri("/revocations").header("authorization", who.clone().scope("revoke").bearer());
        let request = match body {
            Some(body) => {
                request.method("POST").header("content-type", "application/json").body(Body::from(body.to_string()))
            }
            None => request.body(Body::empty()),
        };
        json_of(app.clone().oneshot(request.unwrap()).await.unwrap()).await
    }
}

fn issuers(list: &Value) -> Vec<&str> {
    list["revocations"].as_array().unwrap().iter().map(|row| row["issuer"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn row_t4_an_administrator_sees_what_is_revoked_of_their_own_issuer() {
    let scene = Scene::new().await;
    let now = scene.revocations.view().now();
    let of = |issuer| {
        [
            Revocation::session(issuer, "s"),
            Revocation::subject(issuer, "alice", now),
            Revocation::version(issuer, "bob", 2),
            Revocation::client(issuer, "app", now),
            Revocation::key(issuer, "k"),
            Revocation::token(issuer, "t", now.plus(Duration::from_secs(60))),
        ]
    };
    scene.revocations.revoke_all(of(A).into_iter().chain(of(B))).await.unwrap();

    let app = scene.app(|api| api);
    for (who, own) in [(&scene.a, A), (&scene.b, B)] {
        let (status, list) = scene.ask(&app, &who.token(), None).await;
        assert_eq!((status, issuers(&list)), (200, vec![own; 6]), "{list}");
    }
    let all = scene.app(RevocationApi::danger_of_any_issuer);
    let (status, list) = scene.ask(&all, &scene.a.token(), None).await;
    assert_eq!((status, issuers(&list).len()), (200, 12));
}

#[tokio::test]
async fn row_t8_a_client_is_not_revoked_to_no_effect() {
    let scene = Scene::new().await;
    let app = scene.app(|api| api);
    let client = || Some(json!({"level": "client", "issuer": A, "id": "app"}));
    let nameless = scene.a.token().without("client_id");
    let (status, problem) = scene.ask(&app, &nameless, client()).await;
    assert_eq!((status, &problem["code"]), (400, &json!("revocation_malformed")));
    let detail = problem["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("`/client_id`") && detail.contains("TrustedIssuer::client_claim"), "{detail}");
    assert_eq!(scene.ask(&app, &scene.a.token(), client()).await.0, 200);
    let session = Some(json!({"level": "session", "issuer": A, "id": "s"}));
    assert_eq!(scene.ask(&app, &nameless, session).await.0, 200, "another level");
}

#[tokio::test]
async fn row_t8_a_client_of_an_issuer_that_names_none_is_refused_wherever_it_is_revoked() {
    let scene = Scene::new().await;
    let app = scene.app(RevocationApi::danger_of_any_issuer);
    let nameless = MockIssuer::new().named("https://nameless.example").trusted().without_client_claim();
    let _elsewhere = Admission::new(JwtAuthenticator::new(nameless).unwrap()).revocations(&scene.revocations);
    let client = json!({"level": "client", "issuer": "https://nameless.example", "id": "app"});
    let (status, problem) = scene.ask(&app, &scene.a.token(), Some(client)).await;
    assert_eq!((status, &problem["code"]), (400, &json!("revocation_refused")), "{problem}");
}

// ----- logouts from providers with presets

/// A preset, with tokens as its provider writes them.
struct Preset {
    name: &'static str,
    signer: MockIssuer,
    api: TrustedIssuer,
    login: TrustedIssuer,
    /// The claims of an access token and of a logout token, without times and `iss`.
    access: Value,
    logout: Value,
    logout_type: &'static str,
}

fn presets() -> Vec<Preset> {
    let event = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    let tenant = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";
    let make = |name, provider: provider::Provider, api: &str, login: &str, access, logout, logout_type| {
        let signer = MockIssuer::with_algorithm(Algorithm::Rs256).named(provider.issuer());
        let trusted = |audience: &str| provider.trust_with(audience, signer.keys());
        Preset { name, api: trusted(api), login: trusted(login), access, logout, logout_type, signer }
    };
    vec![
        make(
            "Keycloak",
            provider::keycloak("https://sso.example.com", "shop").unwrap(),
            "orders",
            "web",
            json!({"jti": "onrtac:1", "aud": "orders", "sub": "8f3b", "typ": "Bearer", "azp": "web", "sid": "s-1",
                "acr": "1", "realm_access": {"roles": ["clerk"]}, "scope": "openid profile"}),
            json!({"jti": "2c9e", "aud": "web", "sub": "8f3b", "typ": "Logout", "sid": "s-1", "events": event}),
            "logout+jwt",
        ),
        make(
            "Entra ID",
            provider::entra(tenant).unwrap(),
            "6e74172b-be56-4843-9ff4-e66a39bb12e3",
            "99999999-be56-4843-9ff4-e66a39bb12e3",
            json!({"aud": "6e74172b-be56-4843-9ff4-e66a39bb12e3", "sub": "8f3b", "azp": "web", "azpacr": "1",
                "oid": "690222be", "scp": "Orders.Read", "sid": "s-1", "tid": tenant, "uti": "x", "ver": "2.0"}),
            json!({"aud": "99999999-be56-4843-9ff4-e66a39bb12e3", "sub": "8f3b", "sid": "s-1", "jti": "x", "tid": tenant,
                "ver": "2.0", "events": event}),
            "JWT",
        ),
        make(
            "Okta",
            provider::okta("acme.okta.com", "default").unwrap(),
            "api://default",
            "0oa1",
            json!({"ver": 1, "jti": "AT.1", "aud": "api://default", "sub": "8f3b", "cid": "web", "uid": "00u1",
                "scp": ["orders:read"], "sid": "s-1"}),
            json!({"jti": "x", "aud": "0oa1", "sub": "8f3b", "sid": "s-1", "events": event}),
            "logout+jwt",
        ),
    ]
}

impl Preset {
    fn token(&self, claims: &Value, typ: &str) -> TokenBuilder {
        let token = ["sub", "jti", "client_id"].into_iter().fold(self.signer.token().typ(typ), TokenBuilder::without);
        claims.as_object().unwrap().iter().fold(token, |token, (name, value)| token.claim(name, value))
    }
}

#[tokio::test]
async fn row_t7_a_log_out_works_over_the_presets_of_keycloak_entra_id_and_okta() {
    for preset in presets() {
        let (name, revocations) = (preset.name, started().await);
        let admission = Admission::new(JwtAuthenticator::new(preset.api.clone()).unwrap()).revocations(&revocations);
        let app = Router::new()
            .route("/orders", get(async || "orders"))
            .layer(AuthLayer::new(admission))
            .route_service("/logout", BackChannelLogout::new(preset.login.clone(), revocations.clone()).unwrap());
        let orders = async |token: &TokenBuilder| {
            let request = Request::get("/orders").header("authorization", token.bearer());
            app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status().as_u16()
        };
        let log_out = async |token: &TokenBuilder| {
            let request = Request::post("/logout").header("content-type", "application/x-www-form-urlencoded");
            let body = Body::from(format!("logout_token={}", token.sign()));
            json_of(app.clone().oneshot(request.body(body).unwrap()).await.unwrap()).await
        };
        let access = preset.token(&preset.access, "JWT");
        let other = access.clone().claim("sid", "s-2");
        let logout = preset.token(&preset.logout, preset.logout_type);
        assert_eq!((orders(&access).await, orders(&other).await), (200, 200), "{name}");

        // Only a logout token of this provider, for this client, has an effect.
        for (wrong, why) in [
            (logout.clone().without("events"), "claim_missing"),
            (logout.clone().audience("another"), "audience_mismatch"),
            (logout.clone().claim("nonce", "n"), "type_not_accepted"),
            (access.clone().claim("aud", &preset.logout["aud"]), "claim_missing"),
            (logout.clone().without("exp"), "claim_missing"),
        ] {
            let (status, answer) = log_out(&wrong).await;
            assert_eq!((status, &answer["code"]), (400, &json!(why)), "{name}: {answer}");
        }
        assert_eq!(orders(&access).await, 200, "{name}");

        assert_eq!(log_out(&logout).await.0, 200, "{name}");
        assert_eq!((orders(&access).await, orders(&other).await), (401, 200), "{name}");
    }
}

#[tokio::test]
async fn row_t8_the_client_of_a_preset_can_be_revoked() {
    for preset in presets() {
        let revocations = started().await;
        let admission = Admission::new(JwtAuthenticator::new(preset.api.clone()).unwrap()).revocations(&revocations);
        let token = preset.token(&preset.access, "JWT").sign();
        let verified = admission.verify(&token).outcome().await.unwrap();
        assert_eq!(verified.client_id(), Some("web"), "{}", preset.name);
        let now = revocations.view().now();
        revocations.revoke(Revocation::client(preset.signer.name(), "web", now)).await.unwrap();
        assert!(admission.verify(&token).outcome().await.is_err(), "{}", preset.name);
    }
}

#[tokio::test]
async fn row_f28_hydra_logs_out_without_an_expiry_where_that_is_asked_for() {
    let clock = FixedClock::default();
    let hydra = MockIssuer::new().named("https://hydra.example/").clock(clock.clone());
    let event = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    let token = hydra.token().typ("JWT").without("exp").audience("web").claim("sid", "s-1").claim("events", event);
    let trusted = || TrustedIssuer::new(hydra.name(), hydra.keys()).audience("web");
    let status = async |trusted| {
        let service = BackChannelLogout::new(trusted, Deaf).unwrap().clock(clock.clone());
        let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
        let request = request.body(Body::from(format!("logout_token={}", token.sign()))).unwrap();
        service.oneshot(request).await.unwrap().status().as_u16()
    };
    let asked_for = || trusted().danger_logout_tokens_without_expiry(Duration::from_secs(120));
    assert_eq!((status(trusted()).await, status(asked_for()).await), (400, 200));
    clock.advance(Duration::from_secs(151));
    assert_eq!(status(asked_for()).await, 400, "two minutes and the leeway later");
}

/// A revoker that accepts everything and stores nothing.
#[derive(Clone, Debug)]
struct Deaf;

impl Revoker for Deaf {
    async fn revoke_all(&self, _: Vec<Revocation>) -> Result<(), LogError> {
        Ok(())
    }

    async fn list(&self, _: Option<&Cursor>) -> Result<Page, LogError> {
        Ok(Page::empty(Cursor::new(0, 0)))
    }
}

/// A revoker whose log is unavailable.
#[derive(Clone, Debug)]
struct Down;

impl Revoker for Down {
    async fn revoke_all(&self, _: Vec<Revocation>) -> Result<(), LogError> {
        Err(LogError::unavailable("the server is at secret-host"))
    }

    async fn list(&self, _: Option<&Cursor>) -> Result<Page, LogError> {
        Err(LogError::unavailable("the server is at secret-host"))
    }
}

// ----- codes

/// Checks what every answer with a code must have.
async fn assert_code(response: Response<Body>, code: ServiceCode) {
    assert_eq!(response.extensions().get(), Some(&code));
    assert_eq!(response.status(), code.status(), "{code}");
    assert_eq!(response.headers()["content-type"], "application/problem+json", "{code}");
    assert_eq!(response.headers()["cache-control"], "no-store", "{code}");
    let (_, problem) = json_of(response).await;
    let page = "https://docs.rs/portcullis/latest/portcullis/codes/index.html#";
    assert_eq!((&problem["code"], &problem["type"]), (&json!(code.as_str()), &json!(format!("{page}{code}"))));
    assert!(
        problem["detail"].as_str().unwrap().len() > 10 && !problem.to_string().contains("secret-host"),
        "{problem}"
    );
}

fn api_request(method: &str, body: impl Into<Body>) -> Request<Body> {
    Request::builder().method(method).uri("/").header("content-type", "application/json").body(body.into()).unwrap()
}

#[tokio::test]
async fn every_refusal_of_the_revocation_api_has_a_code() {
    let issuer = MockIssuer::new();
    let up = RevocationApi::new(Deaf, scope("revoke"));
    let down = RevocationApi::new(Down, scope("revoke"));
    let session = json!({"level": "session", "issuer": issuer.name(), "id": "s"}).to_string();
    let mut no_json = api_request("POST", "{}");
    no_json.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    let mut odd_query = api_request("GET", "");
    *odd_query.uri_mut() = "/?page=2".parse().unwrap();
    for (api, request, code) in [
        (&up, api_request("DELETE", ""), ServiceCode::MethodNotAllowed),
        (&up, no_json, ServiceCode::MediaTypeNotSupported),
        (&up, api_request("POST", " ".repeat(256 * 1024 + 1)), ServiceCode::BodyTooLong),
        (&up, api_request("POST", "nonsense"), ServiceCode::RequestMalformed),
        (&up, api_request("POST", "[]"), ServiceCode::RequestMalformed),
        (&up, odd_query, ServiceCode::RequestMalformed),
        (&up, api_request("POST", "{}"), ServiceCode::RevocationMalformed),
        (&down, api_request("POST", session.clone()), ServiceCode::RevocationNotDurable),
        (&down, api_request("GET", ""), ServiceCode::RevocationsNotListed),
    ] {
        let mut request = request;
        request.headers_mut().insert("authorization", issuer.token().scope("revoke").bearer().parse().unwrap());
        let response = AuthLayer::new(issuer.admission()).layer(api.clone()).oneshot(request).await.unwrap();
        assert_code(response.map(Body::from), code).await;
    }
}

#[tokio::test]
async fn every_refusal_of_the_form_layer_has_a_code() {
    let inner = service_fn(async |_: Request<_>| Ok::<_, Infallible>(Response::new(Body::empty())));
    let form =
        |body: Body| Request::post("/").header("content-type", "application/x-www-form-urlencoded").body(body).unwrap();
    let long = FormBodyLayer::new().limit(3).layer(inner).oneshot(form(Body::from("four"))).await.unwrap();
    assert_code(long, ServiceCode::FormTooLong).await;
    let broken = Body::new(Broken);
    assert_code(FormBodyLayer::new().layer(inner).oneshot(form(broken)).await.unwrap(), ServiceCode::FormUnreadable)
        .await;
    let app = Router::new().route("/", post(async || "in")).layer(FormBodyLayer::new());
    assert_eq!(app.oneshot(form(Body::from("a=1"))).await.unwrap().status(), 200);
}

/// A body that fails at once.
struct Broken;

impl http_body::Body for Broken {
    type Data = axum::body::Bytes;
    type Error = &'static str;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        std::task::Poll::Ready(Some(Err("gone")))
    }
}

#[tokio::test]
async fn every_refusal_of_a_log_out_has_a_code() {
    let issuer = MockIssuer::new().audience("web");
    let event = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    let token = issuer.token().typ("logout+jwt").claim("sid", "s").claim("events", event);
    let (up, down) = (
        BackChannelLogout::new(issuer.trusted(), Deaf).unwrap(),
        BackChannelLogout::new(issuer.trusted(), Down).unwrap(),
    );
    let form = |method: &str, kind: &str, body: String| {
        Request::builder().method(method).uri("/").header("content-type", kind).body(Body::from(body)).unwrap()
    };
    let urlencoded = "application/x-www-form-urlencoded";
    let good = || format!("logout_token={}", token.sign());
    for (service, request, code) in [
        (&up, form("GET", urlencoded, good()), ServiceCode::MethodNotAllowed),
        (&up, form("POST", "text/plain", good()), ServiceCode::MediaTypeNotSupported),
        (&up, form("POST", urlencoded, "x".repeat(32 * 1024 + 1)), ServiceCode::BodyTooLong),
        (&up, form("POST", urlencoded, "a=1".to_owned()), ServiceCode::RequestMalformed),
        (&down, form("POST", urlencoded, good()), ServiceCode::RevocationNotDurable),
    ] {
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!((response.status(), response.extensions().get()), (code.status(), Some(&code)));
        let (_, answer) = json_of(response.map(Body::from)).await;
        assert_eq!(answer["code"], code.as_str(), "{answer}");
    }
    assert_eq!(up.oneshot(form("POST", urlencoded, good())).await.unwrap().status(), 200);
}
