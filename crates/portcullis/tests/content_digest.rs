//! Tests that a body reaches a handler only with the digest that it was sent with.
#![cfg(feature = "content-digest")]
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
};

use axum::body::{Body, Bytes, to_bytes};
use http::{HeaderMap, Method, Request, Response, StatusCode, request::Builder};
use http_body::Frame;
use portcullis::{
    AuthLayer,
    content_digest::{ContentDigest, ContentDigestErrorKind, ContentDigestLayer},
    rejection::ServiceCode,
};
use portcullis_test::MockIssuer;
use tower::{Layer, ServiceExt, service_fn};

/// The examples of RFC 9530: appendix D has the first two, appendix B.1 the third, with a line end.
const HELLO: &str = r#"{"hello": "world"}"#;
const SHA_256: &str = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
const SHA_512: &str =
    "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
const WITH_LINE_END: &str = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";

const EMPTY: &str = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";

/// Returns the body that the handler sees, or the code of the refusal.
async fn seen(layer: ContentDigestLayer, request: Request<Body>) -> Result<String, ServiceCode> {
    let (seen, refused) = call(layer, request).await;
    match refused {
        None => Ok(seen.unwrap().1),
        Some(response) => {
            assert!(seen.is_none(), "a refused request has reached the handler");
            let code = *response.extensions().get::<ServiceCode>().unwrap();
            assert_eq!(response.status(), code.status());
            Err(code)
        }
    }
}

/// Returns what the handler sees, and the answer if it is not the handler's.
async fn call(
    layer: ContentDigestLayer,
    request: Request<Body>,
) -> (Option<(HeaderMap, String)>, Option<Response<Body>>) {
    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let inner = service_fn(move |request: Request<_>| {
        let sender = sender.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(Body::new(body), usize::MAX).await.unwrap();
            sender.send((parts.headers, String::from_utf8(body.into()).unwrap())).unwrap();
            Ok::<_, Infallible>(Response::new(Body::from("in")))
        }
    });
    let response = layer.layer(inner).oneshot(request).await.unwrap();
    (seen.try_recv().ok(), (response.status() != StatusCode::OK).then_some(response))
}

fn with_digest(digest: &str) -> Builder {
    Request::post("/").header("content-digest", digest)
}

