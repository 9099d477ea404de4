//! What can be set.

use std::{borrow::Cow, fmt, sync::Arc};

use portcullis_core::{AnyVerified, Authenticator};
use tower_layer::Layer;

use super::{
    AuthService, Gate,
    gate::{Absent, Door, Keep},
};
use crate::{BearerChallenge, BearerHeader, TokenLocation};

/// Lets in requests whose credential can be verified, and gives them their identity.
///
/// See the [module docs](crate::layer) for the rules. Cheap to clone. The type parameter is who answers refusals.
#[derive(Clone)]
pub struct AuthLayer<R = BearerChallenge> {
    pub(crate) gate: Arc<Gate>,
    rejection: R,
}

impl AuthLayer {
    /// Requires a credential in `Authorization: Bearer`, decided about by `authenticator`.
    pub fn new(authenticator: impl Authenticator) -> Self {
        Self::at(BearerHeader::new(), authenticator)
    }

    /// Requires a credential at `location`, decided about by `authenticator`.
    pub fn at(location: impl TokenLocation, authenticator: impl Authenticator) -> Self {
        Self::from_gate(Gate {
            doors: vec![Door::new(location, Arc::new(authenticator))],
            absent: Absent::Refused,
            challenge: BearerChallenge::new(),
            keep: Keep::Nothing,
            asserted: None,
        })
    }

    /// Lets every request in as `verified`, **whatever it presents**: **the caller vouches** for the identity.
    ///
    /// For tests of what stands behind the layer: guards and extractors work as ever, cryptography is skipped. Named
    /// as the other doors past verification are, so that one search for `assertion` finds them all.
    pub fn assertion(verified: impl Into<AnyVerified>) -> Self {
        Self::from_gate(Gate {
            doors: Vec::new(),
            absent: Absent::Refused,
            challenge: BearerChallenge::new(),
            keep: Keep::Nothing,
            asserted: Some(verified.into()),
        })
    }

    /// Names the protection space in challenges (RFC 9110 section 11.5). Defaults to none.
    #[must_use]
    pub fn realm(self, realm: impl Into<Cow<'static, str>>) -> Self {
        let challenge = self.gate.challenge.clone().realm(realm);
        self.challenge(challenge)
    }

    /// Tells clients in challenges where this resource's metadata is (RFC 9728 section 5.1). Defaults to none.
    #[must_use]
    pub fn resource_metadata(self, url: impl Into<Cow<'static, str>>) -> Self {
        let challenge = self.gate.challenge.clone().resource_metadata(url);
        self.challenge(challenge)
    }

    /// Answers refusals in this way, and so do guards and extractors behind the layer.
    ///
    /// Defaults to a bare [`BearerChallenge::new`].
    #[must_use]
    pub fn challenge(mut self, challenge: BearerChallenge) -> Self {
        Arc::make_mut(&mut self.gate).challenge = challenge.clone();
        self.rejection = challenge;
        self
    }

    fn from_gate(gate: Gate) -> Self {
        Self { rejection: gate.challenge.clone(), gate: Arc::new(gate) }
    }
}

impl<R> AuthLayer<R> {
    /// Looks for credentials at another location, too, with an authenticator of its own: an API key in a header
    /// beside a user's token, say.
    ///
    /// A request with a credential at more than one location is refused (RFC 6750 section 2).
    #[must_use]
    pub fn or_at(mut self, location: impl TokenLocation, authenticator: impl Authenticator) -> Self {
        Arc::make_mut(&mut self.gate).doors.push(Door::new(location, Arc::new(authenticator)));
        self
    }

    /// Lets requests *without* a credential through, without an identity. A bad credential is refused all the same.
    ///
    /// Defaults to refusing them.
    #[must_use]
    pub fn optional(mut self) -> Self {
        Arc::make_mut(&mut self.gate).absent = Absent::Anonymous;
        self
    }

    /// Keeps the token's text with the request, for handlers that pass it on (`RawToken`).
    ///
    /// Defaults to not keeping it: what nobody holds, nobody logs.
    #[must_use]
    pub fn keep_token(mut self) -> Self {
        Arc::make_mut(&mut self.gate).keep = Keep::Token;
        self
    }

    /// Answers this layer's refusals by `rejection`: [`GrpcStatus`](crate::GrpcStatus), or a closure.
    ///
    /// Guards and extractors behind the layer answer by its [`challenge`](AuthLayer::challenge), unless told otherwise.
    #[must_use]
    pub fn rejection<N>(self, rejection: N) -> AuthLayer<N> {
        AuthLayer { gate: self.gate, rejection }
    }
}

impl Door {
    fn new(location: impl TokenLocation, authenticator: Arc<dyn Authenticator>) -> Self {
        Self { caching: location.info().caching(), location: Arc::new(location), authenticator }
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
