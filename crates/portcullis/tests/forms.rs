//! Tests tokens in form bodies.
#![cfg(feature = "form")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, to_bytes};
use http::{Method, Request, Response};
use http_body::Frame;
use http_body_util::Limited;
use portcullis::location::{BearerMethod, FormBody, FormBodyLayer, Found, RequestHead, RequestHeadMut, TokenLocation};
use tower::{Layer, ServiceExt, service_fn};

/// What the inner service sees: whether a token was found, the body, and its `Content-Length`.
async fn seen(layer: FormBodyLayer, request: Request<Body>) -> Result<(String, String, Option<String>), u16> {
    let inner = service_fn(|request: Request<_>| async move {
        let found = match FormBody::new().find(RequestHead::from(&request)) {
            Found::Token(token) => format!("token {}", token.escape_ascii()),
            other => format!("{other:?}").split('(').next().unwrap().to_owned(),
        };
        let length = request.headers().get("content-length").map(|length| length.to_str().unwrap().to_owned());
        let body = to_bytes(Body::new(request.into_body()), usize::MAX).await.unwrap();
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert((found, String::from_utf8(body.into()).unwrap(), length));
        Ok::<_, Infallible>(response)
    });
    let mut response = layer.layer(inner).oneshot(request).await.unwrap();
    response.extensions_mut().remove().ok_or(response.status().as_u16())
}

fn form(body: &str) -> Request<Body> {
    Request::post("/")
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .header("content-length", body.len())
        .body(Body::from(body.to_owned()))
        .unwrap()
}

#[tokio::test]
async fn the_token_is_found_and_removed() {
    let cases = [
        ("access_token=a.b.c", "token a.b.c", ""),
        ("a=1&access_token=a.b.c&b=%20+", "token a.b.c", "a=1&b=%20+"),
        ("acc%65ss_token=a%2Eb.c", "token a.b.c", ""),
        ("a=1&b=2", "Absent", "a=1&b=2"),
        ("", "Absent", ""),
        ("access_token=", "token ", ""), // the admission refuses it as malformed
        ("access_token=a+b", "Malformed", ""),
        ("access_token=%zz", "Malformed", ""),
        ("access_token=a.b.c&x&access_token=a.b.c", "Several", "x"),
    ];
    for (body, found, left) in cases {
        let expected = (found.to_owned(), left.to_owned(), Some(left.len().to_string()));
        assert_eq!(seen(FormBodyLayer::new(), form(body)).await, Ok(expected), "{body}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_a_form_passes_unchanged() {
    let body = "access_token=a.b.c";
    let untouched = ("Absent".to_owned(), body.to_owned(), Some(body.len().to_string()));
    let cases = [
        ("content-type", "application/json"),
        ("content-type", "text/plain; x=application/x-www-form-urlencoded"),
        ("content-type", ""),
        ("content-encoding", "gzip"),
    ];
    for (name, value) in cases {
        let mut request = form(body);
        request.headers_mut().insert(name, value.parse().unwrap());
        let seen = seen(FormBodyLayer::new(), request).await;
        assert_eq!(seen.as_ref(), Ok(&untouched), "{name}: {value}");
    }
    let mut request = form(body);
    *request.method_mut() = Method::GET;
    assert_eq!(seen(FormBodyLayer::new(), request).await, Ok(untouched));
}

#[tokio::test]
async fn every_method_with_a_body_may_have_a_form() {
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let mut request = form("access_token=a.b.c");
        *request.method_mut() = method.clone();
        assert_eq!(seen(FormBodyLayer::new(), request).await.unwrap().0, "token a.b.c", "{method}");
    }
}

#[tokio::test]
async fn forms_over_the_limit_are_refused() {
    let layer = || FormBodyLayer::new().limit(20);
    assert_eq!(seen(layer(), form("access_token=a.b.c&x")).await.unwrap().0, "token a.b.c");
    assert_eq!(seen(layer(), form("access_token=a.b.c&xx")).await, Err(413));

    let request = form(&format!("access_token=a.b.c&x={}", "x".repeat(64 * 1024 - 21)));
    assert_eq!(seen(FormBodyLayer::new(), request).await.unwrap().0, "token a.b.c");
    let request = form(&format!("access_token=a.b.c&x={}", "x".repeat(64 * 1024 - 20)));
    assert_eq!(seen(FormBodyLayer::new(), request).await, Err(413));
}

#[tokio::test]
async fn a_body_of_unknown_length_is_limited_too() {
    let layer = || FormBodyLayer::new().limit(20);
    assert!(seen(layer(), frames([Ok("0123456789"), Ok("0123456789")])).await.is_ok());
    assert_eq!(seen(layer(), frames([Ok("0123456789"), Ok("0123456789"), Ok("0")])).await, Err(413));
}

#[tokio::test]
async fn a_truncated_body_is_refused() {
    let whole = frames([Ok("access_token=a.b"), Ok(".c")]);
    assert_eq!(seen(FormBodyLayer::new(), whole).await.unwrap().0, "token a.b.c");
    let broken = frames([Ok("access_token=a.b"), Err("gone")]);
    assert_eq!(seen(FormBodyLayer::new(), broken).await, Err(400));
}

#[tokio::test]
async fn the_parameter_may_have_another_name() {
    let layer = || FormBodyLayer::new().parameter("token").unwrap();
    assert_eq!(seen(layer(), form("token=a.b.c")).await.unwrap().0, "token a.b.c");
    assert_eq!(seen(layer(), form("access_token=a.b.c")).await.unwrap().0, "Absent");
    assert!(FormBodyLayer::new().parameter("").is_err());
}

/// axum wraps the error of a body, such as that of a layer with a limit further outside.
#[tokio::test]
async fn a_form_that_an_outer_layer_cuts_is_too_long_and_not_cut_short() {
    for (limit, expected) in [(10, Ok(())), (9, Err(413))] {
        let request = frames([Ok("01234"), Ok("56789")]).map(|body| Body::new(Limited::new(body, limit)));
        assert_eq!(seen(FormBodyLayer::new(), request).await.map(drop), expected, "{limit}");
    }
}

#[tokio::test]
async fn an_axum_router_accepts_the_layer() {
    let handler = |request: Request<Body>| async move {
        let mut request = request;
        let found = matches!(FormBody::new().find(RequestHead::from(&request)), Found::Token(_));
        FormBody::new().strip(&mut RequestHeadMut::from(&mut request));
        let left = matches!(FormBody::new().find(RequestHead::from(&request)), Found::Token(_));
        format!("{found} {left}")
    };
    let router = axum::Router::new().route("/", axum::routing::post(handler)).layer(FormBodyLayer::new());
    let response = router.oneshot(form("access_token=a.b.c")).await.unwrap();
    assert_eq!(to_bytes(response.into_body(), 64).await.unwrap(), "true false");
}

#[test]
fn the_metadata_name_the_registered_bearer_method() {
    assert_eq!(FormBody::new().info().bearer_method(), Some(BearerMethod::Body));
}

/// A body of unknown length, given as frames.
struct Frames(VecDeque<Result<&'static str, &'static str>>);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.pop_front().map(|frame| frame.map(|text| Frame::data(Bytes::from_static(text.as_bytes())))))
    }
}

fn frames<const N: usize>(frames: [Result<&'static str, &'static str>; N]) -> Request<Body> {
    form("").map(|_| Body::new(Frames(frames.into())))
}
