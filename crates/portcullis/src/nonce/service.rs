//! [`NonceService`]: a service whose answers get nonces.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{NonceFuture, layer::Source};

/// A service whose answers get nonces. Made by [`NonceLayer`](super::NonceLayer).
#[derive(Clone)]
pub struct NonceService<S> {
    inner: S,
    source: Arc<Source>,
}

impl<S> NonceService<S> {
    pub(super) fn new(inner: S, source: Arc<Source>) -> Self {
        Self { inner, source }
    }
}

impl<S, B, ResBody> Service<Request<B>> for NonceService<S>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = NonceFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let is_due = self.source.is_due(request.headers());
        NonceFuture::new(self.inner.call(request), Arc::clone(&self.source), is_due)
    }
}

impl<S: fmt::Debug> fmt::Debug for NonceService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NonceService").field("inner", &self.inner).field("layer", &self.source).finish()
    }
}
