//! [`AuthContext`]: what an [`AuthLayer`](crate::AuthLayer) adds to a request, for guards and extractors behind it.

use std::{fmt, sync::Arc};

use portcullis_core::{
    AuthError,
    admission::Admitted,
    authenticator::Scheme,
    verified::{AnyVerified, Identity},
};
use zeroize::Zeroizing;

use crate::{metrics::LayerCounters, rejection::BearerChallenge};

/// How a request passed an [`AuthLayer`](crate::AuthLayer), stored in the request's extensions.
///
/// Only the layer creates one. Guards and extractors read it; handlers rarely need it.
#[derive(Clone, Debug)]
pub struct AuthContext {
    admitted: Option<Admitted>,
    /// The layer's settings that guards and extractors need; `None` for the defaults. In one `Arc`: every request clones this reference,
    /// and the defaults avoid the clone.
    manners: Option<Arc<Manners>>,
    /// Boxed, so that the part that every request moves is five words without gaps.
    rare: Option<Box<Rare>>,
}

/// How a layer answers refusals and counts them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manners {
    pub(crate) challenge: BearerChallenge,
    /// Where to count refusals behind the layer.
    pub(crate) counters: Option<Arc<LayerCounters>>,
}

/// Data that few requests have.
#[derive(Clone, Debug)]
pub(crate) struct Rare {
    is_preflight: bool,
    /// The token's text, if the layer keeps it.
    token: Option<PresentedToken>,
    scheme: Scheme,
}

impl Rare {
    /// Returns the data of a request with a credential.
    pub(crate) fn of_credential(scheme: Scheme, token: Option<PresentedToken>) -> Self {
        Self { is_preflight: false, token, scheme }
    }
}

impl AuthContext {
    /// Returns the context of a verified credential.
    #[inline]
    pub(crate) fn admitted_as(admitted: Admitted, rare: Option<Box<Rare>>, manners: Option<Arc<Manners>>) -> Self {
        Self { admitted: Some(admitted), manners, rare }
    }

    /// Returns the context of a request without a credential that an optional layer lets pass.
    pub(crate) fn anonymous(manners: Option<Arc<Manners>>) -> Self {
        Self { admitted: None, manners, rare: None }
    }

    /// Returns the context of a CORS preflight, which never has a credential (Fetch standard, section 4.8).
    pub(crate) fn preflight(manners: Option<Arc<Manners>>) -> Self {
        let rare = Rare { is_preflight: true, token: None, scheme: Scheme::Bearer };
        Self { admitted: None, manners, rare: Some(Box::new(rare)) }
    }

    /// Returns the verified token; `None` if the request came in without a credential.
    pub fn verified(&self) -> Option<&AnyVerified> {
        self.admitted.as_ref().map(|admitted| &admitted.verified)
    }

    /// Returns the caller's identity, for middleware of other crates: tracing, rate limits, audit. `None` if the request came in without
    /// a credential, or if the credential names no subject.
    pub fn identity(&self) -> Option<Identity<'_>> {
        self.verified()?.identity()
    }

    #[cfg(feature = "axum")]
    #[inline]
    pub(crate) fn into_verified(self) -> Option<AnyVerified> {
        self.admitted.map(|admitted| admitted.verified)
    }

    /// Whether this is a CORS preflight that was let through without a credential.
    pub fn is_preflight(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.is_preflight)
    }

    /// Returns how the layer answers refusals, so that guards and extractors can answer in the same way.
    pub fn challenge(&self) -> &BearerChallenge {
        challenge_of(self.manners.as_deref())
    }

    /// Returns the scheme under which the credential was presented: [`Scheme::Bearer`] also for locations without a scheme, and for requests
    /// without a credential.
    pub fn scheme(&self) -> Scheme {
        scheme_of(self.rare.as_deref())
    }

    /// Returns the token's text, if the layer [keeps it](crate::AuthLayer::keep_token). Anyone who has the text can act as the caller.
    pub fn token(&self) -> Option<&str> {
        self.rare.as_ref()?.token.as_ref().map(PresentedToken::as_str)
    }

    /// Counts a refusal behind the layer, if the layer counts, and adds the credential's scheme to the error.
    pub(crate) fn refused_behind(&self, error: AuthError) -> AuthError {
        if let Some(counters) = self.manners.as_ref().and_then(|manners| manners.counters.as_ref()) {
            counters.refused_behind(&error);
        }
        under(self.scheme(), error)
    }

    /// The admitted caller, and the instant that guards use for their decisions.
    pub(crate) fn admitted(&self) -> Option<&Admitted> {
        self.admitted.as_ref()
    }

    #[cfg(feature = "axum")]
    pub(crate) fn presented_token(&self) -> Option<&PresentedToken> {
        self.rare.as_ref()?.token.as_ref()
    }
}

/// Returns the scheme of the credential with this data.
pub(crate) fn scheme_of(rare: Option<&Rare>) -> Scheme {
    rare.map_or(Scheme::Bearer, |rare| rare.scheme)
}

/// Adds the scheme of the credential that was refused, unless the authenticator has named one. Nothing stands for `Bearer`, so that its many
/// refusals do not allocate.
pub(crate) fn under(scheme: Scheme, error: AuthError) -> AuthError {
    if scheme == Scheme::Bearer || error.scheme().is_some() { error } else { error.with_scheme(scheme) }
}

/// Returns the challenge of these settings, or the default one.
pub(crate) fn challenge_of(manners: Option<&Manners>) -> &BearerChallenge {
    static BARE: BearerChallenge = BearerChallenge::bare();
    manners.map_or(&BARE, |manners| &manners.challenge)
}

/// A token's text, wiped from memory when the last handle is dropped.
#[derive(Clone)]
pub(crate) struct PresentedToken(Arc<Zeroizing<String>>);

impl PresentedToken {
    /// Makes text of bytes that were verified as a token.
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
