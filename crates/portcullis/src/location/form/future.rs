//! [`FormBodyFuture`]: the response of a form service.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

/// The response of [`FormBodyService`](super::FormBodyService).
pub struct FormBodyFuture<R, E> {
    response: Pin<Box<dyn Future<Output = Result<R, E>> + Send>>,
}

impl<R, E> FormBodyFuture<R, E> {
    pub(super) fn new(response: impl Future<Output = Result<R, E>> + Send + 'static) -> Self {
        Self { response: Box::pin(response) }
    }
}

impl<R, E> Future for FormBodyFuture<R, E> {
    type Output = Result<R, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.response.as_mut().poll(context)
    }
}

impl<R, E> fmt::Debug for FormBodyFuture<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormBodyFuture").finish_non_exhaustive()
    }
}
