//! [`GuardService`]: a service behind a guard.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use portcullis_core::{AuthError, authenticator::Attempt};
use tower_service::Service;

use super::{GuardFuture, caller};
use crate::{
    Requirement,
    location::RequestHead,
    rejection::MakeRejection,
    requirement::{Circumstances, PathParams},
};

/// The demand that a guard makes on one request.
pub(crate) enum Asked<'g> {
    /// None, because the route is public.
    Nothing,
    /// The request must have a caller.
    Caller,
    /// The caller must meet this requirement.
    Requirement(&'g Requirement, PathParams),
}

/// A guard's decision, made without changing the request.
pub(crate) trait Decide: fmt::Debug + Send + Sync {
    /// Returns the demand on that request.
    ///
    /// # Errors
    ///
    /// Returns an error if no caller may make the request.
    fn ask(&self, head: RequestHead<'_>) -> Result<Asked<'_>, AuthError>;

    /// Decides whether the guard admits the request.
    fn decide(&self, head: RequestHead<'_>) -> Attempt<()> {
        let asked = self.ask(head);
        if matches!(asked, Ok(Asked::Nothing)) {
            return Attempt::Done(Ok(()));
        }
        // A missing caller takes precedence over a wrong request: 401 before 403.
        let (verified, now) = match caller(head.extensions) {
            Ok(caller) => caller,
            Err(error) => return Attempt::Done(Err(error)),
        };
        match asked {
            Ok(Asked::Requirement(requirement, params)) => {
                requirement.evaluate(Circumstances::new(verified, &params, now))
            }
            Ok(Asked::Caller | Asked::Nothing) => Attempt::Done(Ok(())),
            Err(error) => Attempt::Done(Err(error)),
        }
    }
}

/// A service behind a guard, which passes on only the requests that it admits. [`RequireLayer`](crate::RequireLayer) and
/// [`AccessLayer`](crate::access_table::AccessLayer) make it.
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
