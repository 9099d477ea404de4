//! Tests the revocation API for administrators.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

#[path = "support/under_dpop.rs"]
mod under_dpop;

use std::{
    collections::HashMap,
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    routing::get,
};
use http::{HeaderMap, Method, Request, Response};
use portcullis::{
    Admission, AuthLayer, Code, JwtAuthenticator, Requirement,
    clock::UnixTime,
    metrics::{Telemetry, names},
    policy::Leeway,
    requirement::{Decision, authenticated, check_async, check_facts, claim, eq, param, scope},
    revocation::{Cursor, LogError, Page, Revocation, RevocationApi, RevocationEntry, Revoker},
};
use portcullis_store::{MemoryLog, Revocations};
use portcullis_test::{FixedClock, MockIssuer};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};
use under_dpop::UnderDpop;

const NOW: UnixTime = FixedClock::DEFAULT;
const ISSUER: &str = "https://login.example";

fn after(secs: u64) -> UnixTime {
    NOW.plus(Duration::from_secs(secs))
}

fn before(secs: u64) -> UnixTime {
    NOW.minus(Duration::from_secs(secs))
}

/// A revoker that records revocations, and lists the pages that it was given, or fails if it is set to.
#[derive(Clone, Debug, Default)]
struct Recorder(Arc<Mutex<Recorded>>);

#[derive(Debug, Default)]
struct Recorded {
    revoked: Vec<Revocation>,
    calls: usize,
    failure: Option<LogError>,
    pages: HashMap<Option<Cursor>, Page>,
}

impl Recorder {
    fn take(&self) -> Vec<Revocation> {
        std::mem::take(&mut self.0.lock().unwrap().revoked)
    }

    fn calls(&self) -> usize {
        self.0.lock().unwrap().calls
    }

    fn fail(&self, failure: Option<LogError>) {
        self.0.lock().unwrap().failure = failure;
    }

    fn page(&self, after: Option<Cursor>, page: Page) {
        self.0.lock().unwrap().pages.insert(after, page);
    }
}

impl Revoker for Recorder {
    async fn revoke_all(&self, revocations: Vec<Revocation>) -> Result<(), LogError> {
        let mut recorded = self.0.lock().unwrap();
        recorded.calls += 1;
        if let Some(failure) = recorded.failure.clone() {
            return Err(failure);
        }
        recorded.revoked.extend(revocations);
        Ok(())
    }

    async fn list(&self, after: Option<&Cursor>) -> Result<Page, LogError> {
        let mut recorded = self.0.lock().unwrap();
        recorded.calls += 1;
        match recorded.failure.clone() {
            Some(failure) => Err(failure),
            None => Ok(recorded.pages.get(&after.copied()).cloned().unwrap_or_else(|| Page::empty(Cursor::new(1, 0)))),
        }
    }
}

/// The text of a body.
struct BodyText(String);

impl From<&Value> for BodyText {
    fn from(value: &Value) -> Self {
        Self(value.to_string())
    }
}

impl From<Value> for BodyText {
    fn from(value: Value) -> Self {
        Self(value.to_string())
    }
}

impl From<&str> for BodyText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for BodyText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// A body that takes a minute to arrive.
struct Late {
    clock: FixedClock,
    text: Option<String>,
}

impl http_body::Body for Late {
    type Data = axum::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        let text = self.text.take();
        self.clock.advance(Duration::from_secs(60));
        Poll::Ready(text.map(|text| Ok(http_body::Frame::data(text.into()))))
    }
}

/// The API behind a layer, with a requirement for the scope `revoke`.
struct Scene {
    clock: FixedClock,
    issuer: MockIssuer,
    recorder: Recorder,
    api: RevocationApi,
    auth: AuthLayer,
}

impl Scene {
    fn new() -> Self {
        Self::asking(scope("revoke"))
    }

    fn asking(requirement: Requirement) -> Self {
        let clock = FixedClock::default();
        let issuer = MockIssuer::new().named(ISSUER).clock(clock.clone());
        let recorder = Recorder::default();
        let api = RevocationApi::new(recorder.clone(), requirement).clock(clock.clone());
        let auth = AuthLayer::new(issuer.admission());
        Self { clock, issuer, recorder, api, auth }
    }

    /// Sends the body as an authorized caller.
    async fn answer(&self, mut request: Request<Body>) -> Answer {
        let bearer = self.issuer.token().scope("revoke").bearer();
        request.headers_mut().insert("authorization", bearer.parse().unwrap());
        Answer::of(self.auth.layer(self.api.clone()).oneshot(request).await.unwrap())
    }

