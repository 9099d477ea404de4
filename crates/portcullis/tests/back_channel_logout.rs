//! Tests back-channel logout: an identity provider reports that a user has logged out.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::{
    future::{Future, pending},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    routing::get,
};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use portcullis::{
    Algorithm, AuthLayer, Code, TrustedIssuer,
    clock::UnixTime,
    keys::{KeyHint, KeySource, KeySourceError, KeySourceErrorKind, Resolved},
    revocation::{BackChannelLogout, Cursor, LogError, Page, Revocation, Revoker, ViewWriter},
};
use portcullis_store::{MemoryLog, Revocations};
use portcullis_test::{Defect, FixedClock, MockIssuer, MockKeys, TokenBuilder};
use serde_json::{Value, json};
use tower::{Service, ServiceExt};

const FORM: &str = "application/x-www-form-urlencoded";
const CLIENT: &str = "my-client-id";
const NOW: UnixTime = FixedClock::DEFAULT;

/// A revoker that records revocations, or fails if it is set to.
#[derive(Clone, Debug, Default)]
struct Recorder(Arc<Mutex<(Vec<Revocation>, Option<LogError>)>>);

impl Recorder {
    fn take(&self) -> Vec<Revocation> {
        std::mem::take(&mut self.0.lock().unwrap().0)
    }

    fn fail(&self, error: Option<LogError>) {
        self.0.lock().unwrap().1 = error;
    }
}

impl Revoker for Recorder {
    async fn revoke_all(&self, revocations: Vec<Revocation>) -> Result<(), LogError> {
        let (kept, failure) = &mut *self.0.lock().unwrap();
        if let Some(error) = failure {
            return Err(error.clone());
        }
        kept.extend(revocations);
        Ok(())
    }

    async fn list(&self, _: Option<&Cursor>) -> Result<Page, LogError> {
        Ok(Page::empty(Cursor::new(0, 0)))
    }
}

/// A provider, and a service that receives its logout tokens.
struct Scene {
    clock: FixedClock,
    provider: MockIssuer,
    recorder: Recorder,
    logout: BackChannelLogout,
}

impl Scene {
    fn new() -> Self {
        let clock = FixedClock::default();
        let provider = MockIssuer::new().audience(CLIENT).clock(clock.clone());
        let recorder = Recorder::default();
        let logout = BackChannelLogout::new(provider.trusted(), recorder.clone()).unwrap().clock(clock.clone());
        Self { clock, provider, recorder, logout }
    }

    fn token(&self) -> TokenBuilder {
        logout_token(&self.provider)
    }

    /// Returns the status, and the code if the token was refused.
    async fn post(&self, token: &str) -> (StatusCode, Option<Code>) {
        let response = self.logout.clone().oneshot(form(&in_form(token))).await.unwrap();
        let answer = (response.status(), response.extensions().get().copied());
        check_content(response);
        answer
    }

    async fn accepts(&self, token: &TokenBuilder) -> Vec<Revocation> {
        assert_eq!(self.post(&token.sign()).await, (StatusCode::OK, None), "{token:?}");
        self.recorder.take()
    }

    async fn refuses(&self, token: &TokenBuilder, code: Code) {
        assert_eq!(self.post(&token.sign()).await, (StatusCode::BAD_REQUEST, Some(code)), "{token:?}");
        assert_eq!(self.recorder.take(), []);
    }
}

/// Returns a logout token for `alice`, without a session.
fn logout_token(provider: &MockIssuer) -> TokenBuilder {
    let event = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    provider.token().typ("logout+jwt").audience(CLIENT).subject("alice").claim("events", event).without("client_id")
}

fn in_form(token: &str) -> String {
    format!("logout_token={}", utf8_percent_encode(token, NON_ALPHANUMERIC))
}

fn form(text: &str) -> Request<Body> {
    Request::post("/").header("content-type", FORM).body(Body::from(text.to_owned())).unwrap()
}

