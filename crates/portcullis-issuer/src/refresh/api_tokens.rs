//! Logging out everywhere, API tokens included.

use portcullis_core::revocation::Revoker;

use super::{RefreshError, RefreshStore, Sessions, StoreError, Subjects, Unavailable};
use crate::api_tokens::{ApiTokenError, ApiTokenStore, ApiTokens, Memberships, Owner, RevokedReason};

impl<S: RefreshStore, R: Revoker, J: Subjects> Sessions<S, R, J> {
    /// Does the same as [`log_out_everywhere`](Self::log_out_everywhere), and revokes all API tokens of the user, which that spares: for an account that was
    /// taken over. Tokens of organisations and applications go on, also those that the user has made.
    ///
    /// # Errors
    ///
    /// As for [`log_out_everywhere`](Self::log_out_everywhere). Both parts are attempted: try again.
    #[cfg_attr(docsrs, doc(cfg(feature = "api-tokens")))]
    pub async fn log_out_everywhere_including_api_tokens<T: ApiTokenStore, M: Memberships, Q: Revoker>(
        &self,
        subject: &str,
        tokens: &ApiTokens<T, M, Q>,
    ) -> Result<(), RefreshError> {
        let sessions = self.log_out_everywhere(subject).await;
        if let Err(RefreshError::LogIn(_)) = &sessions {
            // A name that no log-in can have.
            return sessions;
        }
        let revoked = tokens.revoke_all_of(&Owner::user(subject), RevokedReason::LoggedOutEverywhere).await;
        sessions?;
        match revoked {
            Ok(_) => Ok(()),
            Err(ApiTokenError::Unavailable(error)) => Err(error.into()),
            Err(ApiTokenError::NotEverywhere(error)) => Err(RefreshError::Unavailable(Unavailable::Log(error))),
            Err(ApiTokenError::TooManyAtOnce) => Err(RefreshError::Unavailable(Unavailable::TooManyAtOnce)),
            Err(error) => Err(StoreError::new("an API token of the user was not revoked").with_source(error).into()),
        }
    }
}
