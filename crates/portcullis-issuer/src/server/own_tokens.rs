//! Access tokens of this server that come back to it.

use portcullis_core::{
    Admission, ConfigError, JwtAuthenticator, TrustedIssuer,
    error::AuthErrorKind,
    keys::KeySource,
    verified::{NoCustom, Verified},
};

use super::sessions::AnySessions;
use crate::StoreError;

/// Verifies access tokens of this server, whatever service they are for, as that service does.
#[derive(Clone, Debug)]
pub(super) struct OwnTokens(Admission);

impl OwnTokens {
    pub(super) fn new(sessions: &dyn AnySessions, keys: impl KeySource) -> Result<Self, ConfigError> {
        let issuer = sessions.issuer();
        let mut audiences = issuer.spec().audiences();
        let first = audiences.next().unwrap_or_default();
        let trusted = issuer.spec().trusted_at(first, keys)?;
        let trusted = audiences.fold(trusted, TrustedIssuer::audience);
        // There is no cache: tokens come back rarely.
        let admission = Admission::new(JwtAuthenticator::new(trusted)?).without_cache().clock(issuer.own_clock());
        Ok(Self(match sessions.view() {
            Some(view) => admission.revocations(view.clone()),
            None => admission,
        }))
    }

    /// Returns what a token says; `None` if it is not a live access token of this server.
    ///
    /// # Errors
    ///
    /// If it could not be decided.
    pub(super) async fn verify(&self, token: &str) -> Result<Option<Verified<NoCustom>>, StoreError> {
        match self.0.verify(token).outcome().await {
            Ok(verified) => Ok(Some(verified)),
            Err(error) if matches!(error.kind(), AuthErrorKind::InvalidToken | AuthErrorKind::InvalidRequest) => {
                Ok(None)
            }
            Err(error) => {
                Err(StoreError::new("whether the token is good cannot be decided at the moment").with_source(error))
            }
        }
    }
}
