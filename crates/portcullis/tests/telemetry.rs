//! Tests the log events for requests that are not admitted.
#![cfg(feature = "tracing")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fmt,
    future::ready,
    io,
    sync::{Arc, Mutex},
};

use http::{Request, Response};
use portcullis::{
    AuthLayer, JwtAuthenticator, RequireLayer, TrustedIssuer,
    clock::UnixTime,
    keys::{KeyHint, KeySource, KeySourceError, KeySourceErrorKind, Resolved},
    requirement::scope,
};
use portcullis_test::{MockIssuer, MockKeys};
use tower::{Layer, Service, ServiceExt};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::{DefaultGuard, set_default},
};

/// An event: its level, and its fields with the message among them.
#[derive(Clone, Debug)]
struct Entry {
    level: Level,
    fields: BTreeMap<&'static str, String>,
}

impl Visit for Entry {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}

/// Records every event and every span of this thread.
#[derive(Clone, Default)]
struct Log {
    events: Arc<Mutex<Vec<Entry>>>,
    spans: Arc<Mutex<Vec<Span>>>,
}

/// A span: its name, its level and fields, how often it was entered, and how often it was left.
#[derive(Clone, Debug)]
struct Span {
    name: &'static str,
    entry: Entry,
    entered: usize,
    left: usize,
}

impl Log {
    fn start() -> (Self, DefaultGuard) {
        let log = Self::default();
        let guard = set_default(log.clone());
        (log, guard)
    }

    /// Returns the events so far, and removes them.
    fn take(&self) -> Vec<Entry> {
        std::mem::take(&mut self.events.lock().unwrap())
    }

    /// Returns the spans so far, and keeps them.
    fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap().clone()
    }

    fn of(&self, id: &span::Id, change: impl FnOnce(&mut Span)) {
        let at = usize::try_from(id.into_u64()).unwrap() - 1;
        change(&mut self.spans.lock().unwrap()[at]);
    }

    /// Returns the only event so far.
    fn only(&self) -> Entry {
        let [entry] = <[Entry; 1]>::try_from(self.take()).unwrap();
        entry
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn event(&self, event: &Event<'_>) {
        let mut entry = Entry { level: *event.metadata().level(), fields: BTreeMap::new() };
        event.record(&mut entry);
        self.events.lock().unwrap().push(entry);
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let metadata = attributes.metadata();
        let mut entry = Entry { level: *metadata.level(), fields: BTreeMap::new() };
        attributes.record(&mut entry);
        let mut spans = self.spans.lock().unwrap();
        spans.push(Span { name: metadata.name(), entry, entered: 0, left: 0 });
        span::Id::from_u64(spans.len() as u64)
    }

    fn record(&self, id: &span::Id, values: &span::Record<'_>) {
        self.of(id, |span| values.record(&mut span.entry));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, id: &span::Id) {
        self.of(id, |span| span.entered += 1);
    }

    fn exit(&self, id: &span::Id) {
        self.of(id, |span| span.left += 1);
    }
}

/// A key source whose keys are available at once, later, or not at all.
#[derive(Clone, Debug)]
enum Keys {
    AtHand(MockKeys),
    Later(MockKeys),
    Gone,
}

impl KeySource for Keys {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        match self {
            Self::AtHand(keys) => keys.resolve(hint, now),
            Self::Later(keys) => {
                let answer = keys.resolve(hint, now);
                Resolved::waiting(async move {
                    tokio::task::yield_now().await;
                    answer
                })
            }
            Self::Gone => {
                let refused = io::Error::new(io::ErrorKind::ConnectionRefused, "no server listens on port 443");
                let fetch = io::Error::other(Failed("GET /jwks", refused));
                let fault = KeySourceError::new(KeySourceErrorKind::Unavailable, "first fetch failed");
                Resolved::Fault(fault.with_source(fetch))
            }
        }
    }
}

#[derive(Debug)]
struct Failed(&'static str, io::Error);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed", self.0)
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.1)
    }
}

fn auth(issuer: &MockIssuer, keys: Keys) -> AuthLayer {
    let trusted = TrustedIssuer::new(issuer.name(), keys).audience("https://service.test");
    AuthLayer::new(JwtAuthenticator::new(trusted).unwrap())
}

fn inner() -> impl Service<Request<()>, Response = Response<String>, Error = Infallible, Future: Send> + Clone {
    tower::service_fn(|_: Request<()>| ready(Ok(Response::new(String::from("in")))))
}

async fn send(layer: &AuthLayer, token: &str) -> u16 {
    let request = Request::get("/").header("authorization", format!("Bearer {token}")).body(()).unwrap();
    layer.layer(inner()).oneshot(request).await.unwrap().status().as_u16()
}

