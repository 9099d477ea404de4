//! [`BodyLimitService`]: limits bodies.

use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{BodyLimitFuture, BodyLimitLayer, LimitedBody};
use crate::AuthContext;

/// The service of [`BodyLimitLayer`].
#[derive(Clone, Debug)]
pub struct BodyLimitService<S> {
    pub(super) inner: S,
    pub(super) layer: BodyLimitLayer,
}

impl<S, B, R> Service<Request<B>> for BodyLimitService<S>
where
    S: Service<Request<LimitedBody<B>>, Response = Response<R>>,
    B: Body,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = BodyLimitFuture<S::Future, Response<R>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.layer.decide(&request) {
            Ok(limit) => {
                let (parts, body) = request.into_parts();
                let (body, excess) = LimitedBody::new(body, limit);
                BodyLimitFuture::passed(self.inner.call(Request::from_parts(parts, body)), excess)
            }
            Err(refusal) => BodyLimitFuture::refused(refusal.response(request.extensions().get::<AuthContext>())),
        }
    }
}
