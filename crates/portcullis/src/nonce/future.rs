//! [`NonceFuture`]: the answer of a service, with a nonce.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::Response;
use pin_project_lite::pin_project;

use super::layer::Source;

pin_project! {
    /// The answer of a service behind a [`NonceLayer`](super::NonceLayer).
    pub struct NonceFuture<F> {
        #[pin]
        inner: F,
        source: Arc<Source>,
        is_due: bool,
    }
}

impl<F> NonceFuture<F> {
    pub(super) fn new(inner: F, source: Arc<Source>, is_due: bool) -> Self {
        Self { inner, source, is_due }
    }
}

impl<F, B, E> Future for NonceFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answer = ready!(this.inner.poll(context))?;
        if *this.is_due || this.source.is_challenged(answer.status(), answer.headers()) {
            this.source.add(answer.headers_mut());
        }
        Poll::Ready(Ok(answer))
    }
}

impl<F> fmt::Debug for NonceFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NonceFuture").field("is_due", &self.is_due).finish_non_exhaustive()
    }
}
