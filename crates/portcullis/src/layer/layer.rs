//! [`AuthLayer`]: the settings of the layer.

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
    rejection::{BearerChallenge, InheritedRejection},
};

/// Admits requests whose credential can be verified, and puts the verified token into their extensions.
///
/// See the [module docs](crate::layer) for the rules. Cheap to clone. The type parameter `R` answers refusals.
#[doc(alias = "JwtLayer")]
#[doc(alias = "middleware")]
#[doc(alias = "AuthorizationLayer")]
#[derive(Clone)]
pub struct AuthLayer<R = InheritedRejection> {
    pub(crate) gate: Arc<Gate>,
    rejection: R,
}

impl AuthLayer {
    /// Requires a credential in `Authorization: Bearer`. The admission verifies it: pass an [`Admission`](crate::Admission), or an
    /// [`Authenticator`](crate::authenticator::Authenticator), which is wrapped in a default admission.
    pub fn new(admission: impl IntoAdmission) -> Self {
        Self::at(AuthorizationHeader::new(), admission)
    }

    /// Requires a credential at `location`, which the admission verifies.
    pub fn at(location: impl TokenLocation, admission: impl IntoAdmission) -> Self {
        Self::from_gate(Gate::new(vec![Source::new(location, admission)], None))
    }

    /// Admits every request as `verified`, **whatever it presents**. **The caller of this function vouches** for the token.
    ///
    /// For tests of code behind the layer: guards and extractors work as usual, and the cryptography is skipped. Such a layer reads no
    /// credential, so calling [`or_at`](AuthLayer::or_at) on it is an error. All functions that bypass verification have this name, so
    /// one search for `assertion` finds them.
    #[doc(alias = "mock")]
    #[doc(alias = "skip")]
    pub fn assertion(verified: impl Into<AnyVerified>) -> Self {
        Self::assertion_by(verified, SystemClock)
    }

    /// Admits every request as `verified`, like [`assertion`](AuthLayer::assertion), with a clock for the guards behind the layer, such
    /// as [`fresh`](crate::requirement::fresh).
    pub fn assertion_by(verified: impl Into<AnyVerified>, clock: impl Clock) -> Self {
        let asserted = Asserted { verified: verified.into(), clock: Arc::new(clock) };
        Self::from_gate(Gate::new(Vec::new(), Some(asserted)))
    }

    fn from_gate(gate: Gate) -> Self {
        Self { rejection: InheritedRejection::default(), gate: Arc::new(gate) }
    }
}

impl<R> AuthLayer<R> {
    /// Also reads credentials at another location, with its own admission: for example API keys in an HTTP header, and users' tokens in
    /// `Authorization`.
    ///
    /// A request with a credential at more than one location is refused (RFC 6750 section 2).
    ///
    /// # Errors
    ///
    /// If the layer already has this location, because then every credential there would be found twice; or if the layer was made by
    /// [`assertion`](AuthLayer::assertion), which reads no credentials.
    #[doc(alias = "multiple")]
    #[doc(alias = "fallback")]
    pub fn or_at(mut self, location: impl TokenLocation, admission: impl IntoAdmission) -> Result<Self, ConfigError> {
        Arc::make_mut(&mut self.gate).add(Source::new(location, admission))?;
        Ok(self)
    }

    /// Lets requests *without* a credential through, as anonymous. An invalid credential is still refused.
    ///
    /// Defaults to refusing them.
    #[doc(alias = "anonymous")]
    #[doc(alias = "allow_anonymous")]
    #[must_use]
    pub fn optional(mut self) -> Self {
        Arc::make_mut(&mut self.gate).absent = Absent::Anonymous;
        self
    }

    /// Lets CORS preflights through **without a credential** and without an identity. A preflight is an `OPTIONS` request with `Origin`
    /// and `Access-Control-Request-Method`, no credential and no body (Fetch standard, section 4.8).
    ///
    /// Use this only if the service's `CorsLayer` is *inside* this layer and cannot be moved out. Anyone can send such a request, so all
    /// code behind the layer has to check the method: `any(..)`, fallbacks, nested services and gRPC do not. Guards, `Claims` and
    /// `Option<Claims>` still refuse preflights.
    ///
    /// Over HTTP/2 and HTTP/3, the layer cannot see whether there is a body: a preflight has no `Content-Length` there, and a request
    /// with a body need not have one either (RFC 9113 section 8.1). Limit the size of bodies outside this layer, or do not read the body
    /// of a preflight.
    ///
    /// Defaults to refusing preflights as requests without a credential. Browsers still work if a `CorsLayer` *outside* this layer
    /// answers preflights: see the [module docs](crate::layer#cors).
    #[must_use]
    #[doc(alias = "preflights")]
    pub fn danger_pass_preflights(mut self) -> Self {
        Arc::make_mut(&mut self.gate).preflights = Preflights::Passed;
        self
    }

    /// Sets how to find the request target as the client sent it, for authenticators that read it
    /// ([`RequestView::target`](crate::authenticator::RequestView::target)). In a nested router, axum shows the layer a path without the
    /// router's prefix, and keeps the original URI in an extension.
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

    /// Sets the realm (protection space) in challenges (RFC 9110 section 11.5). Defaults to none.
    #[must_use]
    pub fn realm(self, realm: impl Into<Cow<'static, str>>) -> Self {
        let challenge = self.gate.challenge().clone().realm(realm);
        self.challenge(challenge)
    }

    /// Sets the URL of this resource's metadata in challenges (RFC 9728 section 5.1). Defaults to none.
    #[must_use]
    pub fn resource_metadata(self, url: impl Into<Cow<'static, str>>) -> Self {
        let challenge = self.gate.challenge().clone().resource_metadata(url);
        self.challenge(challenge)
    }

    /// Sets the scopes, separated by spaces, that clients without a valid token best ask for first: see [`BearerChallenge::scope`]. Defaults to none.
    #[must_use]
    pub fn scope(self, scope: impl Into<Cow<'static, str>>) -> Self {
        let challenge = self.gate.challenge().clone().scope(scope);
        self.challenge(challenge)
    }

    /// Sets how this layer, and the guards and extractors behind it, answer refusals.
    ///
    /// Defaults to a bare [`BearerChallenge::new`]. The schemes that the admissions accept are offered in any case, each in one challenge.
    #[must_use]
    pub fn challenge(mut self, challenge: BearerChallenge) -> Self {
        Arc::make_mut(&mut self.gate).set_challenge(challenge);
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

    /// Counts this layer's decisions, and the refusals behind it, for dashboards and alarms. `name` is the value of the label `layer`;
    /// layers with the same name are counted together. [`metrics`](crate::metrics) lists the metrics and their cost.
    ///
    /// Defaults to counting nothing.
    #[must_use]
    pub fn telemetry(mut self, telemetry: &Telemetry, name: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.gate).count(telemetry.clone(), name.into());
        self
    }

    /// Answers refusals of this layer only with `rejection`: [`GrpcStatus`](crate::rejection::GrpcStatus), or a closure.
    ///
    /// Guards and extractors behind the layer use its [`challenge`](AuthLayer::challenge), unless they have their own `rejection`.
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
