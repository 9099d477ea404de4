//! Tests that a body is no longer than its caller may send.
#![cfg(feature = "body-limit")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes, to_bytes},
    extract::rejection::{BytesRejection, JsonRejection, StringRejection},
    routing::any,
};
use http::{Method, Request, Response, StatusCode};
use http_body::{Body as _, Frame};
use portcullis::{
    AuthLayer, Code, Verified,
    body_limit::{BodyLimitLayer, LimitedBody},
    claims::ClaimPlace,
    rejection::{BearerChallenge, ServiceCode},
    verified::{AnyVerified, Conventions, Facts, NoCustom},
};
use portcullis_test::MockIssuer;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};
use tower::{Layer, ServiceExt, service_fn};

const TEN: &str = "0123456789";
const ELEVEN: &str = "0123456789+";

/// The caller may send ten bytes.
const CLAIMS: &str = r#"{"limits":{"body":10}}"#;

fn layer() -> BodyLimitLayer {
    BodyLimitLayer::from_claim("/limits/body").unwrap()
}

fn auth(claims: &str) -> AuthLayer {
    let facts = Facts::assertion(claims, Conventions::new("https://issuer.example")).unwrap();
    AuthLayer::assertion(AnyVerified::from(Verified::assertion(facts, NoCustom)))
}

/// Returns the answer of a service that reads the body and sends it back, and how often it was called.
async fn answer(claims: &str, layer: BodyLimitLayer, request: Request<Body>) -> (Response<Body>, usize) {
    let called = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&called);
    let inner = service_fn(move |request: Request<_>| {
        count.fetch_add(1, Ordering::Relaxed);
        async move {
            let read = to_bytes(Body::new(request.into_body()), usize::MAX).await;
            let status = if read.is_ok() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
            let mut response = Response::new(Body::from(read.unwrap_or_default()));
            *response.status_mut() = status;
            Ok::<_, Infallible>(response)
        }
    });
    let response = auth(claims).layer(layer.layer(inner)).oneshot(request).await.unwrap();
    (response, called.load(Ordering::Relaxed))
}

/// Returns the body that the service has read, or the code of the refusal.
async fn passed(claims: &str, layer: BodyLimitLayer, body: Body) -> Result<String, ServiceCode> {
    let (response, _) = answer(claims, layer, post(body)).await;
    match response.extensions().get::<ServiceCode>() {
        Some(code) => {
            assert_eq!(response.status(), code.status());
            Err(*code)
        }
        None => Ok(text(response).await),
    }
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().into()).unwrap()
}

fn post(body: Body) -> Request<Body> {
    Request::post("/").body(body).unwrap()
}

#[tokio::test]
async fn a_body_may_be_as_long_as_the_claim_says_and_no_longer() {
    for (exact, longer) in [(Body::from(TEN), Body::from(ELEVEN)), (frames([TEN]), frames([ELEVEN]))] {
        assert_eq!(passed(CLAIMS, layer(), exact).await.as_deref(), Ok(TEN));
        assert_eq!(passed(CLAIMS, layer(), longer).await, Err(ServiceCode::BodyTooLong));
    }
    assert_eq!(passed(CLAIMS, layer(), frames(["01234", "", "56789"])).await.as_deref(), Ok(TEN));
    assert_eq!(passed(CLAIMS, layer(), frames(["01234", "56789", "+"])).await, Err(ServiceCode::BodyTooLong));

    let nothing = r#"{"limits":{"body":0}}"#;
    for empty in [Body::empty(), frames([]), frames([""])] {
        assert_eq!(passed(nothing, layer(), empty).await.as_deref(), Ok(""));
    }
    for body in [Body::from("0"), frames(["0"])] {
        assert_eq!(passed(nothing, layer(), body).await, Err(ServiceCode::BodyTooLong));
    }
    // A handler that forwards a body of no length would send none, and not read this one.
    let hint = service_fn(async |request: Request<LimitedBody<Body>>| {
        Ok::<_, Infallible>(Response::new(Body::from(format!("{:?}", request.body().size_hint().exact()))))
    });
    for (body, expected) in [(frames(["0"]), "None"), (Body::empty(), "Some(0)")] {
        let response = auth(nothing).layer(layer().layer(hint)).oneshot(post(body)).await.unwrap();
        assert_eq!(text(response).await, expected);
    }
}

