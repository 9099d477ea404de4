//! [`AuthService`]: a service behind the layer.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{AuthFuture, Gate, NotAdmitted, future::Held};
use crate::rejection::{MakeRejection, respond_as};

/// An inner service that only admitted requests reach. Made by [`AuthLayer`](crate::AuthLayer).
#[derive(Clone)]
pub struct AuthService<S, R> {
    inner: S,
    gate: Arc<Gate>,
    rejection: R,
}

impl<S, R> AuthService<S, R> {
    pub(super) fn new(inner: S, gate: Arc<Gate>, rejection: R) -> Self {
        Self { inner, gate, rejection }
    }
}

impl<S, R, B, ResBody> Service<Request<B>> for AuthService<S, R>
where
    S: Service<Request<B>, Response = Response<ResBody>> + Clone,
    R: MakeRejection<ResBody> + Clone,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = AuthFuture<S, B, R>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if let Some((auth, caching)) = self.gate.admit_cached(&mut (&mut request).into()) {
            request.extensions_mut().insert(auth);
            return AuthFuture::inner(self.inner.call(request), caching);
        }
        match self.gate.admit((&request).into()) {
            Ok(pass) => {
                let (auth, caching) = self.gate.prepare(pass, &mut (&mut request).into());
                request.extensions_mut().insert(auth);
                AuthFuture::inner(self.inner.call(request), caching)
            }
            Err(reason) => self.not_admitted(reason, request),
        }
    }
}

impl<S, R> AuthService<S, R> {
    /// A function of its own, so that the compiler keeps its moves out of the path of admitted requests.
    #[cold]
    #[inline(never)]
    fn not_admitted<B, ResBody>(&mut self, reason: NotAdmitted, request: Request<B>) -> AuthFuture<S, B, R>
    where
        S: Service<Request<B>, Response = Response<ResBody>> + Clone,
        R: MakeRejection<ResBody> + Clone,
    {
        match reason {
            NotAdmitted::Refused(error) => {
                AuthFuture::rejected(respond_as(self.gate.challenge(), &self.rejection, &error))
            }
            NotAdmitted::Waiting(pending) => {
                // The service that was polled is dropped, with anything it reserved, so that a token that waits for its key does not
                // block other requests. One clone is polled before it is called here, the other before its own next call.
                let inner = self.inner.clone();
                self.inner = inner.clone();
                let gate = Arc::clone(&self.gate);
                AuthFuture::waiting(Held::new(pending, inner, request, gate, self.rejection.clone()))
            }
        }
    }
}

impl<S: fmt::Debug, R> fmt::Debug for AuthService<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthService").field("inner", &self.inner).field("gate", &self.gate).finish_non_exhaustive()
    }
}
