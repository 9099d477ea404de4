//! [`NonceLayer`]: the settings of the layer that adds nonces.

use std::{borrow::Cow, fmt, sync::Arc};

use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, WWW_AUTHENTICATE},
};
use portcullis_core::{Clock, clock::SystemClock, possession::NonceIssuer};
use tower_layer::Layer;

use super::{NonceHeader, NonceService};

/// Adds fresh nonces to answers. Put it outside the [`AuthLayer`](crate::AuthLayer).
///
/// See the [module docs](super) for the rules. Cheap to clone.
#[derive(Clone)]
pub struct NonceLayer {
    source: Arc<Source>,
}

/// What makes nonces, and where they go.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) header: NonceHeader,
    nonces: Arc<dyn NonceIssuer>,
    origin: Cow<'static, str>,
    clock: Arc<dyn Clock>,
}

impl NonceLayer {
    /// Adds nonces of `nonces` for this origin, such as `https://api.example.com`. Issuer and origin are those with which the authenticator checks
    /// proofs.
    pub fn new(header: NonceHeader, nonces: impl NonceIssuer, origin: impl Into<Cow<'static, str>>) -> Self {
        let source = Source { header, nonces: Arc::new(nonces), origin: origin.into(), clock: Arc::new(SystemClock) };
        Self { source: Arc::new(source) }
    }

    /// Sets the clock. Defaults to [`SystemClock`].
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        Arc::make_mut(&mut self.source).clock = Arc::new(clock);
        self
    }

    pub(super) fn source(&self) -> &Arc<Source> {
        &self.source
    }
}

impl Source {
    /// Whether the answer to the request needs a nonce.
    pub(super) fn is_due(&self, request: &HeaderMap) -> bool {
        match self.header.read(request) {
            Some(nonce) => self.nonces.check(&nonce, &self.origin, self.clock.now()).is_renewal_due(),
            None => self.header.is_presented(request),
        }
    }

    /// Whether the answer asks the client for a credential under the scheme.
    pub(super) fn is_challenged(&self, status: StatusCode, answer: &HeaderMap) -> bool {
        let mut challenges = answer.get_all(WWW_AUTHENTICATE).iter();
        status == StatusCode::UNAUTHORIZED && challenges.any(|value| self.header.is_named_by(value.as_bytes()))
    }

    /// Adds a nonce, unless the answer has one.
    pub(super) fn add(&self, answer: &mut HeaderMap) {
        let name = self.header.name();
        if !answer.contains_key(name) {
            let nonce = self.nonces.issue(&self.origin, self.clock.now());
            // Every nonce can be in an HTTP header.
            answer.extend(HeaderValue::try_from(nonce.as_str()).ok().map(|nonce| (name.clone(), nonce)));
        }
        if answer.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            answer.append(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from(name.clone()));
            answer.append(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from(WWW_AUTHENTICATE));
        }
    }
}

impl<S> Layer<S> for NonceLayer {
    type Service = NonceService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        NonceService::new(inner, Arc::clone(&self.source))
    }
}

impl fmt::Debug for NonceLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { header, nonces, origin, clock } = self;
        f.debug_struct("NonceLayer")
            .field("header", header)
            .field("nonces", nonces)
            .field("origin", origin)
            .field("clock", clock)
            .finish()
    }
}
