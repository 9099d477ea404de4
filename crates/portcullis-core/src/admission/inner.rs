//! [`Inner`]: what the clones of an admission share, apart from the cache.

use std::sync::Arc;

use crate::{
    AuthError, Authenticator, Clock, Code, UnixTime, Verified,
    authenticator::{Credential, Scheme},
    explain::Explain,
    revocation::{RevocationView, WhenStale},
};

/// The authenticator, and the settings.
pub(super) struct Inner<C> {
    pub(super) authenticator: Arc<dyn Authenticator<Custom = C>>,
    /// The authenticator again, if it can explain.
    pub(super) explain: Option<Arc<dyn Explain<Custom = C>>>,
    /// Those that the authenticator accepts.
    pub(super) schemes: Arc<[Scheme]>,
    pub(super) clock: Arc<dyn Clock>,
    /// `None` if credentials are valid until they expire.
    pub(super) revocations: Option<RevocationView>,
    pub(super) when_stale: WhenStale,
}

impl<C> Inner<C> {
    #[cold]
    pub(super) fn check_proof_again(&self, credential: Credential<'_>, verified: &Verified<C>) -> Result<(), AuthError>
    where
        C: Send + Sync + 'static,
    {
        self.authenticator.check_proof(credential, verified)
    }

    #[inline]
    pub(super) fn check_revocation_again(&self, verified: &Verified<C>, now: UnixTime) -> Result<(), AuthError> {
        let Some(view) = &self.revocations else { return Ok(()) };
        view.admit_again(verified, now, self.when_stale)
            .map_err(|error| error.with_issuer(verified.shared_conventions()))
    }

    /// Refuses credentials under a scheme that the authenticator does not accept: it need not look at the scheme.
    pub(super) fn check_scheme(&self, credential: Credential<'_>) -> Result<(), AuthError> {
        let scheme = credential.scheme();
        if self.schemes.contains(&scheme) {
            return Ok(());
        }
        Err(AuthError::new(Code::CredentialKindUnknown)
            .with_explanation(format!("credentials under the scheme {scheme} are not accepted here")))
    }

    /// Refuses credentials that are too long for the authenticator, before it is asked.
    pub(super) fn check_length(&self, credential: Credential<'_>) -> Result<(), AuthError>
    where
        C: Send + Sync + 'static,
    {
        let (length, longest) = (credential.token().len(), self.authenticator.max_len());
        if length <= longest {
            return Ok(());
        }
        Err(AuthError::new(Code::TokenTooLong).with_explanation(format!(
            "it has {length} bytes, and up to {longest} are accepted here (`JwtAuthenticator::max_token_bytes` for JSON Web Tokens)"
        )))
    }
}

/// Returns the error for a proof that was asked for after a wait, when the request is gone: the authenticator's mistake, not the client's.
pub(super) fn proof_after_a_wait(error: AuthError) -> AuthError {
    if !error.code().is_about_proof() {
        return error;
    }
    AuthError::new(Code::ServiceMisconfigured).with_source(error).with_explanation(
        "an authenticator waited, and then asked for a proof, when the request was gone: check the proof before waiting, and \
         return `Proven::proof_shown`",
    )
}

impl<C> Clone for Inner<C> {
    fn clone(&self) -> Self {
        Self {
            authenticator: Arc::clone(&self.authenticator),
            explain: self.explain.clone(),
            schemes: Arc::clone(&self.schemes),
            clock: Arc::clone(&self.clock),
            revocations: self.revocations.clone(),
            when_stale: self.when_stale,
        }
    }
}
