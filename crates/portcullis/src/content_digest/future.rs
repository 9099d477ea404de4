//! [`ContentDigestFuture`]: the response of a service that checks bodies.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

/// The response of [`ContentDigestService`](super::ContentDigestService).
pub struct ContentDigestFuture<R, E> {
    response: Pin<Box<dyn Future<Output = Result<R, E>> + Send>>,
}

impl<R, E> ContentDigestFuture<R, E> {
    pub(super) fn new(response: impl Future<Output = Result<R, E>> + Send + 'static) -> Self {
        Self { response: Box::pin(response) }
    }
}

impl<R, E> Future for ContentDigestFuture<R, E> {
    type Output = Result<R, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.response.as_mut().poll(context)
    }
}

impl<R, E> fmt::Debug for ContentDigestFuture<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContentDigestFuture").finish_non_exhaustive()
    }
}
