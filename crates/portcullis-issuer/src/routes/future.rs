//! [`RoutesFuture`]: the future of the services.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use http::Response;

/// The response of the services of this module.
pub struct RoutesFuture(Pin<Box<dyn Future<Output = Response<String>> + Send>>);

impl RoutesFuture {
    pub(super) fn new(response: impl Future<Output = Response<String>> + Send + 'static) -> Self {
        Self(Box::pin(response))
    }
}

impl Future for RoutesFuture {
    type Output = Result<Response<String>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context).map(Ok)
    }
}

impl fmt::Debug for RoutesFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoutesFuture").finish_non_exhaustive()
    }
}
