//! Tests `AuthLayer` in front of a service: which requests it admits and refuses, and what it removes from a request.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use http::{Method, Request, Response, StatusCode};
use portcullis::{
    Admission, AuthContext, AuthLayer, JwtAuthenticator, TrustedIssuer,
    clock::UnixTime,
    keys::{KeyHint, KeySource, KeySourceError, KeySourceErrorKind, Resolved},
    location::{Cookie, HttpHeader, QueryParameter, WebSocketSubprotocol},
};
use portcullis_test::MockIssuer;
use tower::{Layer, Service, ServiceExt};

type Reply = Response<String>;

/// A service that answers with the caller and the target. It counts its calls, and panics if it is called without having been polled.
#[derive(Debug, Default)]
struct Inner {
    ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Clone for Inner {
    fn clone(&self) -> Self {
        Self { ready: false, calls: Arc::clone(&self.calls) }
    }
}

impl Service<Request<()>> for Inner {
    type Response = Reply;
    type Error = Infallible;
    type Future = Ready<Result<Reply, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called a service that was not polled");
        self.calls.fetch_add(1, Ordering::Relaxed);
        let context = request.extensions().get::<AuthContext>().expect("the layer leaves a context");
        let who = context.verified().and_then(|verified| verified.subject()).unwrap_or("anonymous");
        ready(Ok(Response::new(format!("{who} at {}", request.uri()))))
    }
}

fn auth(issuer: &MockIssuer) -> Admission {
    Admission::new(JwtAuthenticator::new(issuer.trusted()).unwrap())
}

async fn send<R>(layer: &AuthLayer<R>, request: http::request::Builder) -> Reply
where
    AuthLayer<R>: Layer<Inner>,
    <AuthLayer<R> as Layer<Inner>>::Service: Service<Request<()>, Response = Reply, Error = Infallible>,
{
    layer.layer(Inner::default()).oneshot(request.body(()).unwrap()).await.unwrap()
}

fn with_token(token: &str) -> http::request::Builder {
    Request::get("/").header("authorization", format!("Bearer {token}"))
}

