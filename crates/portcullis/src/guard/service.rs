//! A service behind the guard.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{GuardFuture, Reject, rule::Rule};

/// An inner service that only callers reach who meet a requirement. Made by [`RequireLayer`](crate::RequireLayer).
#[derive(Clone)]
pub struct RequireService<S, R> {
    inner: S,
    rule: Arc<Rule>,
    rejection: R,
}

impl<S, R> RequireService<S, R> {
    pub(super) fn new(inner: S, rule: Arc<Rule>, rejection: R) -> Self {
        Self { inner, rule, rejection }
    }
}

impl<S, R, B, ResBody> Service<Request<B>> for RequireService<S, R>
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
        let decision = self.rule.decide((&request).into());
        GuardFuture::start(decision, &mut self.inner, request, &self.rejection)
    }
}

impl<S: fmt::Debug, R> fmt::Debug for RequireService<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireService").field("inner", &self.inner).field("rule", &self.rule).finish_non_exhaustive()
    }
}