#[tokio::test]
async fn a_known_length_is_refused_before_the_service_is_called() {
    let (response, called) = answer(CLAIMS, layer(), post(Body::from(ELEVEN))).await;
    assert_eq!((response.status(), called), (StatusCode::PAYLOAD_TOO_LARGE, 0));

    let announced = |len| Request::post("/").header("content-length", len).body(frames([TEN])).unwrap();
    let (response, called) = answer(CLAIMS, layer(), announced("11")).await;
    assert_eq!((response.status(), called), (StatusCode::PAYLOAD_TOO_LARGE, 0));
    for len in ["10", "0", "many", ""] {
        let (response, called) = answer(CLAIMS, layer(), announced(len)).await;
        assert_eq!((response.status(), called), (StatusCode::OK, 1), "{len}");
    }
}

#[tokio::test]
async fn a_body_is_counted_whatever_length_was_announced() {
    let announced = |body| Request::post("/").header("content-length", 10).body(body).unwrap();
    let (response, _) = answer(CLAIMS, layer(), announced(frames(["01234", "56789"]))).await;
    assert_eq!(response.status(), StatusCode::OK);
    let (response, called) = answer(CLAIMS, layer(), announced(frames(["01234", "56789", "+"]))).await;
    assert_eq!((response.status(), called), (StatusCode::PAYLOAD_TOO_LARGE, 1));
}

#[tokio::test]
async fn without_the_claim_the_limit_of_the_layer_holds() {
    let longer = "x".repeat(100_000);
    for claims in ["{}", r#"{"limits":{}}"#, r#"{"limits":7}"#, r#"{"body":10}"#] {
        for body in [|| Body::from(ELEVEN), || frames([ELEVEN])] {
            assert_eq!(passed(claims, layer().limit(11), body()).await.as_deref(), Ok(ELEVEN), "{claims}");
            assert_eq!(passed(claims, layer().limit(10), body()).await, Err(ServiceCode::BodyTooLong), "{claims}");
        }
        assert_eq!(passed(claims, layer().limit(usize::MAX), Body::from(longer.clone())).await.as_ref(), Ok(&longer));
    }
}

/// A misspelt place would otherwise limit no one.
#[tokio::test]
async fn without_the_claim_and_a_limit_of_the_layer_no_body_is_passed_on() {
    let misspelt = || BodyLimitLayer::from_claim("/limits/bodies").unwrap();
    for body in [|| Body::from(TEN), || frames([TEN]), || frames([])] {
        let (response, called) = answer(CLAIMS, misspelt(), post(body())).await;
        assert_eq!((response.status(), called), (StatusCode::INTERNAL_SERVER_ERROR, 0));
        assert_eq!(response.extensions().get(), Some(&Code::ServiceMisconfigured));
        let (response, called) = answer(CLAIMS, misspelt().limit(10), post(body())).await;
        assert_eq!((response.status(), called), (StatusCode::OK, 1));
    }
    assert_eq!(passed(CLAIMS, misspelt(), Body::empty()).await.as_deref(), Ok(""));
}

