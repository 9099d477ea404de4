//! A service behind a guard.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use portcullis_core::authenticator::Attempt;
use tower_service::Service;

use super::GuardFuture;
use crate::{location::RequestHead, rejection::MakeRejection};

/// The decision of a guard, made without touching the request.
pub(crate) trait Decide: fmt::Debug + Send + Sync {
    /// Whether the request may go on.
    fn decide(&self, head: RequestHead<'_>) -> Attempt<()>;
}

/// An inner service that only callers reach whom a guard lets through. Made by [`RequireLayer`](crate::RequireLayer) and
/// [`AccessLayer`](crate::access_table::AccessLayer).
#[derive(Clone)]
pub struct GuardService<S, R> {
    inner: S,
    guard: Arc<dyn Decide>,
    rejection: R,
}

impl<S, R> GuardService<S, R> {
    pub(crate) fn new(inner: S, guard: Arc<dyn Decide>, rejection: R) -> Self {
        Self { inner, guard, rejection }
    }
}

impl<S, R, B, ResBody> Service<Request<B>> for GuardService<S, R>
where
    S: Service<Request<B>, Response = Response<ResBody>> + Clone,
    R: MakeRejection<ResBody> + Clone,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = GuardFuture<S, B, R>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let decision = self.guard.decide((&request).into());
        GuardFuture::start(decision, &mut self.inner, request, &self.rejection)
    }
}

impl<S: fmt::Debug, R> fmt::Debug for GuardService<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardService").field("inner", &self.inner).field("guard", &self.guard).finish_non_exhaustive()
    }
}
