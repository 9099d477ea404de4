//! [`BodyLimitFuture`]: the response of a service that limits bodies.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use pin_project_lite::pin_project;

use super::{body::Excess, layer::too_long};

pin_project! {
    /// The response of [`BodyLimitService`](super::BodyLimitService).
    pub struct BodyLimitFuture<F, T> {
        #[pin]
        state: State<F, T>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, T> {
        /// The inner service is working.
        Inner { #[pin] future: F, excess: Option<Excess> },
        /// The request was refused.
        Refused { response: Option<T> },
    }
}

impl<F, T> BodyLimitFuture<F, T> {
    pub(super) fn passed(future: F, excess: Option<Excess>) -> Self {
        Self { state: State::Inner { future, excess } }
    }

    pub(super) fn refused(response: T) -> Self {
        Self { state: State::Refused { response: Some(response) } }
    }
}

impl<F, R, E> Future for BodyLimitFuture<F, Response<R>>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: From<String>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Inner { future, excess } => {
                let outcome = ready!(future.poll(context));
                match excess.take() {
                    // The inner service saw only an error of the body, and may have answered it with another status.
                    Some(excess) if excess.is_seen() => Poll::Ready(Ok(too_long(excess.limit))),
                    _ => Poll::Ready(outcome),
                }
            }
            StateProjection::Refused { response } => {
                response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(response)))
            }
        }
    }
}

impl<F, T> fmt::Debug for BodyLimitFuture<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyLimitFuture").finish_non_exhaustive()
    }
}
