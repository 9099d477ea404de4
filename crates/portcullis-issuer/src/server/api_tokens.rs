//! API tokens that clients exchange for access tokens.

use std::{fmt, future::Future, pin::Pin};

use portcullis_core::verified::{NoCustom, Verified};

use crate::StoreError;

pub(super) type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The API tokens of this issuer, whatever their store is.
pub(super) trait ApiTokenSubjects: fmt::Debug + Send + Sync {
    /// Whether they are of this issuer.
    fn are_of(&self, issuer: &str) -> bool;

    /// Whether the text begins like an API token. Nothing is checked yet.
    fn recognises(&self, text: &str) -> bool;

    /// Returns what a token may do now; `None` if it is not live.
    fn verify<'a>(&'a self, text: &'a str) -> Answer<'a, Option<Verified<NoCustom>>>;

    /// Revokes all tokens of an application.
    fn end_of_application<'a>(&'a self, client_id: &'a str) -> Answer<'a, ()>;

    /// Whether a user may do all this now; `false` if there is no such user any more.
    fn user_may<'a>(&'a self, user: &'a str, scopes: &'a [String]) -> Answer<'a, bool>;
}

#[cfg(feature = "api-tokens")]
mod subjects {
    use std::fmt;

    use portcullis_core::{
        Admission, Authenticator,
        revocation::Revoker,
        verified::{NoCustom, Verified},
    };

    use super::{Answer, ApiTokenSubjects};
    use crate::{
        StoreError,
        api_tokens::{
            ApiTokenAuthenticator, ApiTokenError, ApiTokenStore, ApiTokens, Grant, MembershipError, Memberships, Owner,
            RevokedReason,
        },
        server::{own_tokens::decided, sessions::AnySessions},
    };

    /// The API tokens of a service.
    pub(in crate::server) struct Subjects<S, M, R> {
        tokens: ApiTokens<S, M, R>,
        authenticator: ApiTokenAuthenticator<S, M>,
        admission: Admission,
    }

    impl<S: ApiTokenStore, M: Memberships, R: Revoker> Subjects<S, M, R> {
        pub(in crate::server) fn new(tokens: ApiTokens<S, M, R>, sessions: &dyn AnySessions) -> Self {
            let authenticator = tokens.authenticator();
            // There is no cache: a token is exchanged for ten minutes, so it comes back rarely.
            let admission = Admission::new(authenticator.clone()).without_cache();
            let admission = admission.clock(sessions.issuer().own_clock());
            let admission = match sessions.view() {
                Some(view) => admission.revocations(view.clone()),
                None => admission,
            };
            Self { tokens, authenticator, admission }
        }
    }

    impl<S: ApiTokenStore, M: Memberships, R: Revoker> ApiTokenSubjects for Subjects<S, M, R> {
        fn are_of(&self, issuer: &str) -> bool {
            self.authenticator.conventions(issuer).is_some()
        }

        fn recognises(&self, text: &str) -> bool {
            text.starts_with(&self.authenticator.format().beginning())
        }

        fn verify<'a>(&'a self, text: &'a str) -> Answer<'a, Option<Verified<NoCustom>>> {
            Box::pin(async move { decided(self.admission.verify(text).outcome().await) })
        }

        fn end_of_application<'a>(&'a self, client_id: &'a str) -> Answer<'a, ()> {
            Box::pin(async move {
                let owner = Owner::application(client_id);
                match self.tokens.revoke_all_of(&owner, RevokedReason::OwnerGone).await {
                    Ok(_) => Ok(()),
                    Err(ApiTokenError::Unavailable(error)) => Err(error),
                    Err(error) => {
                        Err(StoreError::new("not every API token of the client could be revoked").with_source(error))
                    }
                }
            })
        }

        fn user_may<'a>(&'a self, user: &'a str, scopes: &'a [String]) -> Answer<'a, bool> {
            Box::pin(async move {
                match self.authenticator.rights_of(&Owner::user(user)).await {
                    Ok(rights) => Ok(scopes.iter().all(|scope| rights.cover(&Grant::scope(scope)))),
                    Err(MembershipError::OwnerGone) => Ok(false),
                    Err(MembershipError::Unavailable(error)) => Err(error),
                }
            })
        }
    }

    impl<S: fmt::Debug, M: fmt::Debug, R> fmt::Debug for Subjects<S, M, R> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_tuple("Subjects").field(&self.authenticator).finish()
        }
    }
}

#[cfg(feature = "api-tokens")]
pub(super) use subjects::Subjects;