    async fn post(&self, body: impl Into<BodyText>) -> Answer {
        self.answer(post(body)).await
    }

    async fn get(&self, query: &str) -> Answer {
        self.answer(Request::get(format!("/{query}")).body(Body::empty()).unwrap()).await
    }

    /// Checks that the item is accepted, and makes this revocation.
    async fn takes(&self, item: Value, revocation: Revocation) {
        let answer = self.post(&item).await;
        assert_eq!((answer.status, answer.body), (200, json!({"revoked": 1})), "{item}");
        assert_eq!(self.recorder.take(), [revocation], "{item}");
    }

    /// Checks that the item is refused, with an error at this place that contains these words.
    async fn refuses(&self, body: impl Into<BodyText>, pointer: &str, words: &str) {
        let BodyText(text) = body.into();
        let answer = self.post(text.as_str()).await;
        assert_eq!(answer.status, 400, "{text}");
        let errors = answer.body["errors"].as_array().unwrap();
        let is_it = |error: &&Value| error["pointer"] == pointer && error["detail"].as_str().unwrap().contains(words);
        assert_eq!(errors.iter().filter(is_it).count(), 1, "{text}: {errors:?}");
        assert_eq!((errors.len(), self.recorder.calls()), (1, 0), "{text}: {errors:?}");
    }
}

/// Tokens that are issued while the request is being sent must be revoked, too.
#[tokio::test]
async fn a_cut_off_of_now_is_the_time_at_which_the_whole_request_has_arrived() {
    let scene = Scene::new();
    let item = json!({"level": "subject", "issuer": ISSUER, "id": "alice"});
    let late = Late { clock: scene.clock.clone(), text: Some(item.to_string()) };
    let request = Request::post("/").header("content-type", "application/json").body(Body::new(late)).unwrap();
    assert_eq!(scene.answer(request).await.status, 200);
    let [revoked] = scene.recorder.take().try_into().unwrap();
    assert!(revoked.cut_off().unwrap() >= after(60), "{revoked:?}");
}

fn post(body: impl Into<BodyText>) -> Request<Body> {
    let BodyText(text) = body.into();
    Request::post("/").header("content-type", "application/json").body(Body::from(text)).unwrap()
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    code: Option<Code>,
    body: Value,
}

impl Answer {
    /// Checks what every answer must have.
    fn of(response: Response<String>) -> Self {
        let (parts, body) = response.into_parts();
        let (status, code) = (parts.status.as_u16(), parts.extensions.get().copied());
        assert_eq!(parts.headers["cache-control"], "no-store");
        let media_type = if status == 200 { "application/json" } else { "application/problem+json" };
        assert_eq!(parts.headers["content-type"], media_type);
        assert_eq!(status == 503, parts.headers.contains_key("retry-after"));
        assert_eq!(status == 405, parts.headers.contains_key("allow"));
        let body: Value = serde_json::from_str(&body).unwrap();
        if status != 200 {
            assert_eq!(body["status"], status);
        }
        Self { status, headers: parts.headers, code, body }
    }

    fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap()
    }
}

fn session(id: &str) -> Value {
    json!({"level": "session", "issuer": ISSUER, "id": id})
}

#[tokio::test]
async fn without_a_layer_no_request_passes() {
    let scene = Scene::asking(authenticated());
    assert_eq!(scene.post(session("s-1")).await.status, 200);
    assert_eq!(scene.recorder.calls(), 1);
    for method in [Method::POST, Method::GET, Method::DELETE, Method::OPTIONS] {
        let mut request = post(session("s-1"));
        *request.method_mut() = method;
        request.headers_mut().insert("authorization", scene.issuer.token().bearer().parse().unwrap());
        let answer = Answer::of(scene.api.clone().oneshot(request).await.unwrap());
        assert_eq!((answer.status, answer.code), (500, Some(Code::ServiceMisconfigured)));
    }
    assert_eq!(scene.recorder.calls(), 1);
}

