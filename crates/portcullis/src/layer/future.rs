//! [`AuthFuture`]: the response of an authenticated service.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{HeaderMap, HeaderValue, Request, Response, header::CACHE_CONTROL};
use pin_project_lite::pin_project;
use portcullis_core::AuthError;
use tower_service::Service;

use super::{
    Gate,
    pass::{Pass, PendingPass},
};
use crate::{
    location::ResponseCaching,
    rejection::{MakeRejection, respond_as},
};

pin_project! {
    /// The response of an [`AuthService`](super::AuthService).
    pub struct AuthFuture<S, B, R>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S::Future, Box<Held<S, B, R>>, Box<S::Response>>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, H, T> {
        /// The decision about the token is still pending. Boxed, because this is rare and the request is large.
        Waiting { held: Option<H> },
        /// The inner service is working.
        Inner { #[pin] future: F, caching: ResponseCaching },
        /// The request was refused. Boxed as well: every request moves this value, and most are not refused.
        Rejected { response: Option<T> },
    }
}

/// A request whose token is still being verified, with everything that is needed afterwards.
pub(super) struct Held<S, B, R> {
    verdict: Verdict,
    inner: S,
    request: Request<B>,
    gate: Arc<Gate>,
    rejection: R,
}

enum Verdict {
    Pending(PendingPass),
    Admitted(Pass),
    Refused(AuthError),
}

impl<S: Service<Request<B>>, B, R> AuthFuture<S, B, R> {
    pub(super) fn inner(future: S::Future, caching: ResponseCaching) -> Self {
        Self { state: State::Inner { future, caching } }
    }

    pub(super) fn rejected(response: S::Response) -> Self {
        Self { state: State::Rejected { response: Some(Box::new(response)) } }
    }

    pub(super) fn waiting(held: Held<S, B, R>) -> Self {
        Self { state: State::Waiting { held: Some(Box::new(held)) } }
    }
}

impl<S, B, R, ResBody> Future for AuthFuture<S, B, R>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    R: MakeRejection<ResBody>,
{
    type Output = Result<Response<ResBody>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Waiting { held } => {
                    let Some(waiting) = held.as_mut() else { return Poll::Pending };
                    ready!(waiting.poll_ready(context))?;
                    let Some(held) = held.take() else { return Poll::Pending };
                    (*held).proceed()
                }
                StateProjection::Inner { future, caching } if *caching == ResponseCaching::Private => {
                    let mut response = ready!(future.poll(context))?;
                    keep_private(response.headers_mut());
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Inner { future, .. } => return future.poll(context),
                StateProjection::Rejected { response } => {
                    return response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(*response)));
                }
            };
            state.set(next);
        }
    }
}

impl<S, B, R> Held<S, B, R> {
    pub(super) fn new(pending: PendingPass, inner: S, request: Request<B>, gate: Arc<Gate>, rejection: R) -> Self {
        Self { verdict: Verdict::Pending(pending), inner, request, gate, rejection }
    }
}

impl<S, B, R, ResBody> Held<S, B, R>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    R: MakeRejection<ResBody>,
{
    /// Waits for the decision and, if the request is admitted, until the inner service is ready.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if let Verdict::Pending(pending) = &mut self.verdict {
            let outcome = ready!(pending.poll(context));
            self.verdict = match pending.conclude(outcome) {
                Ok(pass) => Verdict::Admitted(pass),
                Err(error) => Verdict::Refused(error),
            };
        }
        match self.verdict {
            Verdict::Admitted(_) => self.inner.poll_ready(context),
            _ => Poll::Ready(Ok(())),
        }
    }

    fn proceed(mut self) -> State<S::Future, Box<Self>, Box<S::Response>> {
        match self.verdict {
            Verdict::Admitted(pass) => {
                let (auth, caching) = self.gate.prepare(pass, &mut (&mut self.request).into());
                self.request.extensions_mut().insert(auth);
                State::Inner { future: self.inner.call(self.request), caching }
            }
            Verdict::Refused(error) => {
                let response = respond_as(self.gate.challenge(), &self.rejection, &error);
                State::Rejected { response: Some(Box::new(response)) }
            }
            // Still pending: polled again later.
            Verdict::Pending(_) => State::Waiting { held: Some(Box::new(self)) },
        }
    }
}

/// Adds `private` unless the response already has an equally strict directive. Readers join a second field line to the first (RFC 9110
/// section 5.2), and the stricter directive wins.
fn keep_private(headers: &mut HeaderMap) {
    let directives = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut names = directives.flat_map(|value| value.split(',')).map(str::trim);
    if !names.any(|name| name.eq_ignore_ascii_case("private") || name.eq_ignore_ascii_case("no-store")) {
        headers.append(CACHE_CONTROL, HeaderValue::from_static("private"));
    }
}

impl<S: Service<Request<B>>, B, R> fmt::Debug for AuthFuture<S, B, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthFuture").finish_non_exhaustive()
    }
}
