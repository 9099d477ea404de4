//! A service behind the table.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::layer::Terms;
use crate::guard::{GuardFuture, Reject};

/// An inner service that only requests reach for which the table has a line. Made by
/// [`AccessLayer`](crate::AccessLayer).
#[derive(Clone)]
pub struct AccessService<S, R> {
    inner: S,
    terms: Arc<Terms>,
    rejection: R,
}

impl<S, R> AccessService<S, R> {
    pub(super) fn new(inner: S, terms: Arc<Terms>, rejection: R) -> Self {
        Self { inner, terms, rejection }
    }
}

impl<S, R, B, ResBody> Service<Request<B>> for AccessService<S, R>
where
    S: Service<Request<B>, Response = Response<ResBody>> + Clone,
    R: Reject<ResBody> + Clone,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = GuardFuture<S, B, R>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let decision = self.terms.decide((&request).into());
        GuardFuture::start(decision, &mut self.inner, request, &self.rejection)
    }
}

impl<S: fmt::Debug, R> fmt::Debug for AccessService<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessService").field("inner", &self.inner).field("terms", &self.terms).finish_non_exhaustive()
    }
}
