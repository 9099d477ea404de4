//! What can be set.

use std::{borrow::Cow, fmt, sync::Arc};

use http::{Extensions, Uri};
use portcullis_core::{Clock, ConfigError, admission::IntoAdmission, clock::SystemClock, verified::AnyVerified};
use tower_layer::Layer;

use super::{
    AuthService, Gate,
    gate::{Absent, Asserted, Keep, Preflights},
    source::Source,
};
use crate::{
    location::{AuthorizationHeader, TokenLocation},
    metrics::Telemetry,
    rejection::BearerChallenge,
};

/// Lets in requests whose credential can be verified, and puts the verified token into their extensions.
///
/// See the [module docs](crate::layer) for the rules. Cheap to clone. The type parameter is who answers refusals.
#[derive(Clone)]
pub struct AuthLayer<R = BearerChallenge> {
    pub(crate) gate: Arc<Gate>,
    rejection: R,
}

impl AuthLayer {
    /// Requires a credential in `Authorization: Bearer`, decided about by `admission`: an [`Admission`](crate::Admission), or an
    /// [`Authenticator`](crate::authenticator::Authenticator) where the defaults of an admission will do.
    pub fn new(admission: impl IntoAdmission) -> Self {
        Self::at(AuthorizationHeader::new(), admission)
    }

    /// Requires a credential at `location`, decided about by `admission`.
    pub fn at(location: impl TokenLocation, admission: impl IntoAdmission) -> Self {
        Self::from_gate(Gate::new(vec![Source::new(location, admission)], None))
    }

    /// Lets every request in as `verified`, **whatever it presents**: **the caller of this function vouches** for the token.
    ///
    /// For tests of what is behind the layer: guards and extractors work as usual, cryptography is skipped. Such a layer looks
    /// for no credential, so [`or_at`](AuthLayer::or_at) on it is an error. All ways past verification have this name, so that
    /// one search for `assertion` finds them.
    pub fn assertion(verified: impl Into<AnyVerified>) -> Self {
        Self::assertion_by(verified, SystemClock)
    }

    /// The same, with a clock for the guards behind the layer, such as [`fresh`](crate::requirement::fresh).
    pub fn assertion_by(verified: impl Into<AnyVerified>, clock: impl Clock) -> Self {
        let asserted = Asserted { verified: verified.into(), clock: Arc::new(clock) };
        Self::from_gate(Gate::new(Vec::new(), Some(asserted)))
    }

    /// Names the protection space in challenges (RFC 9110 section 11.5). Defaults to none.
    #[must_use]
    pub fn realm(self, realm: impl Into<Cow<'static, str>>) -> Self {
        let challenge = self.gate.challenge().clone().realm(realm);
        self.challenge(challenge)
    }

    /// Tells clients in challenges where this resource's metadata is (RFC 9728 section 5.1). Defaults to none.
    #[must_use]
    pub fn resource_metadata(self, url: impl Into<Cow<'static, str>>) -> Self {
        let challenge = self.gate.challenge().clone().resource_metadata(url);
        self.challenge(challenge)
    }

    /// Answers refusals in this way, and so do guards and extractors behind the layer.
    ///
    /// Defaults to a bare [`BearerChallenge::new`].
    #[must_use]
    pub fn challenge(mut self, challenge: BearerChallenge) -> Self {
        Arc::make_mut(&mut self.gate).manners_mut().challenge = challenge.clone();
        self.rejection = challenge;
        self
    }

    fn from_gate(gate: Gate) -> Self {
        Self { rejection: gate.challenge().clone(), gate: Arc::new(gate) }
    }
}

impl<R> AuthLayer<R> {
    /// Looks for credentials at another location, too, with its own admission: API keys in an HTTP header, users'
    /// tokens in `Authorization`.
    ///
    /// A request with a credential at more than one location is refused (RFC 6750 section 2).
    ///
    /// # Errors
    ///
    /// If the layer looks there already, because then every credential there would be two; if the layer was made by
    /// [`assertion`](AuthLayer::assertion), which looks nowhere.
    pub fn or_at(mut self, location: impl TokenLocation, admission: impl IntoAdmission) -> Result<Self, ConfigError> {
        Arc::make_mut(&mut self.gate).add(Source::new(location, admission))?;
        Ok(self)
    }