fn request(digest: &str, body: &'static str) -> Request<Body> {
    with_digest(digest).body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn the_digests_of_the_specification_match() {
    for layer in [ContentDigestLayer::required(), ContentDigestLayer::if_present()] {
        for digest in [SHA_256, SHA_512] {
            assert_eq!(seen(layer, request(digest, HELLO)).await.as_deref(), Ok(HELLO), "{digest}");
        }
        let line = "{\"hello\": \"world\"}\n";
        assert_eq!(seen(layer, request(WITH_LINE_END, line)).await.as_deref(), Ok(line));
        let title = "{\"title\": \"New Title\"}\n"; // appendix B.7
        let digest = "sha-256=:mEkdbO7Srd9LIOegftO0aBX+VPTVz7/CSHes2Z27gc4=:";
        assert_eq!(seen(layer, request(digest, title)).await.as_deref(), Ok(title));
    }
    assert_eq!(ContentDigest::sha256_of(HELLO).to_string(), SHA_256);
    assert_eq!(ContentDigest::sha512_of(HELLO).to_string(), SHA_512);
    assert_eq!(ContentDigest::sha256_of("").to_string(), EMPTY);
}

#[tokio::test]
async fn another_body_is_refused() {
    for layer in [ContentDigestLayer::required(), ContentDigestLayer::if_present()] {
        for digest in [SHA_256, SHA_512] {
            for other in ["", "{\"hello\": \"world\"}\n", "{\"hello\": \"World\"}", "{\"hello\": \"world\""] {
                let refused = seen(layer, request(digest, other)).await;
                assert_eq!(refused, Err(ServiceCode::ContentDigestMismatch), "{other:?}");
            }
        }
        assert_eq!(seen(layer, request(WITH_LINE_END, HELLO)).await, Err(ServiceCode::ContentDigestMismatch));
        assert_eq!(seen(layer, request(EMPTY, "\n")).await, Err(ServiceCode::ContentDigestMismatch));
        assert_eq!(seen(layer, request(EMPTY, "")).await.as_deref(), Ok(""));
    }
}

#[tokio::test]
async fn all_digests_that_are_known_have_to_match() {
    let wrong_512 = SHA_512.replace("WZD", "WZE");
    let md5 = "md5=:Sd/dVLAcvNLSq16eXua5uQ==:"; // of appendix D, deprecated
    let matching = [
        format!("{SHA_256}, {SHA_512}"),
        format!("{SHA_512},\t {SHA_256}"),
        format!("{md5}, {SHA_256}"),
        format!("{SHA_256}, md5=:AAAA:"),
        format!("{SHA_256}, *later-2.0_x=::"),
        format!("  {SHA_256}  "),
        SHA_256.replace("PE=:", "PE:"), // RFC 9651 section 4.2.7: padding should not be required
    ];
    for digest in matching {
        assert_eq!(
            seen(ContentDigestLayer::required(), request(&digest, HELLO)).await.as_deref(),
            Ok(HELLO),
            "{digest}"
        );
    }
    for digest in [format!("{SHA_256}, {wrong_512}"), format!("{WITH_LINE_END}, {SHA_512}"), wrong_512] {
        let refused = seen(ContentDigestLayer::required(), request(&digest, HELLO)).await;
        assert_eq!(refused, Err(ServiceCode::ContentDigestMismatch), "{digest}");
    }
    for layer in [ContentDigestLayer::required(), ContentDigestLayer::if_present()] {
        for digest in [md5, "sha=:07CavjDP4u3/TungoUHJO/Wzr4c=:", "unixsum=:GQU=:, crc32c=:Q3lHIA==:"] {
            let refused = seen(layer, request(digest, HELLO)).await;
            assert_eq!(refused, Err(ServiceCode::ContentDigestMissing), "{digest}");
        }
    }
}

#[tokio::test]
async fn a_field_that_cannot_be_read_is_refused() {
    let malformed = [
        String::new(),
        "sha-256".to_owned(),
        "sha-256=".to_owned(),
        "sha-256=:".to_owned(),
        "sha-256=::".to_owned(),
        "sha-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=".to_owned(), // as in RFC 3230
        "sha-256=\"X48E\"".to_owned(),
        "SHA-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:".to_owned(),
        "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBA==:".to_owned(), // 31 octets
        "sha-256 =:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:".to_owned(),
        format!("{SHA_256};q=1"),
        format!("{SHA_256},"),
        format!(",{SHA_256}"),
        format!("{SHA_256},,{SHA_512}"),
        format!("{SHA_256} {SHA_512}"),
        format!("{SHA_256}, md5"),
        format!("{SHA_256}, unixsum=30637"),
        format!("{SHA_256}, 1md5=::"),
        SHA_512.replace('/', "_").replace('+', "-"),
        format!("{SHA_256}, {SHA_256}"),
        format!("{SHA_256}, a=::, a=::"),
        format!("{SHA_256}{}", ", a=::".repeat(16)),
    ];
    for layer in [ContentDigestLayer::required(), ContentDigestLayer::if_present()] {
        for digest in &malformed {
            let refused = seen(layer, request(digest, HELLO)).await;
            assert_eq!(refused, Err(ServiceCode::ContentDigestMalformed), "{digest}");
        }
        let latin =
            Request::post("/").header("content-digest", &b"sha-256=:\xe4:"[..]).body(Body::from(HELLO)).unwrap();
        assert_eq!(seen(layer, latin).await, Err(ServiceCode::ContentDigestMalformed));
    }
}

#[tokio::test]
async fn a_field_with_more_members_than_there_are_algorithms_is_refused() {
    let names: Vec<_> = (0..16).map(|place| format!("a{place}=::")).collect();
    let digest = |beside: usize| format!("{SHA_256}, {}", names[..beside].join(", "));
    let layer = ContentDigestLayer::required();
    assert!(seen(layer, request(&digest(15), HELLO)).await.is_ok());
    assert_eq!(seen(layer, request(&digest(16), HELLO)).await, Err(ServiceCode::ContentDigestMalformed));
}

#[test]
fn an_error_says_what_is_wrong() {
    let error = |text: &str| text.parse::<ContentDigest>().unwrap_err().kind();
    assert_eq!(error("sha-256"), ContentDigestErrorKind::Malformed);
    assert_eq!(error("a=::, a=::"), ContentDigestErrorKind::Repeated);
    assert_eq!(error("a=::"), ContentDigestErrorKind::Unsupported);
}

/// A signature may cover one of the fields, and be checked against the other.
#[tokio::test]
async fn two_fields_are_refused() {
    for layer in [ContentDigestLayer::required(), ContentDigestLayer::if_present()] {
        for (one, other) in [(SHA_256, SHA_256), (SHA_256, SHA_512), (WITH_LINE_END, SHA_256), (SHA_256, "")] {
            let request = with_digest(one).header("content-digest", other).body(Body::from(HELLO)).unwrap();
            assert_eq!(seen(layer, request).await, Err(ServiceCode::ContentDigestMalformed), "{one} and {other}");
        }
    }
}

#[tokio::test]
async fn a_body_without_a_digest_is_refused_where_one_is_required() {
    let without = |method: Method, body: Body| Request::builder().method(method).uri("/").body(body).unwrap();
    let required = ContentDigestLayer::required();
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::GET, Method::OPTIONS] {
        for body in [Body::from(HELLO), frames([Ok(HELLO)])] {
            let refused = seen(required, without(method.clone(), body)).await;
            assert_eq!(refused, Err(ServiceCode::ContentDigestMissing), "{method}");
        }
        let passed = seen(ContentDigestLayer::if_present(), without(method.clone(), Body::from(HELLO))).await;
        assert_eq!(passed.as_deref(), Ok(HELLO), "{method}");
    }
    for method in [Method::POST, Method::PUT, Method::PATCH] {
        for body in [Body::empty(), frames([])] {
            let refused = seen(required, without(method.clone(), body)).await;
            assert_eq!(refused, Err(ServiceCode::ContentDigestMissing), "{method}, although it is empty");
        }
    }
    for method in [Method::GET, Method::HEAD, Method::DELETE, Method::OPTIONS] {
        for body in [Body::empty(), frames([]), frames([Ok("")])] {
            assert_eq!(seen(required, without(method.clone(), body)).await.as_deref(), Ok(""), "{method}");
        }
        let request = |digest| Request::builder().method(method.clone()).header("content-digest", digest);
        let empty = request(EMPTY).body(Body::empty()).unwrap();
        assert_eq!(seen(required, empty).await.as_deref(), Ok(""), "{method}");
        let other = request(SHA_256).body(Body::empty()).unwrap();
        assert_eq!(seen(required, other).await, Err(ServiceCode::ContentDigestMismatch), "{method}");
    }
}