fn assert_hides(entry: &Entry, token: &str) {
    let shown = format!("{entry:?}");
    assert!(token.split('.').all(|part| !shown.contains(part)), "{shown}");
}

#[tokio::test]
async fn a_refusal_is_one_event_with_its_code_and_a_fingerprint() {
    let issuer = MockIssuer::new();
    let late = issuer.token().subject("alice").expires_at(UnixTime::from_secs(1)).sign();
    let (log, _guard) = Log::start();
    for keys in [Keys::AtHand(issuer.keys()), Keys::Later(issuer.keys())] {
        let layer = auth(&issuer, keys);
        assert_eq!(send(&layer, &issuer.token().sign()).await, 200);
        assert!(log.take().is_empty(), "nothing is to be said about a good token");

        assert_eq!(send(&layer, &late).await, 401);
        let entry = log.only();
        assert_eq!((entry.level, entry.fields["code"].as_str()), (Level::DEBUG, "token_expired"));
        let fingerprint = entry.fields["token_fingerprint"].clone();
        assert!(fingerprint.len() == 16 && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()), "{fingerprint}");
        assert_hides(&entry, &late);

        send(&layer.clone(), &late).await;
        assert_eq!(log.only().fields["token_fingerprint"], fingerprint, "the same token");
        send(&layer, &issuer.token().expires_at(UnixTime::from_secs(2)).sign()).await;
        assert_ne!(log.only().fields["token_fingerprint"], fingerprint, "another token");
        send(&auth(&issuer, Keys::AtHand(issuer.keys())), &late).await;
        assert_ne!(log.only().fields["token_fingerprint"], fingerprint, "another layer has another key");
    }
}

#[tokio::test]
async fn a_verification_is_one_span_at_debug_and_a_cached_token_has_none() {
    let issuer = MockIssuer::new();
    let (log, _guard) = Log::start();
    let layer = AuthLayer::new(issuer.admission());
    let token = issuer.token().scope("orders:read").sign();
    for _ in 0..3 {
        assert_eq!(send(&layer, &token).await, 200);
    }
    let [span] = <[Span; 1]>::try_from(log.spans()).unwrap();
    assert_eq!((span.name, span.entry.level), ("auth.verify", Level::DEBUG));
    assert_eq!(span.entry.fields["code"], "admitted");
    assert_eq!(span.entry.fields["issuer"], issuer.name());
    assert_eq!(span.entry.fields["token_fingerprint"].len(), 16);
    assert_eq!((span.entered, span.left), (1, 1));
    assert_hides(&span.entry, &token);

    assert_eq!(send(&layer, &issuer.token().audience("elsewhere").sign()).await, 401);
    assert_eq!(log.spans()[1].entry.fields["code"], "audience_mismatch");
    assert_eq!(log.spans()[1].entry.fields["issuer"], issuer.name());
    assert_eq!(send(&layer, "no-token").await, 401);
    assert_eq!(log.spans()[2].entry.fields.get("issuer"), None);
}

#[tokio::test]
async fn the_span_of_a_waiting_verification_is_entered_whenever_it_is_polled() {
    let issuer = MockIssuer::new();
    let (log, _guard) = Log::start();
    let layer = auth(&issuer, Keys::Later(issuer.keys()));
    assert_eq!(send(&layer, &issuer.token().sign()).await, 200);
    let [span] = <[Span; 1]>::try_from(log.spans()).unwrap();
    assert_eq!(span.entry.fields["code"], "admitted");
    assert!(span.entered >= 3 && span.entered == span.left, "{span:?}");
}

#[tokio::test]
async fn a_request_without_a_token_has_no_fingerprint() {
    let issuer = MockIssuer::new();
    let layer = auth(&issuer, Keys::AtHand(issuer.keys()));
    let (log, _guard) = Log::start();
    let reply = layer.layer(inner()).oneshot(Request::get("/").body(()).unwrap()).await.unwrap();
    assert_eq!(reply.status(), 401);
    let entry = log.only();
    assert_eq!(entry.fields["code"], "credential_missing");
    assert!(!entry.fields.contains_key("token_fingerprint"), "{entry:?}");
}

#[tokio::test]
async fn missing_keys_are_logged_with_every_cause_where_clients_cannot_flood_the_log() {
    let issuer = MockIssuer::new();
    let layer = auth(&issuer, Keys::Gone);
    let token = issuer.token().sign();
    let (log, _guard) = Log::start();
    assert_eq!(send(&layer, &token).await, 503);
    let entry = log.only();
    assert_eq!((entry.level, entry.fields["code"].as_str()), (Level::DEBUG, "keys_unavailable"));
    let error = &entry.fields["error"];
    for part in ["keys unavailable: first fetch failed", ": GET /jwks failed", ": no server listens on port 443"] {
        assert!(error.contains(part), "{part} in: {error}");
    }
    assert_hides(&entry, &token);
}

