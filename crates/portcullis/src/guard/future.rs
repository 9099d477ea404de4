//! [`GuardFuture`]: the response of a guarded service.

use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use pin_project_lite::pin_project;
use portcullis_core::{
    AuthError, Code,
    authenticator::{Attempt, Waiting},
};
use tower_service::Service;

use crate::{
    AuthContext,
    rejection::{MakeRejection, refuse_behind},
};

pin_project! {
    /// The response of a service behind a guard.
    pub struct GuardFuture<S, B, R>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S::Future, Box<Held<S, B, R>>, S::Response>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, H, T> {
        /// The decision is still pending. Boxed, because this is rare and the request is large.
        Waiting { held: Option<H> },
        /// The inner service is working.
        Inner { #[pin] future: F },
        /// The request was refused.
        Rejected { response: Option<T> },
    }
}

/// A request that waits for the decision, with everything that is needed afterwards.
struct Held<S, B, R> {
    waiting: Waiting<()>,
    inner: S,
    request: Request<B>,
    rejection: R,
}

impl<S, B, R, ResBody> GuardFuture<S, B, R>
where
    S: Service<Request<B>, Response = Response<ResBody>> + Clone,
    R: MakeRejection<ResBody> + Clone,
{
    /// Acts on a decision. `inner` is the service that was polled.
    pub(crate) fn start(decision: Attempt<()>, inner: &mut S, request: Request<B>, rejection: &R) -> Self {
        let state = match decision {
            Attempt::Done(Ok(())) => State::Inner { future: inner.call(request) },
            Attempt::Done(Err(error)) => State::Rejected { response: Some(refuse(rejection, &request, error)) },
            Attempt::Waiting(waiting) => {
                // The service that was polled is the one to call; the clone is polled before its own next call.
                let unpolled = inner.clone();
                let inner = mem::replace(inner, unpolled);
                State::Waiting { held: Some(Box::new(Held { waiting, inner, request, rejection: rejection.clone() })) }
            }
            _ => {
                let error =
                    AuthError::new(Code::ServiceMisconfigured).with_explanation("a decision of an unknown kind");
                State::Rejected { response: Some(refuse(rejection, &request, error)) }
            }
        };
        Self { state }
    }
}

impl<S, B, R, ResBody> Future for GuardFuture<S, B, R>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    R: MakeRejection<ResBody>,
{
    type Output = Result<Response<ResBody>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Waiting { held } => {
                    let waiting = held.as_mut().map(|held| Pin::new(&mut held.waiting).poll(context));
                    let decision = ready!(waiting.unwrap_or(Poll::Pending));
                    let Some(held) = held.take() else { return Poll::Pending };
                    (*held).proceed(decision)
                }
                StateProjection::Inner { future } => return future.poll(context),
                StateProjection::Rejected { response } => {
                    return response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(response)));
                }
            };
            state.set(next);
        }
    }
}

impl<S, B, R, ResBody> Held<S, B, R>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    R: MakeRejection<ResBody>,
{
    fn proceed(mut self, decision: Result<(), AuthError>) -> State<S::Future, Box<Self>, Response<ResBody>> {
        match decision {
            Ok(()) => State::Inner { future: self.inner.call(self.request) },
            Err(error) => State::Rejected { response: Some(refuse(&self.rejection, &self.request, error)) },
        }
    }
}

fn refuse<B, R, ResBody>(rejection: &R, request: &Request<B>, error: AuthError) -> Response<ResBody>
where
    R: MakeRejection<ResBody>,
{
    refuse_behind(request.extensions().get::<AuthContext>(), rejection, error)
}

impl<S: Service<Request<B>>, B, R> fmt::Debug for GuardFuture<S, B, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardFuture").finish_non_exhaustive()
    }
}
