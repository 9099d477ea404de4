//! A request to a service, answered without a runtime.

use std::{
    convert::Infallible,
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use axum::{Router, body::Body};
use http::{HeaderValue, Request, Response, header::AUTHORIZATION};
use tower_service::Service;

/// An iteration: a request with the next of `tokens`, which must be answered at once and with 200.
pub fn requests(router: Router, tokens: &[String]) -> impl FnMut() + use<> {
    requests_with_body::<_, Body, _>(router, tokens)
}

/// The same for any service and body, since two versions of axum have two of each.
pub fn requests_with_body<S, B, R>(mut service: S, tokens: &[String]) -> impl FnMut() + use<S, B, R>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible>,
    B: Default,
{
    let value = |token: &String| HeaderValue::try_from(format!("Bearer {token}")).expect("a header value");
    let values: Vec<HeaderValue> = tokens.iter().map(value).collect();
    let mut next = 0;
    move || {
        let value = values[next].clone();
        next = if next + 1 < values.len() { next + 1 } else { 0 };
        let request = Request::get("/").header(AUTHORIZATION, value).body(B::default()).expect("a request");
        let response = pin!(service.call(request));
        let response = match Future::poll(response, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(response)) => response,
            Poll::Ready(Err(never)) => match never {},
            Poll::Pending => panic!("the service waits for something"),
        };
        assert_eq!(response.status(), 200);
    }
}
