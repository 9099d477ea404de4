//! [`ProofService`]: a client that signs what it sends.

use std::{
    fmt,
    future::poll_fn,
    mem,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{CallError, ProofFuture, ProofLayer, RepeatBody};

/// A client behind a [`ProofLayer`].
pub struct ProofService<S, R> {
    inner: S,
    layer: ProofLayer<R>,
}

impl<S, R> ProofService<S, R> {
    pub(super) fn new(inner: S, layer: ProofLayer<R>) -> Self {
        Self { inner, layer }
    }
}

impl<S, R, B, ResBody> Service<Request<B>> for ProofService<S, R>
where
    S: Service<Request<B>, Response = Response<ResBody>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    R: RepeatBody<B>,
    B: Send + 'static,
    ResBody: Send + 'static,
{
    type Response = Response<ResBody>;
    type Error = CallError<S::Error>;
    type Future = ProofFuture<Response<ResBody>, CallError<S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context).map_err(CallError::Client)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that was polled is the one to call; the clone is polled before its own next call.
        let unpolled = self.inner.clone();
        let inner = mem::replace(&mut self.inner, unpolled);
        ProofFuture::new(self.layer.clone().exchange(inner, request))
    }
}

impl<R> ProofLayer<R> {
    async fn exchange<S, B, ResBody>(
        self,
        mut inner: S,
        mut request: Request<B>,
    ) -> Result<Response<ResBody>, CallError<S::Error>>
    where
        S: Service<Request<B>, Response = Response<ResBody>>,
        R: RepeatBody<B>,
    {
        if let Some(renewal) = &self.renewal {
            renewal.keep_current(&self.signer, &*self.clock).await.map_err(CallError::Renew)?;
        }
        let again = self.repeated(&request);
        self.sign(&mut request)?;
        let answer = inner.call(request).await.map_err(CallError::Client)?;
        let is_asked_again = self.signer.remember(answer.status(), answer.headers());
        let Some(mut request) = again.filter(|_| is_asked_again) else { return Ok(answer) };
        drop(answer);
        self.sign(&mut request)?;
        poll_fn(|context| inner.poll_ready(context)).await.map_err(CallError::Client)?;
        let answer = inner.call(request).await.map_err(CallError::Client)?;
        self.signer.remember(answer.status(), answer.headers());
        Ok(answer)
    }

    fn sign<B, E>(&self, request: &mut Request<B>) -> Result<(), CallError<E>> {
        self.signer.sign_request(request, self.clock.now()).map_err(CallError::Sign)
    }

    /// Returns the same request; `None` if its body cannot be repeated.
    fn repeated<B>(&self, request: &Request<B>) -> Option<Request<B>>
    where
        R: RepeatBody<B>,
    {
        let mut again = Request::new(self.repeat.repeat(request.body())?);
        request.method().clone_into(again.method_mut());
        request.uri().clone_into(again.uri_mut());
        *again.version_mut() = request.version();
        request.headers().clone_into(again.headers_mut());
        request.extensions().clone_into(again.extensions_mut());
        Some(again)
    }
}

impl<S: Clone, R> Clone for ProofService<S, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S: fmt::Debug, R> fmt::Debug for ProofService<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofService").field("inner", &self.inner).field("layer", &self.layer).finish()
    }
}