#[tokio::test]
async fn the_smaller_limit_counts() {
    for body in [|| Body::from(ELEVEN), || frames([ELEVEN])] {
        let limit = |claim: u64, of_layer| {
            let claims = format!(r#"{{"limits":{{"body":{claim}}}}}"#);
            async move { passed(&claims, layer().limit(of_layer), body()).await }
        };
        assert_eq!(limit(11, 11).await.as_deref(), Ok(ELEVEN));
        assert_eq!(limit(10, 11).await, Err(ServiceCode::BodyTooLong));
        assert_eq!(limit(11, 10).await, Err(ServiceCode::BodyTooLong));
        assert_eq!(limit(u64::MAX, 11).await.as_deref(), Ok(ELEVEN));
        assert_eq!(limit(u64::MAX, 10).await, Err(ServiceCode::BodyTooLong));
    }
}

#[tokio::test]
async fn a_claim_that_is_no_whole_number_is_refused() {
    let malformed = [r#""10""#, "-1", "10.5", "1e1", "null", "true", "[10]", r#"{"bytes":10}"#, "18446744073709551616"];
    for claim in malformed {
        let claims = format!(r#"{{"limits":{{"body":{claim}}}}}"#);
        for layer in [layer(), layer().limit(10)] {
            for body in [Body::from("0"), frames(["0"]), frames([])] {
                let (response, called) = answer(&claims, layer.clone(), post(body)).await;
                assert_eq!((response.status(), called), (StatusCode::UNAUTHORIZED, 0), "{claim}");
                assert_eq!(response.extensions().get(), Some(&Code::ClaimsMalformed), "{claim}");
            }
            // There is nothing to limit.
            assert_eq!(passed(&claims, layer, Body::empty()).await.as_deref(), Ok(""), "{claim}");
        }
    }
    assert_eq!(passed(CLAIMS, layer(), Body::from("0")).await.as_deref(), Ok("0"));
}

#[tokio::test]
async fn a_caller_without_a_credential_may_send_no_body() {
    let issuer = MockIssuer::new();
    let app = Router::new().route("/", any(async |body: String| body)).layer(layer().limit(100));
    let realm = BearerChallenge::new().realm("orders");
    let app = app.layer(AuthLayer::new(issuer.admission()).optional().challenge(realm));
    for body in [Body::from("0"), frames(["0"]), frames([])] {
        let response = app.clone().oneshot(post(body)).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()["www-authenticate"], r#"Bearer realm="orders""#);
        assert_eq!(response.extensions().get(), Some(&Code::CredentialMissing));
    }
    assert_eq!(app.clone().oneshot(post(Body::empty())).await.unwrap().status(), StatusCode::OK);
    let token = issuer.token().sign();
    let request = Request::post("/").header("authorization", format!("Bearer {token}")).body(Body::from("0"));
    assert_eq!(app.oneshot(request.unwrap()).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn without_an_auth_layer_in_front_no_request_passes() {
    let inner = || service_fn(async |_: Request<_>| Ok::<_, Infallible>(Response::new(Body::from("in"))));
    for body in [Body::empty, || Body::from("0")] {
        let response = layer().layer(inner()).oneshot(post(body())).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.extensions().get(), Some(&Code::ServiceMisconfigured));
        let text = text(response).await;
        assert!(text.contains("a BodyLimitLayer has no AuthLayer in front"), "{text}");

        let response = auth(CLAIMS).layer(layer().layer(inner())).oneshot(post(body())).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn the_answer_says_how_long_a_body_may_be() {
    for body in [Body::from(ELEVEN), frames([ELEVEN])] {
        let (response, _) = answer(CLAIMS, layer(), post(body)).await;
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(response.extensions().get(), Some(&ServiceCode::BodyTooLong));
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let problem: Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!((problem["status"].as_u64(), problem["code"].as_str()), (Some(413), Some("body_too_long")));
        let detail = problem["detail"].as_str().unwrap();
        assert_eq!(detail, "the body is longer than 10 bytes, the limit of this caller: send a shorter one");
    }
}

/// The extractors of axum know the error of the body. The last route shows that the answer does not depend on it.
#[tokio::test]
async fn extractors_of_axum_meet_the_limit_as_413() {
    type Extracted = Result<String, StatusCode>;
    let (sender, mut extracted) = tokio::sync::mpsc::unbounded_channel::<Extracted>();
    let report = move |found: Extracted| {
        sender.send(found).unwrap();
        "in"
    };
    let [bytes, string, json] = [report.clone(), report.clone(), report];
    let app = Router::new()
        .route(
            "/bytes",
            any(async move |body: Result<Bytes, BytesRejection>| {
                bytes(body.map(|body| String::from_utf8(body.into()).unwrap()).map_err(|refused| refused.status()))
            }),
        )
        .route(
            "/string",
            any(async move |body: Result<String, StringRejection>| string(body.map_err(|refused| refused.status()))),
        )
        .route(
            "/json",
            any(async move |body: Result<Json<Value>, JsonRejection>| {
                json(body.map(|Json(body)| body.to_string()).map_err(|refused| refused.status()))
            }),
        )
        .layer(layer())
        .layer(auth(CLAIMS));
    for path in ["/bytes", "/string", "/json"] {
        let request = |frames| Request::post(path).header("content-type", "application/json").body(frames).unwrap();
        let response = app.clone().oneshot(request(frames(["12345", "67890"]))).await.unwrap();
        assert_eq!((response.status(), extracted.recv().await.unwrap().as_deref()), (StatusCode::OK, Ok("1234567890")));
        let response = app.clone().oneshot(request(frames(["12345", "67890", "1"]))).await.unwrap();
        assert_eq!(extracted.recv().await.unwrap(), Err(StatusCode::PAYLOAD_TOO_LARGE), "{path}");
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE, "{path}, although the handler has said 200");
    }
}

#[tokio::test]
async fn a_service_that_fails_because_of_the_limit_answers_413() {
    let inner = service_fn(async |request: Request<_>| {
        to_bytes(Body::new(request.into_body()), usize::MAX).await.map(|body| Response::new(Body::from(body)))
    });
    let service = auth(CLAIMS).layer(layer().layer(inner));
    let response = service.clone().oneshot(post(frames([ELEVEN]))).await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(text(service.clone().oneshot(post(frames([TEN]))).await.unwrap()).await, TEN);
    assert!(service.oneshot(post(Body::new(Frames([TEN].into(), Some("gone"))))).await.is_err(), "its own error");
}

#[tokio::test]
async fn an_answer_that_does_not_need_the_body_stays() {
    let inner = service_fn(async |_: Request<_>| Ok::<_, Infallible>(Response::new(Body::from("in"))));
    let response = auth(CLAIMS).layer(layer().layer(inner)).oneshot(post(frames([ELEVEN]))).await.unwrap();
    assert_eq!((response.status(), text(response).await.as_str()), (StatusCode::OK, "in"));
}

#[test]
fn a_place_that_cannot_have_a_number_is_refused_at_start() {
    for place in [ClaimPlace::new("/limits/body"), ClaimPlace::named("https://ns/longest")] {
        assert!(BodyLimitLayer::from_claim(place).is_ok());
    }
    for place in [ClaimPlace::new("limits/body"), ClaimPlace::new(""), ClaimPlace::new("/a").delimited_by(' ')] {
        assert!(BodyLimitLayer::from_claim(place.clone()).is_err(), "{place:?}");
    }
}

/// Outside of a layer that reads bodies, nothing above the limit is buffered, and the limit of that layer still holds.
#[cfg(feature = "content-digest")]
#[tokio::test]
async fn the_smaller_limit_counts_before_a_digest_is_checked() {
    use portcullis::content_digest::{ContentDigest, ContentDigestLayer};

    let app = |digests: ContentDigestLayer| {
        Router::new().route("/", any(async |body: String| body)).layer(digests).layer(layer()).layer(auth(CLAIMS))
    };
    let with_digest = |body: Body, of: &str| {
        let digest = ContentDigest::sha256_of(of).to_string();
        Request::post("/").header("content-digest", digest).body(body).unwrap()
    };
    let code = |response: &Response<Body>| response.extensions().get::<ServiceCode>().copied();
    for digests in [ContentDigestLayer::required(), ContentDigestLayer::if_present()] {
        for (exact, longer) in [(Body::from(TEN), Body::from(ELEVEN)), (frames([TEN]), frames([ELEVEN]))] {
            let response = app(digests).oneshot(with_digest(exact, TEN)).await.unwrap();
            assert_eq!(text(response).await, TEN);
            let response = app(digests).oneshot(with_digest(longer, ELEVEN)).await.unwrap();
            assert_eq!(code(&response), Some(ServiceCode::BodyTooLong));
            assert!(text(response).await.contains("longer than 10 bytes"), "the limit of the caller, and not 1 MiB");
        }
        let response = app(digests.limit(9)).oneshot(with_digest(Body::from(TEN), TEN)).await.unwrap();
        assert_eq!(code(&response), Some(ServiceCode::BodyTooLong));
        assert!(text(response).await.contains("longer than 9 bytes"));
    }
    let response = app(ContentDigestLayer::if_present()).oneshot(post(frames([ELEVEN]))).await.unwrap();
    assert_eq!(code(&response), Some(ServiceCode::BodyTooLong), "without a digest, the body is passed on unread");
}

/// A server with real connections, which ends with the set. Its handler reads a text.
async fn serve() -> (std::net::SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/", any(async |body: String| body)).layer(layer()).layer(auth(CLAIMS));
    let mut servers = JoinSet::new();
    servers.spawn(async move { axum::serve(listener, app).await.unwrap() });
    (address, servers)
}

/// Sends the rest of a request, and returns the status line and the body of the answer.
async fn sent(address: std::net::SocketAddr, method: Method, rest: &str) -> (String, String) {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{rest}");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // What was not read makes the server reset the connection, after the answer. A server that waits for more never answers.
    let _ = timeout(Duration::from_secs(10), connection.read_to_end(&mut answer)).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[tokio::test]
async fn a_server_reads_no_more_than_the_limit() {
    let (address, _servers) = serve().await;
    let sent = async |rest: &str| sent(address, Method::POST, rest).await;

    let (status, body) = sent("content-length: 10\r\n\r\n0123456789").await;
    assert_eq!((status.as_str(), body.as_str()), ("HTTP/1.1 200 OK", TEN));
    // No byte of this body was sent, and the server does not say `100 Continue`, by which it would ask for it.
    let (status, body) = sent("content-length: 11\r\nexpect: 100-continue\r\n\r\n").await;
    assert_eq!(status, "HTTP/1.1 413 Payload Too Large");
    assert!(body.contains(r#""code":"body_too_long""#), "{body}");

    let (status, body) = sent("transfer-encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n").await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert!(body.contains(TEN), "{body}");
    // The body has no end.
    let (status, body) = sent("transfer-encoding: chunked\r\n\r\n5\r\n01234\r\n6\r\n56789+\r\n").await;
    assert_eq!(status, "HTTP/1.1 413 Payload Too Large");
    assert!(body.contains(r#""code":"body_too_long""#), "{body}");

    // What comes after the announced length is no part of the body.
    let (status, body) = sent("content-length: 10\r\n\r\n0123456789+").await;
    assert_eq!((status.as_str(), body.as_str()), ("HTTP/1.1 200 OK", TEN));
    // Two lengths that contradict each other never reach a handler.
    let (status, _) = sent("content-length: 10\r\ncontent-length: 11\r\n\r\n0123456789+").await;
    assert_eq!(status, "HTTP/1.1 400 Bad Request");
    let (status, body) =
        sent("content-length: 10\r\ntransfer-encoding: chunked\r\n\r\nb\r\n0123456789+\r\n0\r\n\r\n").await;
    assert_eq!(status, "HTTP/1.1 413 Payload Too Large", "{body}");
}

/// A body of unknown length, given as frames, and then perhaps an error.
struct Frames(VecDeque<&'static str>, Option<&'static str>);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = self.0.pop_front().map(|text| Ok(Frame::data(Bytes::from_static(text.as_bytes()))));
        Poll::Ready(frame.or_else(|| self.1.take().map(Err)))
    }
}

fn frames<const N: usize>(frames: [&'static str; N]) -> Body {
    Body::new(Frames(frames.into(), None))
}