#[tokio::test]
async fn the_answer_says_which_digest_to_send() {
    let refused = |request| async { call(ContentDigestLayer::required(), request).await.1.unwrap() };
    let without = Request::post("/").body(Body::from(HELLO)).unwrap();
    for request in [without, request("md5=::", HELLO)] {
        let response = refused(request).await;
        assert_eq!(response.headers()["want-content-digest"], "sha-256=10");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let body = std::str::from_utf8(&body).unwrap();
        assert!(body.contains(r#""status":400"#) && body.contains(r#""code":"content_digest_missing""#), "{body}");
    }
    let response = refused(request(SHA_256, "other")).await;
    assert!(!response.headers().contains_key("want-content-digest"));
}

#[tokio::test]
async fn a_body_in_pieces_is_checked_as_a_whole() {
    let digest = |frames| with_digest(SHA_256).header("transfer-encoding", "chunked").body(frames).unwrap();
    for layer in [ContentDigestLayer::required(), ContentDigestLayer::if_present()] {
        let whole = || frames([Ok("{\"hello\""), Ok(""), Ok(": \"world\"}")]);
        let (seen_, refused) = call(layer, digest(whole())).await;
        let (headers, body) = seen_.unwrap();
        assert!(refused.is_none() && body == HELLO);
        assert_eq!(headers["content-length"], HELLO.len().to_string());
        assert!(!headers.contains_key("transfer-encoding"), "the handler gets one piece");

        let other = frames([Ok("{\"hello\""), Ok(": \"world\"}"), Ok("\n")]);
        assert_eq!(seen(layer, digest(other)).await, Err(ServiceCode::ContentDigestMismatch));
        let broken = frames([Ok(HELLO), Err("gone")]);
        assert_eq!(seen(layer, digest(broken)).await, Err(ServiceCode::BodyUnreadable));
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let layer = ContentDigestLayer::required();
    let digest = ContentDigest::sha256_of("0123456789").to_string();
    for body in [|| Body::from("0123456789"), || frames([Ok("01234"), Ok("56789")])] {
        let request = || with_digest(&digest).body(body()).unwrap();
        assert_eq!(seen(layer.limit(10), request()).await.as_deref(), Ok("0123456789"));
        assert_eq!(seen(layer.limit(9), request()).await, Err(ServiceCode::BodyTooLong));
    }
    for (len, expected) in [(1024 * 1024, None), (1024 * 1024 + 1, Some(ServiceCode::BodyTooLong))] {
        let body = "x".repeat(len);
        let request = with_digest(&ContentDigest::sha256_of(&body).to_string()).body(Body::from(body)).unwrap();
        assert_eq!(seen(layer, request).await.err(), expected, "{len} bytes by default");
    }
}

/// No digest covers them, and a signature over the head cannot cover a field in them.
#[tokio::test]
async fn trailers_are_neither_read_nor_passed_on() {
    let with_trailers = |request: Builder| {
        let trailers = HeaderMap::from_iter([("content-digest".parse().unwrap(), SHA_256.parse().unwrap())]);
        request.header("trailer", "content-digest").body(Body::new(Frames([Ok(HELLO)].into(), Some(trailers)))).unwrap()
    };
    let only_in_trailers = seen(ContentDigestLayer::required(), with_trailers(Request::post("/"))).await;
    assert_eq!(only_in_trailers, Err(ServiceCode::ContentDigestMissing));

    let other = seen(ContentDigestLayer::required(), with_trailers(with_digest(WITH_LINE_END))).await;
    assert_eq!(other, Err(ServiceCode::ContentDigestMismatch));

    let inner = service_fn(async |request: Request<_>| {
        assert!(!request.headers().contains_key("trailer"));
        let body = http_body_util::BodyExt::collect(Body::new(request.into_body())).await.unwrap();
        assert!(body.trailers().is_none());
        Ok::<_, Infallible>(Response::new(String::from_utf8(body.to_bytes().into()).unwrap()))
    });
    let response =
        ContentDigestLayer::required().layer(inner).oneshot(with_trailers(with_digest(SHA_256))).await.unwrap();
    assert_eq!(response.body(), HELLO);
}

/// A handler that reads only the beginning, or nothing, gets nothing that was not checked.
#[tokio::test]
async fn a_handler_that_reads_nothing_is_not_reached_with_another_body() {
    let reached = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&reached);
    let inner = service_fn(move |_: Request<_>| {
        count.fetch_add(1, Ordering::Relaxed);
        async { Ok::<_, Infallible>(Response::new(String::new())) }
    });
    let service = ContentDigestLayer::required().layer(inner);
    assert_eq!(service.clone().oneshot(request(SHA_256, "other")).await.unwrap().status(), 400);
    assert_eq!(reached.load(Ordering::Relaxed), 0);
    assert_eq!(service.oneshot(request(SHA_256, HELLO)).await.unwrap().status(), 200);
    assert_eq!(reached.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn only_authenticated_callers_have_their_bodies_read() {
    let issuer = MockIssuer::new();
    let app = axum::Router::new()
        .route("/", axum::routing::post(async |body: String| body))
        .layer(ContentDigestLayer::required())
        .layer(AuthLayer::new(issuer.admission()));
    let anonymous = app.clone().oneshot(request(SHA_256, "other")).await.unwrap();
    assert_eq!(anonymous.status(), StatusCode::UNAUTHORIZED);
    let authorization = format!("Bearer {}", issuer.token().sign());
    for (body, status) in [("other", StatusCode::BAD_REQUEST), (HELLO, StatusCode::OK)] {
        let request = with_digest(SHA_256).header("authorization", &authorization).body(Body::from(body)).unwrap();
        assert_eq!(app.clone().oneshot(request).await.unwrap().status(), status, "{body}");
    }
}

/// A body of unknown length, given as frames, and then as trailers.
struct Frames(VecDeque<Result<&'static str, &'static str>>, Option<HeaderMap>);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = self.0.pop_front().map(|frame| frame.map(|text| Frame::data(Bytes::from_static(text.as_bytes()))));
        Poll::Ready(frame.or_else(|| self.1.take().map(|trailers| Ok(Frame::trailers(trailers)))))
    }
}

fn frames<const N: usize>(frames: [Result<&'static str, &'static str>; N]) -> Body {
    Body::new(Frames(frames.into(), None))
}
