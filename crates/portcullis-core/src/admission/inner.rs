//! [`Inner`]: what the clones of an admission share, apart from the cache.

use std::sync::Arc;

use crate::{
    AuthError, Authenticator, Clock, Code, Verified,
    authenticator::Credential,
    explain::Explain,
    revocation::{RevocationView, WhenStale},
};

/// The authenticator, and the settings.
pub(super) struct Inner<C> {
    pub(super) authenticator: Arc<dyn Authenticator<Custom = C>>,
    /// The authenticator again, if it can explain.
    pub(super) explain: Option<Arc<dyn Explain<Custom = C>>>,
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

    /// Refuses credentials that are too long for the authenticator, before it is asked.
    pub(super) fn check_length(&self, credential: Credential<'_>) -> Result<(), AuthError>
    where
        C: Send + Sync + 'static,
    {
        let longest = self.authenticator.max_len();
        if credential.token().len() <= longest {
            return Ok(());
        }
        Err(AuthError::new(Code::TokenTooLong)
            .with_explanation(format!("credentials of up to {longest} bytes are accepted here")))
    }
}

impl<C> Clone for Inner<C> {
    fn clone(&self) -> Self {
        Self {
            authenticator: Arc::clone(&self.authenticator),
            explain: self.explain.clone(),
            clock: Arc::clone(&self.clock),
            revocations: self.revocations.clone(),
            when_stale: self.when_stale,
        }
    }
}
