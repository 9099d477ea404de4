//! [`NonceEndpoint`]: a service that gives out nonces.

use std::{
    convert::Infallible,
    fmt,
    future::{Ready, ready},
    marker::PhantomData,
    sync::Arc,
    task::{Context, Poll},
};

use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL},
};
use tower_service::Service;

use super::{NonceLayer, layer::Source};

/// Answers `GET` and `HEAD` with 204 and a fresh nonce in its HTTP header, other methods with 405, for clients that want a nonce before their first
/// request. No answer may be cached (`Cache-Control: no-store`).
///
/// It ignores the path: mount it where your clients look for it, such as `/.well-known/nats-nonce`. The route must be public.
pub struct NonceEndpoint<B = String> {
    source: Arc<Source>,
    body: PhantomData<fn() -> B>,
}

impl NonceEndpoint {
    /// Returns the endpoint with the nonces of this layer, and text bodies, for axum's `route_service` and for hyper.
    pub fn new(layer: &NonceLayer) -> Self {
        Self::with_body(layer)
    }
}

impl<B: Default> NonceEndpoint<B> {
    /// Returns the endpoint with the nonces of this layer, and another body type.
    pub fn with_body(layer: &NonceLayer) -> Self {
        Self { source: Arc::clone(layer.source()), body: PhantomData }
    }

    fn respond(&self, method: &Method) -> Response<B> {
        let mut response = Response::new(B::default());
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if matches!(*method, Method::GET | Method::HEAD) {
            *response.status_mut() = StatusCode::NO_CONTENT;
            self.source.add(response.headers_mut());
        } else {
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        response
    }
}

impl<B: Default, R> Service<Request<R>> for NonceEndpoint<B> {
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Ready<Result<Response<B>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<R>) -> Self::Future {
        ready(Ok(self.respond(request.method())))
    }
}

/// Not derived, because that would require `B: Clone`.
impl<B> Clone for NonceEndpoint<B> {
    fn clone(&self) -> Self {
        Self { source: Arc::clone(&self.source), body: PhantomData }
    }
}

impl<B> fmt::Debug for NonceEndpoint<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NonceEndpoint").field("layer", &self.source).finish()
    }
}