/// Checks what every response must have.
fn check_content(response: Response<String>) -> (HeaderMap, Value) {
    let (parts, body) = response.into_parts();
    assert_eq!(parts.headers["cache-control"], "no-store");
    if parts.status == StatusCode::OK {
        assert_eq!(body, "");
        return (parts.headers, Value::Null);
    }
    assert_eq!(parts.headers["content-type"], "application/json");
    let content: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(content.as_object().unwrap().len(), 3);
    assert!(content["code"].as_str().is_some_and(|code| !code.is_empty()));
    let error = match parts.status.as_u16() {
        503 => "temporarily_unavailable",
        500 => "server_error",
        _ => "invalid_request",
    };
    assert_eq!(content["error"], error);
    // RFC 6749 section 5.2: %x20-21 / %x23-5B / %x5D-7E
    let description = content["error_description"].as_str().unwrap();
    assert!(description.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{description}");
    assert_eq!(parts.status == 503, parts.headers.contains_key("retry-after"));
    assert_eq!(parts.status == 405, parts.headers.contains_key("allow"));
    (parts.headers, content)
}

/// A service that checks revocation, and receives logout tokens from the provider.
struct App {
    clock: FixedClock,
    provider: MockIssuer,
    router: Router,
}

impl App {
    async fn start(configure: impl FnOnce(BackChannelLogout) -> BackChannelLogout) -> Self {
        let clock = FixedClock::default();
        let provider = MockIssuer::new().clock(clock.clone());
        let log = MemoryLog::new().clock(clock.clone());
        let revocations = Revocations::builder(log).clock(clock.clone()).start().unwrap();
        revocations.require(Duration::from_secs(5)).await.unwrap();
        let at_provider = TrustedIssuer::new(provider.name(), provider.keys()).audience(CLIENT);
        let logout = BackChannelLogout::new(at_provider, revocations.clone()).unwrap().clock(clock.clone());
        let router = Router::new()
            .route("/", get(async || "in"))
            .layer(AuthLayer::new(provider.admission().revocations(&revocations)))
            .route_service("/logout", configure(logout));
        Self { clock, provider, router }
    }

    async fn status(&self, access_token: &str) -> u16 {
        let request = Request::get("/").header("authorization", access_token).body(Body::empty()).unwrap();
        self.router.clone().oneshot(request).await.unwrap().status().as_u16()
    }

    async fn log_out(&self, token: &str) {
        let mut request = form(&in_form(token));
        *request.uri_mut() = "/logout".parse().unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(
            (response.status(), &response.headers()["cache-control"]),
            (StatusCode::OK, &"no-store".parse().unwrap())
        );
        assert!(to_bytes(response.into_body(), 1).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_session_that_logged_out_is_refused_and_another_of_the_same_user_is_not() {
    let app = App::start(|logout| logout).await;
    let access = |sid: &str| app.provider.token().subject("alice").claim("sid", sid).bearer();
    let (ended, other) = (access("s-1"), access("s-2"));
    assert_eq!((app.status(&ended).await, app.status(&other).await), (200, 200));

    app.log_out(&logout_token(&app.provider).claim("sid", "s-1").sign()).await;
    assert_eq!((app.status(&ended).await, app.status(&other).await), (401, 200));
    app.clock.advance(Duration::from_secs(1));
    assert_eq!((app.status(&access("s-1")).await, app.status(&access("s-2")).await), (401, 200), "refreshed");
}

#[tokio::test]
async fn a_subject_that_logged_out_is_refused_until_its_next_login() {
    let app = App::start(|logout| logout).await;
    let access = |sub: &str| app.provider.token().subject(sub).claim("sid", "s-1").bearer();
    let (alice, bob) = (access("alice"), access("bob"));
    let logout = logout_token(&app.provider).sign();
    app.log_out(&logout).await;
    assert_eq!((app.status(&alice).await, app.status(&bob).await), (401, 200));

    app.clock.advance(Duration::from_secs(1));
    let later = access("alice");
    assert_eq!(app.status(&later).await, 200);
    app.log_out(&logout).await;
    assert_eq!(
        (app.status(&alice).await, app.status(&later).await),
        (401, 200),
        "a replayed token ends no later session"
    );
}

#[tokio::test]
async fn a_log_out_from_a_provider_whose_clock_is_ahead_takes_effect() {
    let app = App::start(|logout| logout).await;
    let ahead = FixedClock::at(NOW.plus(Duration::from_secs(20)));
    let provider = app.provider.clone().clock(ahead.clone());
    let before = provider.token().subject("alice").bearer();
    ahead.advance(Duration::from_secs(2));
    let logout = logout_token(&provider).sign();
    ahead.advance(Duration::from_secs(1));
    let after = provider.token().subject("alice").bearer();

    assert_eq!((app.status(&before).await, app.status(&after).await), (200, 200));
    app.log_out(&logout).await;
    assert_eq!((app.status(&before).await, app.status(&after).await), (401, 200));
}

#[tokio::test]
async fn if_access_tokens_have_no_session_a_log_out_can_end_every_session() {
    for (every, status) in [(false, 200), (true, 401)] {
        let app = App::start(|logout| if every { logout.every_session() } else { logout }).await;
        let access = app.provider.token().subject("alice").bearer();
        app.log_out(&logout_token(&app.provider).claim("sid", "s-1").sign()).await;
        assert_eq!(app.status(&access).await, status, "{every}");
    }
}

#[tokio::test]
async fn a_log_out_revokes_what_its_token_names() {
    let scene = Scene::new();
    let issuer = scene.provider.name();
    let session = || Revocation::session(issuer, "s-1");
    let alice = || Revocation::subject(issuer, "alice", NOW);
    let named = || scene.token().claim("sid", "s-1");
    assert_eq!(scene.accepts(&scene.token()).await, [alice()]);
    assert_eq!(scene.accepts(&named()).await, [session()]);
    assert_eq!(scene.accepts(&named().without("sub")).await, [session()]);

    let earlier = NOW.minus(Duration::from_secs(60));
    let revoked = scene.accepts(&scene.token().issued_at(earlier)).await;
    assert_eq!(revoked, [Revocation::subject(issuer, "alice", earlier)]);

    let every = Scene { logout: scene.logout.clone().every_session(), ..Scene::new() };
    let post = async |token: TokenBuilder| {
        assert_eq!(every.post(&token.sign()).await.0, StatusCode::OK);
        scene.recorder.take()
    };
    assert_eq!(post(named()).await, [session(), alice()]);
    assert_eq!(post(named().without("sub")).await, [session()]);
    assert_eq!(post(scene.token()).await, [alice()]);
}

#[tokio::test]
async fn a_logout_token_without_a_required_claim_is_refused() {
    let scene = Scene::new();
    let session = || scene.token().claim("sid", "s-1");
    for token in
        [scene.token(), session(), session().without("sub"), scene.token().typ("JWT"), scene.token().typ("LOGOUT+jwt")]
    {
        scene.accepts(&token).await;
    }
    scene.accepts(&scene.token().without_header("typ")).await;
    for claim in ["exp", "iat", "jti", "aud", "events", "sub"] {
        scene.refuses(&scene.token().without(claim), Code::ClaimMissing).await;
    }
    scene.accepts(&session().without("sub")).await;
    scene.refuses(&scene.token().without("iss"), Code::IssuerNotTrusted).await;
    scene.refuses(&session().claim("nonce", "n"), Code::TypeNotAccepted).await;
    scene.refuses(&session().claim("nonce", ()), Code::TypeNotAccepted).await;
    scene.refuses(&session().audience("other-client"), Code::AudienceMismatch).await;
    scene.accepts(&session().audiences(["other-client", CLIENT])).await;
}

#[tokio::test]
async fn a_logout_token_without_the_log_out_event_is_refused() {
    const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
    let scene = Scene::new();
    scene.accepts(&scene.token().claim("events", json!({EVENT: {}}))).await;
    scene.accepts(&scene.token().claim("events", json!({EVENT: {"more": 1}, "https://other.example": {}}))).await;
    for events in [
        json!([EVENT]),
        json!([{EVENT: {}}]),
        json!(EVENT),
        json!({EVENT: []}),
        json!({EVENT: null}),
        json!({EVENT: true}),
        json!({"https://other.example": {}}),
        json!({"https://other.example": {EVENT: {}}}),
        json!({}),
        json!(null),
    ] {
        scene.refuses(&scene.token().claim("events", &events), Code::ClaimMissing).await;
    }
}

#[tokio::test]
async fn times_are_checked() {
    let scene = Scene::new();
    let later = |secs| NOW.plus(Duration::from_secs(secs));
    let earlier = |secs| NOW.minus(Duration::from_secs(secs));
    scene.accepts(&scene.token().expires_at(earlier(29))).await;
    scene.refuses(&scene.token().expires_at(earlier(30)), Code::TokenExpired).await;
    scene.accepts(&scene.token().issued_at(later(30))).await;
    scene.refuses(&scene.token().issued_at(later(31)), Code::TokenIssuedInFuture).await;
    scene.refuses(&scene.token().not_before(later(31)), Code::TokenNotYetValid).await;
    scene.clock.advance(Duration::from_secs(31));
    scene.accepts(&scene.token().issued_at(later(31))).await;
}

#[tokio::test]
async fn other_tokens_of_the_provider_are_refused() {
    let scene = Scene::new();
    let access = scene.provider.token().subject("alice").claim("sid", "s-1");
    scene.refuses(&access, Code::TypeNotAccepted).await;
    for typ in ["JWT", "logout+jwt"] {
        // Logout tokens may have these types, so the token is refused for the missing event.
        scene.refuses(&access.clone().typ(typ), Code::ClaimMissing).await;
        scene.refuses(&access.clone().typ(typ).claim("nonce", "n-1"), Code::ClaimMissing).await;
    }
    for typ in ["at+jwt", "secevent+jwt", "dpop+jwt", "id_token+jwt"] {
        scene.refuses(&scene.token().typ(typ), Code::TypeNotAccepted).await;
    }
}

#[tokio::test]
async fn forged_tokens_are_refused_whatever_is_wrong_with_them() {
    for algorithm in [Algorithm::Es256, Algorithm::Rs256, Algorithm::EdDsa] {
        let clock = FixedClock::default();
        let provider = MockIssuer::with_algorithm(algorithm).audience(CLIENT).clock(clock.clone());
        let recorder = Recorder::default();
        let logout = BackChannelLogout::new(provider.trusted(), recorder.clone()).unwrap().clock(clock.clone());
        let scene = Scene { clock, provider, recorder, logout };
        assert_eq!(scene.accepts(&scene.token()).await.len(), 1);
        for defect in Defect::ALL.iter().filter(|defect| **defect != Defect::TypLogout) {
            let (status, code) = scene.post(&scene.token().defect(*defect).sign()).await;
            assert_eq!((status, scene.recorder.take()), (StatusCode::BAD_REQUEST, vec![]), "{algorithm:?} {defect}");
            assert!(code.is_none_or(|code| code == defect.expected()), "{defect}: {code:?}");
        }
        let other = MockIssuer::with_algorithm(Algorithm::Es256).audience(CLIENT);
        assert_eq!(scene.post(&logout_token(&other).sign()).await.0, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn row_d_a_logout_token_with_an_empty_subject_or_session_ends_nothing() {
    let scene = Scene::new();
    for token in
        [scene.token().claim("sid", ""), scene.token().subject(""), scene.token().subject("").claim("sid", "s-1")]
    {
        assert_eq!(scene.post(&token.sign()).await.0, StatusCode::BAD_REQUEST);
        assert_eq!(scene.recorder.take(), []);
    }
    assert_eq!(scene.accepts(&scene.token().claim("sid", "s-1")).await.len(), 1);
}

#[tokio::test]
async fn each_issuer_ends_its_own_sessions() {
    let clock = FixedClock::default();
    let issuer = |name: &'static str| MockIssuer::new().named(name).audience(CLIENT).clock(clock.clone());
    let (one, two) = (issuer("https://one.test"), issuer("https://two.test"));
    let recorder = Recorder::default();
    let logout = BackChannelLogout::trusting([one.trusted(), two.trusted()], recorder.clone()).unwrap();
    let scene = Scene { clock: clock.clone(), provider: one.clone(), recorder, logout: logout.clock(clock.clone()) };
    for provider in [&one, &two] {
        let revoked = scene.accepts(&logout_token(provider).claim("sid", "s-1")).await;
        assert_eq!(revoked, [Revocation::session(provider.name(), "s-1")]);
    }
    scene.refuses(&logout_token(&one).claim("iss", two.name()), Code::SignatureInvalid).await;
}

#[tokio::test]
async fn a_request_that_violates_the_specification_is_refused() {
    let scene = Scene::new();
    let token = scene.token().sign();
    let answer = async |request: Request<Body>| {
        let response = scene.logout.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        check_content(response);
        let revoked = scene.recorder.take().len();
        assert_eq!(revoked, usize::from(status == 200));
        status
    };
    let good = || form(&format!("logout_token={token}"));
    assert_eq!(answer(good()).await, 200);
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        let mut request = good();
        *request.method_mut() = method;
        assert_eq!(answer(request).await, 405);
    }
    for (name, value, status) in [
        ("content-type", "Application/X-WWW-Form-URLencoded ;charset=utf-8", 200),
        ("content-type", "application/json", 415),
        ("content-type", "application/jwt", 415),
        ("content-type", "text/plain; x=application/x-www-form-urlencoded", 415),
        ("content-encoding", "gzip", 415),
    ] {
        let mut request = good();
        request.headers_mut().insert(name, value.parse().unwrap());
        assert_eq!(answer(request).await, status, "{name}: {value}");
    }
    let mut untyped = good();
    untyped.headers_mut().remove("content-type");
    assert_eq!(answer(untyped).await, 415);
    let mut typed_twice = good();
    typed_twice.headers_mut().append("content-type", "text/plain".parse().unwrap());
    assert_eq!(answer(typed_twice).await, 415);
}

#[tokio::test]
async fn the_form_has_exactly_one_logout_token() {
    let scene = Scene::new();
    let token = scene.token().sign();
    for (text, status) in [
        (format!("logout_token={token}"), 200),
        (format!("a=1&logout_token={token}&b=2"), 200),
        (format!("logout%5Ftoken={}", token.replace('.', "%2E")), 200),
        (format!("logout_token={token}&logout_token={token}"), 400),
        (format!("logout_token={token}&logout%5Ftoken={token}"), 400),
        (format!("logout_token={token}&logout_token="), 400),
        (format!("Logout_token={token}"), 400),
        (format!("token={token}"), 400),
        ("logout_token=".to_owned(), 400),
        ("logout_token".to_owned(), 400),
        (format!("logout_token=+{token}"), 400),
        (format!("logout_token={token}%0A"), 400),
        (String::new(), 400),
        (format!(r#"{{"logout_token":"{token}"}}"#), 400),
    ] {
        let response = scene.logout.clone().oneshot(form(&text)).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{text}");
        check_content(response);
        assert_eq!(scene.recorder.take().len(), usize::from(status == 200), "{text}");
    }
}

#[tokio::test]
async fn a_form_that_is_too_long_is_refused() {
    let scene = Scene::new();
    let token = scene.token().sign();
    let padded = |length: usize| {
        let text = format!("logout_token={token}&x=");
        format!("{text}{}", "x".repeat(length - text.len()))
    };
    let answer = async |request| scene.logout.clone().oneshot(request).await.unwrap().status().as_u16();
    assert_eq!(answer(form(&padded(32 * 1024))).await, 200);
    assert_eq!(answer(form(&padded(32 * 1024 + 1))).await, 413);
    // A body without `Content-Length`.
    let chunked = |length| form("").map(|_| Body::new(Unsized(Some(padded(length).into()))));
    assert_eq!(answer(chunked(32 * 1024)).await, 200);
    assert_eq!(answer(chunked(32 * 1024 + 1)).await, 413);
    // The limit of a layer outside.
    let limited = form(&padded(2000)).map(|body| Body::new(http_body_util::Limited::new(body, 1000)));
    assert_eq!(answer(limited).await, 413);
    assert_eq!(scene.recorder.take().len(), 2);
}

struct Unsized(Option<Bytes>);

impl http_body::Body for Unsized {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Ready(self.0.take().map(|bytes| Ok(http_body::Frame::data(bytes))))
    }
}

#[tokio::test]
async fn a_log_out_that_is_not_durable_is_503_and_may_be_sent_again() {
    let scene = Scene::new();
    let token = scene.token().sign();
    for error in [LogError::unavailable("secret-host is down"), LogError::misconfigured("m"), LogError::corrupt("c")] {
        scene.recorder.fail(Some(error));
        let response = scene.logout.clone().oneshot(form(&in_form(&token))).await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(!response.body().contains("secret-host"));
        check_content(response);
    }
    scene.recorder.fail(None);
    assert_eq!(scene.post(&token).await.0, StatusCode::OK);
    assert_eq!(scene.post(&token).await.0, StatusCode::OK, "a replayed one changes nothing, and is no mistake");
}

/// A key source whose keys have to be fetched.
#[derive(Clone, Debug)]
enum Fetched {
    Later(MockKeys),
    Never,
    Gone,
}

impl KeySource for Fetched {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        match self {
            Self::Later(keys) => {
                let answer = keys.resolve(hint, now);
                Resolved::waiting(async move {
                    tokio::task::yield_now().await;
                    answer
                })
            }
            Self::Never => Resolved::waiting(pending()),
            Self::Gone => {
                let error = KeySourceError::new(KeySourceErrorKind::Unavailable, "the provider is down");
                Resolved::Fault(error.with_retry_after(Duration::from_secs(17)))
            }
        }
    }
}

fn with_keys(scene: &Scene, keys: Fetched) -> BackChannelLogout {
    let issuer = scene.provider.trusted_with(keys);
    BackChannelLogout::new(issuer, scene.recorder.clone()).unwrap().clock(scene.clock.clone())
}

#[tokio::test]
async fn keys_may_have_to_be_fetched() {
    let scene = Scene::new();
    let request = || form(&in_form(&scene.token().sign()));
    let later = with_keys(&scene, Fetched::Later(scene.provider.keys()));
    assert_eq!(later.oneshot(request()).await.unwrap().status(), StatusCode::OK);
    assert_eq!(scene.recorder.take().len(), 1);

    let response = with_keys(&scene, Fetched::Gone).oneshot(request()).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.extensions().get(), Some(&Code::KeysUnavailable));
    assert_eq!(check_content(response).0["retry-after"], "17");
    assert_eq!(scene.recorder.take(), []);
}

#[tokio::test]
async fn a_waiting_request_does_not_block_the_others() {
    let scene = Scene::new();
    let mut logout = with_keys(&scene, Fetched::Never);
    let mut waiting = Box::pin(logout.call(form(&in_form(&scene.token().sign()))));
    let mut slow = Box::pin(logout.call(form("").map(|_| Body::new(Slow))));
    for future in [&mut waiting, &mut slow] {
        let is_there =
            std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context).is_ready())).await;
        assert!(!is_there);
    }
    let refused = logout.call(form("")).await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
}

/// A body that never arrives.
struct Slow;

impl http_body::Body for Slow {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

#[test]
fn an_unusable_configuration_is_refused_at_start() {
    let issuer = || MockIssuer::new().trusted();
    assert!(BackChannelLogout::new(issuer(), Recorder::default()).is_ok());
    let refused = BackChannelLogout::trusting([issuer(), issuer()], Recorder::default()).unwrap_err();
    assert!(refused.to_string().contains("listed twice"));
    let refused = BackChannelLogout::trusting([], Recorder::default()).unwrap_err();
    assert!(refused.to_string().contains("no issuer is trusted"));
}

/// With a stolen key that is revoked, but still in the provider's key set, it must not be possible to log out all users.
#[tokio::test]
async fn a_logout_token_signed_by_a_revoked_key_is_refused_and_a_repeated_one_is_not() {
    let scene = Scene::new();
    let writer = ViewWriter::builder(Duration::from_secs(86_400)).clock(scene.clock.clone()).build();
    let scene = Scene { logout: scene.logout.clone().revocations(&writer), ..scene };
    let token = scene.token();
    for _ in 0..2 {
        let ended = scene.accepts(&token).await;
        writer.merge(&ended.iter().map(|revocation| writer.entry(revocation)).collect::<Vec<_>>());
    }
    writer.merge([&writer.entry(&Revocation::key(scene.provider.name(), "another"))]);
    scene.accepts(&token).await;
    writer.merge([&writer.entry(&Revocation::key(scene.provider.name(), &scene.provider.key_id()))]);
    scene.refuses(&token, Code::TokenRevoked).await;
}
