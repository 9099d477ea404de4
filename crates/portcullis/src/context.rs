//! What a layer leaves in a request for guards and extractors further in.

use std::{fmt, sync::Arc};

use portcullis_core::{AnyVerified, Clock, UnixTime};
use zeroize::Zeroizing;

use crate::BearerChallenge;

/// How a request came past an [`AuthLayer`](crate::AuthLayer), in the request's extensions.
///
/// Only the layer makes one. Guards and extractors read it; a handler rarely needs it.
#[derive(Clone, Debug)]
pub struct AuthContext {
    presence: Presence,
    manners: Arc<Manners>,
    token: Option<PresentedToken>,
}

/// What guards and extractors take over from the layer. Shared as a whole: every request counts this reference.
#[derive(Clone, Debug)]
pub(crate) struct Manners {
    pub(crate) challenge: BearerChallenge,
    pub(crate) clock: Arc<dyn Clock>,
}

/// With what a request came.
#[derive(Clone, Debug)]
pub(crate) enum Presence {
    /// With a credential that was verified.
    Verified(AnyVerified),
    /// Without a credential, through an optional layer.
    Anonymous,
    /// As a CORS preflight, which never carries a credential (Fetch standard, section 4.8).
    Preflight,
}

impl AuthContext {
    pub(crate) fn new(presence: Presence, manners: Arc<Manners>) -> Self {
        Self { presence, manners, token: None }
    }

    pub(crate) fn with_token(self, token: Option<PresentedToken>) -> Self {
        Self { token, ..self }
    }

    /// The verified token; `None` if the request came in without a credential.
    pub fn verified(&self) -> Option<&AnyVerified> {
        match &self.presence {
            Presence::Verified(verified) => Some(verified),
            Presence::Anonymous | Presence::Preflight => None,
        }
    }

    /// Whether this is a CORS preflight that was let through without a credential.
    pub fn is_preflight(&self) -> bool {
        matches!(self.presence, Presence::Preflight)
    }

    /// How the layer answers refusals, so that guards and extractors answer in the same way.
    pub fn challenge(&self) -> &BearerChallenge {
        &self.manners.challenge
    }

    /// The text of the token, if the layer [keeps it](crate::AuthLayer::keep_token). Whoever has it can act as the
    /// caller.
    pub fn token(&self) -> Option<&str> {
        self.token.as_ref().map(PresentedToken::as_str)
    }

    /// The time by the layer's clock, for guards.
    pub(crate) fn now(&self) -> UnixTime {
        self.manners.clock.now()
    }

    #[cfg(feature = "axum")]
    pub(crate) fn presented_token(&self) -> Option<&PresentedToken> {
        self.token.as_ref()
    }
}

/// The text of a token, wiped from memory when the last handle goes.
#[derive(Clone)]
pub(crate) struct PresentedToken(Arc<Zeroizing<String>>);

impl PresentedToken {
    pub(crate) fn new(token: &str) -> Self {
        Self(Arc::new(Zeroizing::new(token.to_owned())))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PresentedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("REDACTED")
    }
}
