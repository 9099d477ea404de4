//! Access tokens of this server that come back to it.

use std::sync::Arc;

use portcullis_core::{
    Admission, AuthError, Clock, ConfigError, JwtAuthenticator, TrustedIssuer,
    error::AuthErrorKind,
    keys::KeySource,
    verified::{Facts, NoCustom, Verified},
};

use super::sessions::AnySessions;
use crate::StoreError;

/// Verifies access tokens of this server, whatever service they are for, as that service does.
#[derive(Clone, Debug)]
pub(super) struct OwnTokens {
    admission: Admission,
    clock: Arc<dyn Clock>,
    has_view: bool,
}

impl OwnTokens {
    pub(super) fn new(sessions: &dyn AnySessions, keys: impl KeySource) -> Result<Self, ConfigError> {
        let issuer = sessions.issuer();
        let mut audiences = issuer.spec().audiences();
        let first = audiences.next().unwrap_or_default();
        let trusted = issuer.spec().trusted_at(first, keys)?;
        let trusted = audiences.fold(trusted, TrustedIssuer::audience);
        let clock = issuer.own_clock();
        // There is no cache: tokens come back rarely.
        let admission = Admission::new(JwtAuthenticator::new(trusted)?).without_cache().clock(Arc::clone(&clock));
        let (admission, has_view) = match sessions.view() {
            Some(view) => (admission.revocations(view.clone()), true),
            None => (admission, false),
        };
        Ok(Self { admission, clock, has_view })
    }

    /// Returns whether a token that was revoked is noticed.
    pub(super) const fn sees_revocations(&self) -> bool {
        self.has_view
    }

    /// Returns what a token says; `None` if it is not a live access token of this server. As services do, it takes one for a moment after its
    /// expiry.
    ///
    /// # Errors
    ///
    /// If it could not be decided.
    pub(super) async fn verify(&self, token: &str) -> Result<Option<Verified<NoCustom>>, StoreError> {
        decided(self.admission.verify(token).outcome().await)
    }

    /// Returns what a token says; `None` also if it has expired, however lately.
    pub(super) async fn verify_live(&self, token: &str) -> Result<Option<Verified<NoCustom>>, StoreError> {
        let verified = self.verify(token).await?;
        let now = self.clock.now();
        Ok(verified.filter(|verified| verified.expires_at().is_some_and(|expires_at| expires_at > now)))
    }
}

/// Returns `None` for a token that is refused.
///
/// # Errors
///
/// If it could not be decided.
pub(super) fn decided(
    outcome: Result<Verified<NoCustom>, AuthError>,
) -> Result<Option<Verified<NoCustom>>, StoreError> {
    match outcome {
        Ok(verified) => Ok(Some(verified)),
        Err(error) if matches!(error.kind(), AuthErrorKind::InvalidToken | AuthErrorKind::InvalidRequest) => Ok(None),
        Err(error) => {
            Err(StoreError::new("whether the token is valid cannot be decided at the moment").with_source(error))
        }
    }
}

/// Whether the token is for this service.
pub(super) fn is_for(facts: &Facts, service: &str) -> bool {
    let Some(audience) = facts.claim("/aud") else { return false };
    let mut several = audience.elements().into_iter().flatten();
    audience.as_str() == Some(service) || several.any(|each| each.as_str() == Some(service))
}
