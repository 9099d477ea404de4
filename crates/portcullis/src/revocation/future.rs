//! [`RevocationFuture`]: the future of the services.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use http::Response;

/// The response of [`BackChannelLogout`](super::BackChannelLogout) and [`RevocationApi`](super::RevocationApi).
pub struct RevocationFuture(Pin<Box<dyn Future<Output = Response<String>> + Send>>);

impl RevocationFuture {
    pub(super) fn new(response: impl Future<Output = Response<String>> + Send + 'static) -> Self {
        Self(Box::pin(response))
    }
}

impl Future for RevocationFuture {
    type Output = Result<Response<String>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context).map(Ok)
    }
}

impl fmt::Debug for RevocationFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationFuture").finish_non_exhaustive()
    }
}
