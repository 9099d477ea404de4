//! What a layer leaves in a request for guards and extractors further in.

use std::{fmt, sync::Arc};

use portcullis_core::{
    AuthError,
    admission::Admitted,
    verified::{AnyVerified, Identity},
};
use zeroize::Zeroizing;

use crate::{metrics::LayerCounters, rejection::BearerChallenge};

/// How a request came past an [`AuthLayer`](crate::AuthLayer), in the request's extensions.
///
/// Only the layer makes one. Guards and extractors read it; a handler rarely needs it.
#[derive(Clone, Debug)]
pub struct AuthContext {
    admitted: Option<Admitted>,
    /// What guards and extractors take over from the layer; `None` for the defaults. Shared as a whole: every request counts this
    /// reference, and the defaults are worth not counting.
    manners: Option<Arc<Manners>>,
    /// Apart, so that what every request moves is five words without a gap between them.
    rare: Option<Box<Rare>>,
}

/// How a layer answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manners {
    pub(crate) challenge: BearerChallenge,
    /// What refusals behind the layer are counted by.
    pub(crate) counters: Option<Arc<LayerCounters>>,
}

/// What few requests have.
#[derive(Clone, Debug)]
struct Rare {
    is_preflight: bool,
    token: Option<PresentedToken>,
}

/// With what a request came.
#[derive(Debug)]
pub(crate) enum Presence {
    /// With a credential that was verified, and its text, if that is kept.
    Verified(Admitted, Option<PresentedToken>),
    /// Without a credential, through an optional layer.
    Anonymous,
    /// As a CORS preflight, which never carries a credential (Fetch standard, section 4.8).
    Preflight,
}

impl AuthContext {
    pub(crate) fn new(presence: Presence, manners: Option<Arc<Manners>>) -> Self {
        let rare = |is_preflight, token| Some(Box::new(Rare { is_preflight, token }));
        let (admitted, rare) = match presence {
            Presence::Verified(admitted, None) => (Some(admitted), None),
            Presence::Verified(admitted, token) => (Some(admitted), rare(false, token)),
            Presence::Anonymous => (None, None),
            Presence::Preflight => (None, rare(true, None)),
        };
        Self { admitted, manners, rare }
    }

    /// The verified token; `None` if the request came in without a credential.
    pub fn verified(&self) -> Option<&AnyVerified> {
        self.admitted.as_ref().map(|admitted| &admitted.verified)
    }

    /// Who the caller is, for middleware of other crates: tracing, rate limits, audit. `None` if the request came in without a credential, or its
    /// credential names no subject.
    pub fn identity(&self) -> Option<Identity<'_>> {
        self.verified()?.identity()
    }

    #[cfg(feature = "axum")]
    pub(crate) fn into_verified(self) -> Option<AnyVerified> {
        self.admitted.map(|admitted| admitted.verified)
    }

    /// Whether this is a CORS preflight that was let through without a credential.
    pub fn is_preflight(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.is_preflight)
    }

    /// How the layer answers refusals, so that guards and extractors answer in the same way.
    pub fn challenge(&self) -> &BearerChallenge {
        challenge_of(self.manners.as_deref())
    }

    /// The text of the token, if the layer [keeps it](crate::AuthLayer::keep_token). Whoever has it can act as the
    /// caller.
    pub fn token(&self) -> Option<&str> {
        self.rare.as_ref()?.token.as_ref().map(PresentedToken::as_str)
    }

    /// Counts a refusal behind the layer, if the layer counts.
    pub(crate) fn count_refusal(&self, error: &AuthError) {
        if let Some(counters) = self.manners.as_ref().and_then(|manners| manners.counters.as_ref()) {
            counters.refused_behind(error);
        }
    }

    /// Who was let in, and by which instant guards decide.
    pub(crate) fn admitted(&self) -> Option<&Admitted> {
        self.admitted.as_ref()
    }

    #[cfg(feature = "axum")]
    pub(crate) fn presented_token(&self) -> Option<&PresentedToken> {
        self.rare.as_ref()?.token.as_ref()
    }
}

/// The challenge of these manners, or the bare one.
pub(crate) fn challenge_of(manners: Option<&Manners>) -> &BearerChallenge {
    static BARE: BearerChallenge = BearerChallenge::bare();
    manners.map_or(&BARE, |manners| &manners.challenge)
}

/// The text of a token, wiped from memory when the last handle goes.
#[derive(Clone)]
pub(crate) struct PresentedToken(Arc<Zeroizing<String>>);

impl PresentedToken {
    /// The text of octets that were found to be a token.
    pub(crate) fn new(octets: &[u8]) -> Self {
        Self(Arc::new(Zeroizing::new(String::from_utf8_lossy(octets).into_owned())))
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
