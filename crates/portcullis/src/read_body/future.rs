//! [`ReadBodyFuture`]: the response of a service that reads bodies.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

/// The response of a service that may have to read the body before it calls the inner service.
pub struct ReadBodyFuture<R, E> {
    response: Pin<Box<dyn Future<Output = Result<R, E>> + Send>>,
}

impl<R, E> ReadBodyFuture<R, E> {
    pub(crate) fn new(response: impl Future<Output = Result<R, E>> + Send + 'static) -> Self {
        Self { response: Box::pin(response) }
    }
}

impl<R, E> Future for ReadBodyFuture<R, E> {
    type Output = Result<R, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.response.as_mut().poll(context)
    }
}

impl<R, E> fmt::Debug for ReadBodyFuture<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadBodyFuture").finish_non_exhaustive()
    }
}