fn challenge(reply: &Reply) -> &str {
    reply.headers().get("www-authenticate").map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_valid_token_is_accepted_and_a_missing_one_is_refused() {
    let issuer = MockIssuer::new();
    let layer = AuthLayer::new(auth(&issuer)).realm("orders");
    let reply = send(&layer, with_token(&issuer.token().subject("alice").sign())).await;
    assert_eq!((reply.status(), reply.body().as_str()), (StatusCode::OK, "alice at /"));

    let reply = send(&layer, Request::get("/")).await;
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(challenge(&reply), r#"Bearer realm="orders""#);

    let reply = send(&layer, with_token(&MockIssuer::new().token().sign())).await;
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    assert!(challenge(&reply).contains(r#"error="invalid_token""#));
}

#[tokio::test]
async fn an_optional_layer_accepts_a_missing_token_and_refuses_an_invalid_one() {
    let issuer = MockIssuer::new();
    let layer = AuthLayer::new(auth(&issuer)).optional();
    assert_eq!(send(&layer, Request::get("/")).await.body(), "anonymous at /");
    assert_eq!(send(&layer, with_token(&issuer.token().subject("alice").sign())).await.body(), "alice at /");
    assert_eq!(send(&layer, with_token("not.a.token")).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(send(&layer, with_token("")).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_preflight_passes_only_if_configured_and_other_options_requests_never() {
    let refusing = AuthLayer::new(auth(&MockIssuer::new()));
    let layer = refusing.clone().danger_pass_preflights();
    let options = || Request::builder().method(Method::OPTIONS).uri("/");
    let preflight = || options().header("origin", "https://app.example").header("access-control-request-method", "PUT");
    assert_eq!(send(&layer, preflight()).await.body(), "anonymous at /");
    assert_eq!(send(&layer, preflight().header("content-length", "0")).await.body(), "anonymous at /");
    assert_eq!(send(&refusing, preflight()).await.status(), StatusCode::UNAUTHORIZED);

    for request in [
        options(),
        options().header("origin", "https://app.example"),
        options().header("access-control-request-method", "PUT"),
        Request::get("/").header("origin", "https://app.example").header("access-control-request-method", "PUT"),
        preflight().header("authorization", "Bearer not.a.token"),
        preflight().header("content-length", "1"),
        preflight().header("transfer-encoding", "chunked"),
    ] {
        assert_eq!(send(&layer, request).await.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn two_credentials_are_refused_even_if_both_are_good() {
    let issuer = MockIssuer::new();
    let layer = AuthLayer::new(auth(&issuer)).or_at(HttpHeader::new("x-user-jwt").unwrap(), auth(&issuer)).unwrap();
    let token = issuer.token().subject("alice").sign();
    let other_place = |builder: http::request::Builder| builder.header("x-user-jwt", &token);
    assert_eq!(send(&layer, with_token(&token)).await.status(), StatusCode::OK);
    assert_eq!(send(&layer, other_place(Request::get("/"))).await.status(), StatusCode::OK);

    for request in [
        other_place(with_token(&token)),
        other_place(with_token("not.a.token")),
        other_place(Request::get("/").header("authorization", "Bearer")),
        with_token(&token).header("authorization", format!("Bearer {token}")),
    ] {
        let reply = send(&layer, request).await;
        assert_eq!(reply.status(), StatusCode::BAD_REQUEST);
        assert!(challenge(&reply).contains(r#"error="invalid_request""#));
    }
}

#[tokio::test]
async fn each_location_has_its_own_authenticator() {
    let (staff, users) = (MockIssuer::new().named("https://staff.test"), MockIssuer::new().named("https://users.test"));
    let layer = AuthLayer::new(auth(&staff)).or_at(Cookie::new("session").unwrap(), auth(&users)).unwrap();
    let cookie = |token: String| Request::get("/").header("cookie", format!("a=b; session={token}"));
    assert_eq!(send(&layer, with_token(&staff.token().subject("bob").sign())).await.body(), "bob at /");
    assert_eq!(send(&layer, cookie(users.token().subject("alice").sign())).await.body(), "alice at /");
    assert_eq!(send(&layer, with_token(&users.token().sign())).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(send(&layer, cookie(staff.token().sign())).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_in_the_query_is_removed_and_the_response_is_private() {
    let issuer = MockIssuer::new();
    let layer = AuthLayer::at(QueryParameter::new("access_token").unwrap(), auth(&issuer));
    let token = issuer.token().subject("alice").sign();
    let reply = send(&layer, Request::get(format!("/a?x=1&access_token={token}&y=%20"))).await;
    assert_eq!(reply.body(), "alice at /a?x=1&y=%20");
    assert_eq!(reply.headers()["cache-control"], "private");

    assert_eq!(send(&layer, with_token(&token)).await.status(), StatusCode::UNAUTHORIZED, "not asked for by name");
    let header = send(&AuthLayer::new(auth(&issuer)), with_token(&token)).await;
    assert!(!header.headers().contains_key("cache-control"), "HTTP itself keeps it out of shared caches");
}

#[tokio::test]
async fn a_web_socket_can_send_its_token_as_a_subprotocol() {
    let issuer = MockIssuer::new();
    let layer = AuthLayer::at(WebSocketSubprotocol::new(), auth(&issuer));
    let offer = |token: &str| Request::get("/").header("sec-websocket-protocol", format!("chat.v1, bearer.{token}"));
    assert_eq!(send(&layer, offer(&issuer.token().subject("alice").sign())).await.body(), "alice at /");
    assert_eq!(send(&layer, offer("not.a.token")).await.status(), StatusCode::UNAUTHORIZED);
}

/// A key source that answers every look-up in the same way, at once or after a yield to the executor.
#[derive(Clone, Debug)]
struct Scripted {
    keys: portcullis_test::MockKeys,
    slowly: bool,
    fault: bool,
}

impl KeySource for Scripted {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        let answer = if self.fault {
            Resolved::Fault(KeySourceError::new(KeySourceErrorKind::Unavailable, "the issuer is down"))
        } else {
            self.keys.resolve(hint, now)
        };
        if !self.slowly {
            return answer;
        }
        Resolved::waiting(async move {
            tokio::task::yield_now().await;
            answer
        })
    }
}

fn scripted(issuer: &MockIssuer, slowly: bool, fault: bool) -> AuthLayer {
    let keys = Scripted { keys: issuer.keys(), slowly, fault };
    let trusted = TrustedIssuer::new(issuer.name(), keys).audience("https://service.test");
    AuthLayer::new(JwtAuthenticator::new(trusted).unwrap())
}

#[tokio::test]
async fn a_token_whose_key_has_to_be_fetched_waits_for_the_decision() {
    let issuer = MockIssuer::new();
    let layer = scripted(&issuer, true, false);
    let good = issuer.token().subject("alice");
    assert_eq!(send(&layer, with_token(&good.sign())).await.body(), "alice at /");
    let late = good.expires_at(UnixTime::from_secs(1)).sign();
    assert_eq!(send(&layer, with_token(&late)).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn unavailable_keys_are_503_with_retry_after_and_never_401() {
    let issuer = MockIssuer::new();
    for slowly in [false, true] {
        let reply = send(&scripted(&issuer, slowly, true), with_token(&issuer.token().sign())).await;
        assert_eq!(reply.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(reply.headers().contains_key("retry-after") && !reply.headers().contains_key("www-authenticate"));
        let optional = send(&scripted(&issuer, slowly, true).optional(), with_token(&issuer.token().sign())).await;
        assert_eq!(optional.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}

#[tokio::test]
async fn the_service_that_was_polled_is_the_one_that_is_called() {
    let issuer = MockIssuer::new();
    for slowly in [false, true] {
        let inner = Inner::default();
        let mut service = scripted(&issuer, slowly, false).layer(inner.clone());
        for _ in 0..3 {
            let request = with_token(&issuer.token().sign()).body(()).unwrap();
            service.ready().await.unwrap().call(request).await.unwrap(); // `Inner` panics if it was not polled
        }
        assert_eq!(inner.calls.load(Ordering::Relaxed), 3);
    }
}

#[tokio::test]
async fn a_refused_request_never_reaches_the_inner_service() {
    let (issuer, inner) = (MockIssuer::new(), Inner::default());
    for layer in [scripted(&issuer, false, false), scripted(&issuer, true, false), scripted(&issuer, true, true)] {
        for request in [Request::get("/"), with_token("not.a.token"), with_token(&MockIssuer::new().token().sign())] {
            let service = layer.layer(inner.clone());
            assert!(!service.oneshot(request.body(()).unwrap()).await.unwrap().status().is_success());
        }
    }
    assert_eq!(inner.calls.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn an_asserted_token_needs_no_credential() {
    let verified = MockIssuer::new().token().subject("alice").any_verified();
    assert_eq!(send(&AuthLayer::assertion(verified), Request::get("/")).await.body(), "alice at /");
}

#[tokio::test]
async fn closures_can_answer_refusals() {
    let layer = AuthLayer::new(auth(&MockIssuer::new())).rejection(|error: &portcullis::AuthError| {
        let mut reply = Response::new(format!("no: {}", error.code()));
        *reply.status_mut() = StatusCode::IM_A_TEAPOT;
        reply
    });
    let reply = send(&layer, Request::get("/")).await;
    assert_eq!((reply.status(), reply.body().as_str()), (StatusCode::IM_A_TEAPOT, "no: credential_missing"));
    assert_eq!(reply.extensions().get(), Some(&portcullis::Code::CredentialMissing));
}

#[test]
fn debug_shows_no_token_and_the_header_is_marked_sensitive() {
    let issuer = MockIssuer::new();
    let token = issuer.token().sign();
    let layer = AuthLayer::new(auth(&issuer)).keep_token();
    let request = with_token(&token).body(()).unwrap();
    let shown = Arc::new(std::sync::Mutex::new(String::new()));
    let into = Arc::clone(&shown);
    let inner = tower::service_fn(move |request: Request<()>| {
        *into.lock().unwrap() = format!("{request:?}");
        ready(Ok::<_, Infallible>(Response::new(String::new())))
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(layer.layer(inner).oneshot(request)).unwrap();
    let shown = shown.lock().unwrap();
    assert!(shown.contains("Sensitive"), "{shown}");
    assert!(token.split('.').all(|part| !shown.contains(part)), "{shown}");
    assert!(!format!("{:?}", auth(&issuer).verify(&token)).contains(&token));
}

/// A key source that has its keys at hand, but waits forever for the key `unheard-of`.
#[derive(Debug)]
struct Endless(portcullis_test::MockKeys);

impl KeySource for Endless {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        match hint.key_id {
            Some("unheard-of") => Resolved::waiting(std::future::pending()),
            _ => self.0.resolve(hint, now),
        }
    }
}

#[tokio::test]
async fn a_token_that_waits_for_its_key_occupies_no_place_of_the_inner_service() {
    let issuer = MockIssuer::new();
    let trusted = TrustedIssuer::new(issuer.name(), Endless(issuer.keys())).audience("https://service.test");
    let layer = AuthLayer::new(JwtAuthenticator::new(trusted).unwrap());
    let mut service = layer.layer(tower::limit::ConcurrencyLimit::new(Inner::default(), 1));
    let hostile = with_token(&issuer.token().header("kid", "unheard-of").sign()).body(()).unwrap();
    let mut hostile = Box::pin(service.ready().await.unwrap().call(hostile));
    assert!(poll_once(hostile.as_mut()).is_pending());
    for _ in 0..3 {
        let good = with_token(&issuer.token().subject("alice").sign()).body(()).unwrap();
        let ready = service.ready();
        let reply = std::pin::pin!(ready);
        let Poll::Ready(ready) = poll_once(reply) else { panic!("its place is taken") };
        assert_eq!(ready.unwrap().call(good).await.unwrap().body(), "alice at /");
    }
}

/// The caller keeps the service while it waits for the answer, as in `ready().await?.call(..).await`.
#[tokio::test]
async fn a_reserved_place_is_released_while_its_request_waits() {
    let issuer = MockIssuer::new();
    let limited = tower::limit::ConcurrencyLimit::new(Inner::default(), 1);
    let mut service = scripted(&issuer, true, false).layer(limited);
    for _ in 0..3 {
        let request = with_token(&issuer.token().subject("alice").sign()).body(()).unwrap();
        let reply = service.ready().await.unwrap().call(request);
        let reply = tokio::time::timeout(std::time::Duration::from_secs(5), reply).await.expect("it waits for itself");
        assert_eq!(reply.unwrap().body(), "alice at /");
    }
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(std::task::Waker::noop()))
}