#[tokio::test]
async fn a_guard_logs_once_the_unmet_requirement_or_the_missing_layer() {
    let issuer = MockIssuer::new();
    let guarded = || RequireLayer::new(scope("orders:read")).layer(inner());
    let token = issuer.token().scope("orders:write").sign();
    let request = Request::get("/").header("authorization", format!("Bearer {token}")).body(()).unwrap();
    let layer = auth(&issuer, Keys::AtHand(issuer.keys()));
    let (log, _guard) = Log::start();

    assert_eq!(layer.layer(guarded()).oneshot(request).await.unwrap().status(), 403);
    let entry = log.only();
    assert_eq!((entry.level, entry.fields["code"].as_str()), (Level::DEBUG, "scope_missing"));
    assert!(entry.fields["error"].contains(r#"scope("orders:read")"#), "{entry:?}");

    assert_eq!(guarded().oneshot(Request::get("/").body(()).unwrap()).await.unwrap().status(), 500);
    let entry = log.only();
    assert_eq!((entry.level, entry.fields["code"].as_str()), (Level::ERROR, "service_misconfigured"));
    assert!(entry.fields["error"].contains("no AuthLayer in front"), "{entry:?}");
}

/// Records the events at `warn` and above.
fn loud(entries: Vec<Entry>) -> Vec<Entry> {
    entries.into_iter().filter(|entry| entry.level <= Level::WARN).collect()
}

#[tokio::test]
async fn row_t18_a_route_that_is_misconfigured_fills_no_log() {
    use portcullis::{
        AuthError, Code,
        authenticator::{Authenticator, Credential},
    };

    /// Has a fault that no other test of this process has, because a process logs the same fault only once a second.
    #[derive(Debug)]
    struct Misconfigured;
    impl Authenticator for Misconfigured {
        type Custom = portcullis::verified::NoCustom;

        fn verify(&self, _: Credential<'_>) -> portcullis::authenticator::Attempt<portcullis::authenticator::Proven> {
            let error = AuthError::new(Code::ServiceMisconfigured).with_explanation("a fault of this test alone");
            portcullis::authenticator::Attempt::Done(Err(error))
        }
    }

    let layer = AuthLayer::new(Misconfigured);
    let (log, _guard) = Log::start();
    let started = std::time::Instant::now();
    for _ in 0..500 {
        assert_eq!(send(&layer, "a.b.c").await, 500);
    }
    let most = 1 + usize::try_from(started.elapsed().as_secs()).unwrap();
    let entries = log.take();
    assert_eq!(entries.len(), 500, "each request has its event, at `debug`");
    let errors = loud(entries);
    assert!((1..=most).contains(&errors.len()), "{}", errors.len());
    assert!(errors[0].fields["error"].contains("a fault of this test alone"), "{errors:?}");
}

/// A revoker whose calls fail because the log is down.
#[cfg(feature = "revocation")]
#[tokio::test]
async fn row_t18_a_log_of_revocations_that_is_down_fills_no_log() {
    use portcullis::revocation::{Cursor, LogError, Page, Revocation, RevocationApi, Revoker};

    #[derive(Debug)]
    struct Down;
    impl Revoker for Down {
        async fn revoke_all(&self, _: Vec<Revocation>) -> Result<(), LogError> {
            Err(LogError::unavailable("the log does not answer to writes"))
        }

        async fn list(&self, _: Option<&Cursor>) -> Result<Page, LogError> {
            Err(LogError::unavailable("the log does not answer to reads"))
        }
    }

    let issuer = MockIssuer::new();
    let api = RevocationApi::new(Down, scope("revoke"));
    let service = AuthLayer::new(issuer.admission()).layer(api);
    let bearer = issuer.token().scope("revoke").bearer();
    let item = r#"{"level":"session","issuer":"https://issuer.test","id":"s"}"#;
    let (log, _guard) = Log::start();
    let started = std::time::Instant::now();
    for _ in 0..250 {
        for (method, body) in [("POST", item), ("GET", "")] {
            let request = Request::builder().method(method).header("authorization", &bearer);
            let request = request.header("content-type", "application/json").body(body.to_owned()).unwrap();
            assert_eq!(service.clone().oneshot(request).await.unwrap().status(), 503);
        }
    }
    let most = 1 + usize::try_from(started.elapsed().as_secs()).unwrap();
    let entries = log.take();
    assert_eq!(entries.len(), 500, "each request has its event, at `debug`");
    let errors = loud(entries);
    for fault in ["writes", "reads"] {
        let told = errors.iter().filter(|entry| entry.fields["error"].contains(fault)).count();
        assert!((1..=most).contains(&told), "{fault}: {told}");
    }
}

/// The requests are undecided because revocations are stale, and the text differs for every request.
#[tokio::test]
async fn row_t18_stale_revocations_fill_no_log() {
    use portcullis::{
        AuthError, Code,
        authenticator::{Authenticator, Credential},
    };

    #[derive(Debug, Default)]
    struct Stale(std::sync::atomic::AtomicU64);
    impl Authenticator for Stale {
        type Custom = portcullis::verified::NoCustom;

        fn verify(&self, _: Credential<'_>) -> portcullis::authenticator::Attempt<portcullis::authenticator::Proven> {
            let age = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let error = AuthError::new(Code::RevocationsStale).with_explanation(format!("stale for {age} s"));
            portcullis::authenticator::Attempt::Done(Err(error))
        }
    }

    let layer = AuthLayer::new(Stale::default());
    let (log, _guard) = Log::start();
    let started = std::time::Instant::now();
    for _ in 0..500 {
        assert_eq!(send(&layer, "a.b.c").await, 503);
    }
    let most = 1 + usize::try_from(started.elapsed().as_secs()).unwrap();
    let warnings = loud(log.take());
    assert!((1..=most).contains(&warnings.len()), "{}", warnings.len());
}

#[tokio::test]
async fn row_t18_text_from_elsewhere_stays_in_its_line() {
    use portcullis::{
        AuthError, Code,
        authenticator::{Authenticator, Credential},
    };

    #[derive(Debug)]
    struct Hostile(Code);
    impl Authenticator for Hostile {
        type Custom = portcullis::verified::NoCustom;

        fn verify(&self, _: Credential<'_>) -> portcullis::authenticator::Attempt<portcullis::authenticator::Proven> {
            let cause = io::Error::other("kid \u{202e}gnp\nERROR all is well\u{2028}\u{1b}[2J");
            portcullis::authenticator::Attempt::Done(Err(AuthError::new(self.0)
                .with_explanation("of \u{202e}\r\n")
                .with_source(cause)))
        }
    }

    for code in [Code::TokenMalformed, Code::KeysUnavailable, Code::RequirementUndecided, Code::ServiceMisconfigured] {
        let layer = AuthLayer::new(Hostile(code));
        let (log, _guard) = Log::start();
        send(&layer, "a.b.c").await;
        let error = log.only().fields["error"].clone();
        assert!(!error.chars().any(|char| char.is_control() || "\u{202e}\u{2028}".contains(char)), "{error:?}");
        assert!(error.contains(r"\u{202e}"), "{error}");
    }
}

#[tokio::test]
async fn row_s_the_log_says_that_the_scheme_is_missing() {
    let issuer = MockIssuer::new();
    let layer = auth(&issuer, Keys::AtHand(issuer.keys()));
    let token = issuer.token().sign();
    let (log, _guard) = Log::start();
    for (value, part) in [
        (token.as_str(), "without a scheme"),
        ("dXNlcjpwYXNz", "without a scheme"),
        ("Token abc", "another scheme than `Bearer`"),
        ("Basic dXNlcjpwYXNz", "another scheme than `Bearer`"),
        ("", "is empty"),
    ] {
        let request = Request::get("/").header("authorization", value).body(()).unwrap();
        let reply = layer.layer(inner()).oneshot(request).await.unwrap();
        assert_eq!(reply.status(), 401);
        assert!(reply.body().contains("a bearer token is required"), "the client's answer stays: {}", reply.body());
        let entry = log.only();
        assert_eq!(entry.fields["code"], "credential_missing");
        assert!(entry.fields["error"].contains(part), "{entry:?}");
        assert_hides(&entry, &token);
    }
    layer.layer(inner()).oneshot(Request::get("/").body(()).unwrap()).await.unwrap();
    assert!(log.only().fields["error"].contains("a bearer token is required"));
}

#[tokio::test]
async fn row_t6_the_log_says_why_a_preflight_is_refused() {
    let issuer = MockIssuer::new();
    let layer = auth(&issuer, Keys::AtHand(issuer.keys()));
    let (log, _guard) = Log::start();
    let preflight = Request::options("/").header("origin", "https://app.example");
    let preflight = preflight.header("access-control-request-method", "PUT").body(()).unwrap();
    assert_eq!(layer.layer(inner()).oneshot(preflight).await.unwrap().status(), 401);
    assert!(log.only().fields["error"].contains("CorsLayer outside"));
}