    /// Lets requests *without* a credential through, as anonymous. A bad credential is refused all the same.
    ///
    /// Defaults to refusing them.
    #[must_use]
    pub fn optional(mut self) -> Self {
        Arc::make_mut(&mut self.gate).absent = Absent::Anonymous;
        self
    }

    /// Lets CORS preflights through **without a credential** and without an identity: requests by `OPTIONS` with `Origin` and
    /// `Access-Control-Request-Method`, no credential and no body (Fetch standard, section 4.8).
    ///
    /// Only for a service whose `CorsLayer` stands *inside* of this layer and cannot be moved out. Anybody can send such a
    /// request, so whatever runs behind the layer has to look at the method: `any(..)`, fallbacks, nested services and gRPC do
    /// not. Guards, `Claims` and `Option<Claims>` refuse a preflight all the same.
    ///
    /// Over HTTP/2 and HTTP/3, a body cannot be noticed: a preflight has no `Content-Length` there, and neither need a request
    /// with a body have one (RFC 9113 section 8.1). Set a limit for bodies outside of this layer, or do not read the body of
    /// a preflight.
    ///
    /// Defaults to refusing preflights as requests without a credential. Browsers are served all the same by a `CorsLayer`
    /// *outside* of this layer, which answers preflights itself: see the [module docs](crate::layer#cors).
    #[must_use]
    #[doc(alias = "preflights")]
    pub fn danger_pass_preflights(mut self) -> Self {
        Arc::make_mut(&mut self.gate).preflights = Preflights::Passed;
        self
    }

    /// Finds the target as the client sent it, for authenticators that look at it ([`RequestView::target`](crate::authenticator::RequestView::target)). Where the
    /// layer stands inside of a router that is nested, axum shows it a path without the router's prefix, and keeps the whole in an extension.
    ///
    /// Defaults to the target as the layer sees it.
    ///
    /// ```
    /// use axum::extract::OriginalUri;
    /// use portcullis::AuthLayer;
    ///
    /// fn nested(auth: AuthLayer) -> AuthLayer {
    ///     auth.original_uri(|extensions| extensions.get::<OriginalUri>().map(|OriginalUri(uri)| uri))
    /// }
    /// ```
    #[must_use]
    pub fn original_uri(mut self, find: fn(&Extensions) -> Option<&Uri>) -> Self {
        Arc::make_mut(&mut self.gate).original_uri = Some(find);
        self
    }

    /// Keeps the token's text with the request, for handlers that pass it on (`RawToken`).
    ///
    /// Defaults to not keeping it, so that it cannot end up in a log.
    #[must_use]
    pub fn keep_token(mut self) -> Self {
        Arc::make_mut(&mut self.gate).keep = Keep::Token;
        self
    }

    /// Counts this layer's decisions, and the refusals behind it, for dashboards and alarms. `name` is the value of the label `layer`; two layers
    /// of one name are counted together. See [`metrics`](crate::metrics) for what is counted and what it costs.
    ///
    /// Defaults to counting nothing.
    #[must_use]
    pub fn telemetry(mut self, telemetry: &Telemetry, name: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.gate).count(telemetry.clone(), name.into());
        self
    }

    /// Answers refusals of this layer alone by `rejection`: [`GrpcStatus`](crate::rejection::GrpcStatus), or a closure.
    ///
    /// Guards and extractors behind the layer answer by its [`challenge`](AuthLayer::challenge) unless they have their own
    /// `rejection`.
    #[must_use]
    pub fn rejection<N>(self, rejection: N) -> AuthLayer<N> {
        AuthLayer { gate: self.gate, rejection }
    }
}

impl<S, R: Clone> Layer<S> for AuthLayer<R> {
    type Service = AuthService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        AuthService::new(inner, Arc::clone(&self.gate), self.rejection.clone())
    }
}

impl<R> fmt::Debug for AuthLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayer").field("gate", &self.gate).finish_non_exhaustive()
    }
}