#[tokio::test]
async fn a_caller_without_a_credential_gets_401() {
    let scene = Scene::asking(!scope("a"));
    let service = scene.auth.clone().realm("admin").optional().layer(scene.api.clone());
    let preflight = Request::options("/").header("origin", "https://app.example");
    let preflight = preflight.header("access-control-request-method", "POST").body(Body::empty()).unwrap();
    for request in [post(session("s-1")), Request::get("/").body(Body::empty()).unwrap(), preflight] {
        let answer = Answer::of(service.clone().oneshot(request).await.unwrap());
        assert_eq!((answer.status, answer.code), (401, Some(Code::CredentialMissing)));
        assert_eq!(answer.headers["www-authenticate"], r#"Bearer realm="admin""#);
    }
    let mut request = post(session("s-1"));
    request.headers_mut().insert("authorization", scene.issuer.token().bearer().parse().unwrap());
    assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
    assert_eq!(scene.recorder.calls(), 1);
}

#[tokio::test]
async fn a_caller_who_does_not_meet_the_requirement_is_refused_whatever_they_send() {
    let scene = Scene::new();
    let service = scene.auth.layer(scene.api.clone());
    let bearer = scene.issuer.token().scope("read").bearer();
    for request in [
        post(session("s-1")),
        post("nonsense"),
        Request::get("/").body(Body::empty()).unwrap(),
        Request::delete("/").body(Body::empty()).unwrap(),
    ] {
        let (mut parts, body) = request.into_parts();
        parts.headers.insert("authorization", bearer.parse().unwrap());
        let answer = Answer::of(service.clone().oneshot(Request::from_parts(parts, body)).await.unwrap());
        assert_eq!((answer.status, answer.code), (403, Some(Code::ScopeMissing)));
        assert!(answer.headers["www-authenticate"].to_str().unwrap().contains(r#"scope="revoke""#));
    }
    assert_eq!(scene.recorder.calls(), 0);
    assert_eq!(scene.post(session("s-1")).await.status, 200);
}

#[tokio::test]
async fn a_requirement_may_take_time_or_be_undecided() {
    let later = |decision: fn() -> Decision| {
        check_async("on duty", move |_| async move {
            tokio::task::yield_now().await;
            decision()
        })
    };
    for (requirement, status) in [
        (later(|| Decision::Allow), 200),
        (later(|| Decision::Deny), 403),
        (later(|| Decision::undecided("the roster is down")), 503),
        (check_facts("roster", |_| Err::<bool, _>("down")), 503),
        (claim("/tenant", eq(param("tenant"))), 500),
    ] {
        let scene = Scene::asking(requirement);
        assert_eq!(scene.post(session("s-1")).await.status, status);
        assert_eq!(scene.recorder.calls(), usize::from(status == 200));
    }
}

/// An issuer's clock may be ahead by the leeway, so its latest tokens may have times in the future.
#[tokio::test]
async fn row_t5_a_cut_off_that_is_left_out_covers_the_leeway() {
    let scene = Scene::new();
    for (level, id) in [("subject", Some("alice")), ("client", Some("app")), ("issuer", None)] {
        let mut item = json!({"level": level, "issuer": ISSUER});
        if let Some(id) = id {
            item["id"] = id.into();
        }
        assert_eq!(scene.answer(post(item.to_string())).await.status, 200);
        let [revoked] = scene.recorder.take().try_into().unwrap();
        assert_eq!(revoked.cut_off(), Some(after(30)), "{level}");
    }
}

/// An issuer's leeway may be longer than the default. Here, its clock is two minutes ahead.
#[tokio::test]
async fn row_t5_a_cut_off_that_is_left_out_covers_the_leeway_that_is_set() {
    let clock = FixedClock::default();
    let issuer = MockIssuer::new().named(ISSUER).clock(clock.clone());
    let trusted = issuer.trusted().leeway(Leeway::from_secs(300).unwrap());
    for (leeway, expected) in [(None, 200), (Some(Leeway::from_secs(300).unwrap()), 401)] {
        let revocations = Revocations::builder(MemoryLog::new()).clock(clock.clone()).start().unwrap();
        revocations.require(Duration::from_secs(5)).await.unwrap();
        let admission = Admission::new(JwtAuthenticator::new(trusted.clone()).unwrap()).clock(clock.clone());
        let auth = AuthLayer::new(admission.revocations(&revocations));
        let api = RevocationApi::new(revocations.clone(), scope("revoke")).clock(clock.clone());
        let api = auth.layer(leeway.into_iter().fold(api, RevocationApi::leeway));
        let guarded =
            auth.layer(service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(String::new()))));

        let ahead = issuer.token().subject("alice").issued_at(after(120)).bearer();
        let ask = || Request::get("/").header("authorization", &ahead).body(Body::empty()).unwrap();
        assert_eq!(guarded.clone().oneshot(ask()).await.unwrap().status(), 200, "good until it is revoked");

        let mut request = post(json!({"level": "subject", "issuer": ISSUER, "id": "alice"}));
        let officer = issuer.token().subject("olga").scope("revoke").bearer();
        request.headers_mut().insert("authorization", officer.parse().unwrap());
        assert_eq!(api.oneshot(request).await.unwrap().status(), 200);
        assert_eq!(guarded.oneshot(ask()).await.unwrap().status(), expected, "{leeway:?}");
    }
}

/// A cut-off in the request may be as far ahead as any issuer's clock, whatever leeway is set.
#[tokio::test]
async fn row_t5_a_given_cut_off_may_lie_ahead_by_the_largest_leeway() {
    for leeway in [Leeway::NONE, Leeway::default(), Leeway::MAX] {
        let mut scene = Scene::new();
        scene.api = scene.api.clone().leeway(leeway);
        let item = |cut_off: u64| json!({"level": "issuer", "issuer": ISSUER, "cut_off": after(cut_off).as_secs()});
        scene.refuses(item(301), "#/cut_off", "not issued yet").await;
        scene.takes(item(300), Revocation::issuer(ISSUER, after(300))).await;
        let left_out = json!({"level": "issuer", "issuer": ISSUER});
        scene.takes(left_out, Revocation::issuer(ISSUER, NOW.plus(leeway.as_duration()))).await;
    }
}

#[tokio::test]
async fn every_level_can_be_revoked() {
    let scene = Scene::new();
    let item = |level: &str, more: Value| {
        let mut item = json!({"level": level, "issuer": ISSUER});
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        item
    };
    let expiry = after(600);
    let token = item("token", json!({"id": "t-1", "expires_at": expiry.as_secs()}));
    scene.takes(token, Revocation::token(ISSUER, "t-1", expiry)).await;
    scene.takes(item("session", json!({"id": "s-1"})), Revocation::session(ISSUER, "s-1")).await;
    scene.takes(item("subject", json!({"id": "alice"})), Revocation::subject(ISSUER, "alice", after(30))).await;
    let earlier = item("subject", json!({"id": "alice", "cut_off": 1_700_000_000}));
    scene.takes(earlier, Revocation::subject(ISSUER, "alice", UnixTime::from_secs(1_700_000_000))).await;
    let version = item("version", json!({"id": "alice", "current": 5}));
    scene.takes(version, Revocation::version(ISSUER, "alice", 5)).await;
    scene.takes(item("client", json!({"id": "app"})), Revocation::client(ISSUER, "app", after(30))).await;
    let client = item("client", json!({"id": "app", "cut_off": before(9).as_secs()}));
    scene.takes(client, Revocation::client(ISSUER, "app", before(9))).await;
    scene.takes(item("key", json!({"id": "k-1"})), Revocation::key(ISSUER, "k-1")).await;
    scene.takes(item("issuer", json!({})), Revocation::issuer(ISSUER, after(30))).await;
    let issuer = item("issuer", json!({"cut_off": before(9).as_secs()}));
    scene.takes(issuer, Revocation::issuer(ISSUER, before(9))).await;
}

#[tokio::test]
async fn a_caller_without_permission_is_counted_and_challenged_under_its_scheme() {
    let (issuer, telemetry) = (MockIssuer::new(), Telemetry::new());
    let auth = AuthLayer::new(UnderDpop(JwtAuthenticator::new(issuer.trusted()).unwrap()));
    let api = RevocationApi::new(Recorder::default(), scope("revoke"));
    let service = auth.telemetry(&telemetry, "admin").layer(api);
    let send = async |scope: &str| {
        let authorization = format!("DPoP {}", issuer.token().scope(scope).sign());
        let request = Request::get("/").header("authorization", authorization).body(Body::empty()).unwrap();
        service.clone().oneshot(request).await.unwrap()
    };
    let counted = || telemetry.snapshot().value(names::GUARD_REFUSALS.name(), &["admin", "scope_missing"]).is_some();

    assert_eq!(send("revoke").await.status(), 200);
    assert!(!counted());
    let refused = send("read").await;
    assert_eq!(refused.status(), 403);
    let challenges: Vec<_> = refused.headers().get_all("www-authenticate").iter().collect();
    assert_eq!(challenges.len(), 1, "{challenges:?}");
    assert!(challenges[0].to_str().unwrap().starts_with("DPoP error=\"insufficient_scope\""), "{challenges:?}");
    assert!(counted());
}

#[tokio::test]
async fn tokens_revoked_through_the_api_are_refused() {
    let issuer = MockIssuer::new();
    let revocations = Revocations::builder(MemoryLog::new()).start().unwrap();
    revocations.require(Duration::from_secs(5)).await.unwrap();
    let router = Router::new()
        .route("/", get(async || "in"))
        .nest_service("/admin", RevocationApi::new(revocations.clone(), scope("revoke")))
        .layer(AuthLayer::new(issuer.admission().revocations(&revocations)));
    let status = async |bearer: &str| {
        let request = Request::get("/").header("authorization", bearer).body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    let admin = async |mut request: Request<Body>| {
        let bearer = issuer.token().subject("olga").scope("revoke").bearer();
        request.headers_mut().insert("authorization", bearer.parse().unwrap());
        *request.uri_mut() = "/admin".parse().unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        serde_json::from_slice::<Value>(&to_bytes(response.into_body(), 4096).await.unwrap()).unwrap()
    };
    let (alice, bob) = (issuer.token().subject("alice").bearer(), issuer.token().subject("bob").bearer());
    assert_eq!((status(&alice).await, status(&bob).await), (200, 200));

    let item = json!({"level": "subject", "issuer": issuer.name(), "id": "alice"});
    assert_eq!(admin(post(&item)).await, json!({"revoked": 1}));
    assert_eq!((status(&alice).await, status(&bob).await), (401, 200));
    assert_eq!(admin(post(&item)).await, json!({"revoked": 1}), "again");

    let listed = admin(Request::get("/").body(Body::empty()).unwrap()).await;
    assert_eq!(listed["next"], Value::Null);
    let rows = listed["revocations"].as_array().unwrap();
    assert!(!rows.is_empty() && rows.iter().all(|row| row["id"] == "alice" && row["level"] == "subject"), "{rows:?}");
}

#[tokio::test]
async fn a_wrong_item_is_reported_with_its_place_and_how_to_correct_it() {
    let scene = Scene::new();
    let refuses = async |item: Value, pointer: &str, words: &str| scene.refuses(item, pointer, words).await;
    refuses(json!({}), "#/level", "has to be one of `token`, `session`, `subject`").await;
    refuses(json!({"level": "user", "issuer": ISSUER, "id": "a"}), "#/level", "has to be one of").await;
    refuses(json!({"level": "Subject", "issuer": ISSUER, "id": "a"}), "#/level", "has to be one of").await;
    refuses(json!({"level": 3, "issuer": ISSUER, "id": "a"}), "#/level", "has to be one of").await;

    let with = |level: &str, name: &str, value: Value| {
        let mut item = json!({"level": level, "issuer": ISSUER, "id": "a"});
        item.as_object_mut().unwrap().insert(name.to_owned(), value);
        item
    };
    for (name, words) in [("issuer", "`iss`"), ("id", "`sid`")] {
        for (value, what) in [(json!(""), "empty"), (json!(" "), "empty"), (json!(7), "text"), (json!(null), "text")] {
            refuses(with("session", name, value.clone()), &format!("#/{name}"), words).await;
            refuses(with("session", name, value), &format!("#/{name}"), what).await;
        }
        let mut without = session("s-1");
        without.as_object_mut().unwrap().remove(name);
        refuses(without, &format!("#/{name}"), "missing").await;
    }
    refuses(with("session", "sid", json!("s")), "#/sid", "`issuer`, `id`: leave it out").await;
    refuses(with("session", "a/b", json!(1)), "#/a~1b", "no such member").await;
    refuses(with("session", "cut_off", json!(1)), "#/cut_off", "level `session` has no such member").await;
    refuses(with("subject", "current", json!(1)), "#/current", "level `subject` has no such member").await;
    refuses(with("subject", "expires_at", json!(1)), "#/expires_at", "leave it out").await;
    refuses(with("key", "cut_off", json!(1)), "#/cut_off", "leave it out").await;
    refuses(json!({"level": "issuer", "issuer": ISSUER, "id": "a"}), "#/id", "level `issuer` has no such member").await;

    refuses(json!({"level": "version", "issuer": ISSUER, "id": "a"}), "#/current", "missing").await;
    for (value, words) in [(json!(0), "is 0"), (json!(-1), "whole"), (json!(1.5), "whole"), (json!("5"), "whole")] {
        refuses(with("version", "current", value), "#/current", words).await;
    }
    refuses(with("version", "current", json!((1_u64 << 53) + 1)), "#/current", "beyond 2^53").await;
    refuses(with("version", "current", json!(u64::MAX)), "#/current", "beyond 2^53").await;
    assert_eq!(scene.post(with("version", "current", json!(1))).await.status, 200);
    assert_eq!(scene.post(with("version", "current", json!(1_u64 << 53))).await.status, 200);
}

#[tokio::test]
async fn times_must_be_plausible_seconds() {
    let scene = Scene::new();
    let token = |expiry: Value| json!({"level": "token", "issuer": ISSUER, "id": "t", "expires_at": expiry});
    let mut without = token(json!(0));
    without.as_object_mut().unwrap().remove("expires_at");
    scene.refuses(without, "#/expires_at", "missing").await;
    scene.refuses(token(json!("1800000000")), "#/expires_at", "whole number").await;
    scene.refuses(token(json!(1_800_000_600_000_u64)), "#/expires_at", "milliseconds").await;
    scene.refuses(token(json!(3600)), "#/expires_at", "long passed").await;
    scene.refuses(token(json!(before(301).as_secs())), "#/expires_at", "long passed").await;

    let subject = |cut_off: Value| json!({"level": "subject", "issuer": ISSUER, "id": "alice", "cut_off": cut_off});
    scene.refuses(subject(json!(after(301).as_secs())), "#/cut_off", "not issued yet").await;
    scene.refuses(subject(json!(1_800_000_000_000_u64)), "#/cut_off", "milliseconds").await;
    scene.refuses(subject(json!(null)), "#/cut_off", "whole number").await;
    scene.refuses(subject(json!("now")), "#/cut_off", "whole number").await;
    let issuer = json!({"level": "issuer", "issuer": ISSUER, "cut_off": after(301).as_secs()});
    scene.refuses(issuer, "#/cut_off", "not issued yet").await;

    scene.takes(token(json!(before(300).as_secs())), Revocation::token(ISSUER, "t", before(300))).await;
    scene.takes(subject(json!(after(300).as_secs())), Revocation::subject(ISSUER, "alice", after(300))).await;
}

#[tokio::test]
async fn a_repeated_member_is_refused() {
    let scene = Scene::new();
    let item = |more: &str| format!(r#"{{"level":"session","issuer":"{ISSUER}","id":"a"{more}}}"#);
    scene.refuses(item(r#","id":"b""#), "#/id", "twice").await;
    scene.refuses(item(r#","\u0069d":"a""#), "#/id", "twice").await;
    scene.refuses(item(r#","level":"session""#), "#/level", "twice").await;
    let many = r#","x":1"#.repeat(20);
    scene.refuses(item(&many), "#", "too many members").await;
    scene.takes(serde_json::from_str(&item("")).unwrap(), Revocation::session(ISSUER, "a")).await;
}

#[tokio::test]
async fn nothing_is_revoked_unless_all_items_are_correct() {
    let scene = Scene::new();
    let mut items = vec![session("a"), json!({"level": "session"}), session("c"), session("")];
    let answer = scene.post(json!(items)).await;
    assert_eq!((answer.status, scene.recorder.calls()), (400, 0));
    let places: Vec<_> = answer.body["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!(places, ["#/1/issuer", "#/1/id", "#/3/id"]);
    assert!(answer.detail().contains("nothing was revoked"));

    items.retain(|item| item["id"].as_str().is_some_and(|id| !id.is_empty()));
    assert_eq!(scene.post(json!(items)).await.body, json!({"revoked": 2}));
    assert_eq!((scene.recorder.calls(), scene.recorder.take().len()), (1, 2));
}

#[tokio::test]
async fn the_size_of_a_request_is_limited() {
    let scene = Scene::new();
    let items = |count: usize| json!((0..count).map(|number| session(&number.to_string())).collect::<Vec<_>>());
    assert_eq!(scene.post(items(1000)).await.body, json!({"revoked": 1000}));
    assert_eq!(scene.recorder.take().len(), 1000);
    for count in [0, 1001] {
        let answer = scene.post(items(count)).await;
        assert_eq!(answer.status, 400);
        assert!(answer.detail().contains(&format!("has {count} items: send 1 to 1000")), "{answer:?}");
    }
    let padded = |length: usize| {
        let item = session("a").to_string();
        format!("{item}{}", " ".repeat(length - item.len()))
    };
    assert_eq!(scene.post(padded(256 * 1024)).await.status, 200);
    assert_eq!(scene.post(padded(256 * 1024 + 1)).await.status, 413);
    let wrong = scene.post(json!(vec![json!({}); 1000])).await;
    assert_eq!(wrong.body["errors"].as_array().unwrap().len(), 20);
    assert_eq!(scene.recorder.take().len(), 1);
}

#[tokio::test]
async fn a_body_that_is_not_json_with_items_is_refused() {
    let scene = Scene::new();
    for (text, words) in [
        ("", "not JSON"),
        ("level=session", "not JSON"),
        ("{", "not JSON"),
        ("{} {}", "not JSON"),
        ("[{}", "not JSON"),
        ("{\"id\":\"\u{0}\"}", "not JSON"),
        ("7", "neither an object nor an array"),
        (r#""secret""#, "neither an object nor an array"),
        ("[7]", "neither an object nor an array"),
        ("[[]]", "neither an object nor an array"),
        ("null", "neither an object nor an array"),
    ] {
        let answer = scene.post(text).await;
        assert_eq!((answer.status, scene.recorder.calls()), (400, 0), "{text}");
        assert!(answer.detail().contains(words) && answer.detail().contains("line 1"), "{text}: {answer:?}");
        assert!(!answer.detail().contains("secret"));
    }
    let bytes = post("").map(|_| Body::from(&b"{\"level\":\"\xff\"}"[..]));
    assert_eq!(scene.answer(bytes).await.status, 400);
    assert_eq!(scene.post(session("a")).await.status, 200);
}

#[tokio::test]
async fn the_content_type_has_to_be_json() {
    let scene = Scene::new();
    for (name, value, status) in [
        ("content-type", "application/json", 200),
        ("content-type", "Application/JSON; charset=utf-8", 200),
        ("content-type", "text/plain", 415),
        ("content-type", "application/x-www-form-urlencoded", 415),
        ("content-type", "application/jsonx", 415),
        ("content-encoding", "gzip", 415),
    ] {
        let mut request = post(session("a"));
        request.headers_mut().insert(name, value.parse().unwrap());
        assert_eq!(scene.answer(request).await.status, status, "{name}: {value}");
    }
    let mut untyped = post(session("a"));
    untyped.headers_mut().remove("content-type");
    assert_eq!(scene.answer(untyped).await.status, 415);
}

#[tokio::test]
async fn a_revocation_cannot_be_undone() {
    let scene = Scene::new();
    for method in [Method::DELETE, Method::PUT, Method::PATCH, Method::HEAD, Method::OPTIONS] {
        let mut request = post(session("a"));
        *request.method_mut() = method;
        let answer = scene.answer(request).await;
        assert_eq!((answer.status, scene.recorder.calls()), (405, 0));
        assert_eq!(answer.headers["allow"], "GET, POST");
        assert!(answer.detail().contains("A revocation cannot be undone"), "{answer:?}");
        assert!(answer.detail().contains("log in again"), "{answer:?}");
    }
}

#[tokio::test]
async fn an_append_that_is_not_durable_or_a_list_that_cannot_be_read_is_503() {
    let scene = Scene::new();
    for error in [LogError::unavailable("secret-host is down"), LogError::misconfigured("m"), LogError::corrupt("c")] {
        scene.recorder.fail(Some(error));
        for answer in [scene.post(session("a")).await, scene.get("").await] {
            assert_eq!(answer.status, 503);
            assert!(!answer.body.to_string().contains("secret-host"));
        }
    }
    scene.recorder.fail(None);
    assert_eq!((scene.post(session("a")).await.status, scene.get("").await.status), (200, 200));
}

#[tokio::test]
async fn revocations_are_listed_page_by_page() {
    let scene = Scene::new();
    let until = after(87_000);
    let entry = |revocation| RevocationEntry::new(revocation, until);
    let (first, second, third) = (Cursor::new(0xab, 2), Cursor::new(0xab, 3), Cursor::new(0xab, 4));
    let entries = vec![entry(Revocation::subject(ISSUER, "alice", NOW)), entry(Revocation::version(ISSUER, "bob", 5))];
    scene.recorder.page(None, Page::of(entries, first));
    scene.recorder.page(Some(first), Page::of(vec![], second)); // all entries forgotten
    let mut last = Page::of(vec![entry(Revocation::issuer(ISSUER, NOW)), entry(Revocation::key(ISSUER, "k"))], third);
    (last.is_last, last.unreadable) = (true, 2);
    scene.recorder.page(Some(second), last);

    let text = |position: u8| format!("{:030}ab{:030}{position:02x}", 0, 0);
    let until = until.as_secs();
    let page = scene.get("").await.body;
    let rows = json!([
        {"level": "subject", "issuer": ISSUER, "id": "alice", "cut_off": NOW.as_secs(), "until": until},
        {"level": "version", "issuer": ISSUER, "id": "bob", "current": 5, "until": until},
    ]);
    assert_eq!(page, json!({"revocations": rows, "next": text(2), "restarted": false, "unreadable": 0}));
    let page = scene.get(&format!("?after={}", text(2))).await.body;
    assert_eq!((&page["revocations"], &page["next"]), (&json!([]), &json!(text(3))));
    let page = scene.get(&format!("?after={}", text(3))).await.body;
    let rows = json!([
        {"level": "issuer", "issuer": ISSUER, "cut_off": NOW.as_secs(), "until": until},
        {"level": "key", "issuer": ISSUER, "id": "k", "until": until},
    ]);
    assert_eq!(page, json!({"revocations": rows, "next": null, "restarted": false, "unreadable": 2}));
}

#[tokio::test]
async fn a_restarted_list_says_so_and_one_that_makes_no_progress_ends() {
    let scene = Scene::new();
    let (old, new) = (Cursor::new(1, 7), Cursor::new(2, 1));
    let mut restarted = Page::of(vec![RevocationEntry::new(Revocation::session(ISSUER, "s"), after(9))], new);
    restarted.is_restart = true;
    scene.recorder.page(Some(old), restarted);
    scene.recorder.page(Some(new), Page::of(vec![], new));

    let page = scene.get(&format!("?after={:032x}{:032x}", 1, 7)).await.body;
    assert_eq!((&page["restarted"], &page["next"]), (&json!(true), &json!(format!("{:032x}{:032x}", 2, 1))));
    let page = scene.get(&format!("?after={:032x}{:032x}", 2, 1)).await.body;
    assert_eq!((&page["restarted"], &page["next"]), (&json!(false), &Value::Null));
}

#[tokio::test]
async fn a_cursor_is_accepted_only_as_it_was_returned() {
    let scene = Scene::new();
    let text = format!("{:032x}{:032x}", 0xab, 1);
    for query in [String::new(), "?".to_owned(), format!("?after={text}")] {
        assert_eq!(scene.get(&query).await.status, 200, "{query}");
    }
    let calls = scene.recorder.calls();
    for query in [
        "?after=".to_owned(),
        "?after".to_owned(),
        format!("?after={}", text.to_uppercase()),
        format!("?after={}", &text[1..]),
        format!("?after=0{text}"),
        format!("?after=+{}", &text[1..]),
        format!("?after={text}&after={text}"),
        format!("?after={text}&"),
        format!("?After={text}"),
        format!("?level=subject&after={text}"),
        "?level=subject".to_owned(),
    ] {
        let answer = scene.get(&query).await;
        assert_eq!((answer.status, scene.recorder.calls()), (400, calls), "{query}");
        assert!(answer.detail().contains("`next` of the page before"));
    }
}

#[test]
fn debug_of_the_api_shows_the_requirement() {
    let shown = format!("{:?}", Scene::new().api);
    assert!(shown.contains(r#"scope("revoke")"#), "{shown}");
}

#[tokio::test]
async fn an_administrator_of_one_issuer_revokes_no_tokens_of_another() {
    let scene = Scene::new();
    let theirs = json!({"level": "session", "issuer": "https://another.test", "id": "s-1"});
    scene.refuses(theirs.clone(), "#/issuer", "not the one that your own token is from").await;
    scene.refuses(json!([session("s-1"), theirs.clone()]), "#/1/issuer", "not the one").await;
    for level in ["issuer", "key"] {
        let mut item = json!({"level": level, "issuer": "https://another.test"});
        if level == "key" {
            item["id"] = "k".into();
        }
        scene.refuses(item, "#/issuer", "not the one").await;
    }
    assert_eq!(scene.post(session("s-1")).await.status, 200, "their own");
    let scene = Scene { api: scene.api.clone().danger_of_any_issuer(), ..scene };
    assert_eq!(scene.post(theirs).await.status, 200, "if that is what was asked for");
}
