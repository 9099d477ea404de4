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

    /// Whether a user of this name would be taken for an organisation that owns tokens.
    fn is_organisation(&self, name: &str) -> bool;

    /// Whether a user may do all this now; `false` if there is no such user any more.
    fn user_may<'a>(&'a self, user: &'a str, scopes: &'a [String]) -> Answer<'a, bool>;
}

#[cfg(feature = "api-tokens")]
mod subjects {
    use std::fmt;

    use portcullis_core::{
        Admission, Authenticator,
        verified::{NoCustom, Verified},
    };

    use super::{Answer, ApiTokenSubjects};
    use crate::{
        api_tokens::{ApiTokenAuthenticator, ApiTokenStore, Grant, MembershipError, Memberships, Owner},
        server::{own_tokens::decided, sessions::AnySessions},
    };

    /// The API tokens of an authenticator.
    pub(in crate::server) struct Subjects<S, M> {
        authenticator: ApiTokenAuthenticator<S, M>,
        admission: Admission,
    }

    impl<S: ApiTokenStore, M: Memberships> Subjects<S, M> {
        pub(in crate::server) fn new(authenticator: ApiTokenAuthenticator<S, M>, sessions: &dyn AnySessions) -> Self {
            // There is no cache: a token is exchanged for ten minutes, so it comes back rarely.
            let admission = Admission::new(authenticator.clone()).without_cache();
            let admission = admission.clock(sessions.issuer().own_clock());
            let admission = match sessions.view() {
                Some(view) => admission.revocations(view.clone()),
                None => admission,
            };
            Self { authenticator, admission }
        }
    }

    impl<S: ApiTokenStore, M: Memberships> ApiTokenSubjects for Subjects<S, M> {
        fn are_of(&self, issuer: &str) -> bool {
            self.authenticator.conventions(issuer).is_some()
        }

        fn recognises(&self, text: &str) -> bool {
            text.starts_with(&self.authenticator.format().beginning())
        }

        fn verify<'a>(&'a self, text: &'a str) -> Answer<'a, Option<Verified<NoCustom>>> {
            Box::pin(async move { decided(self.admission.verify(text).outcome().await) })
        }

        fn is_organisation(&self, name: &str) -> bool {
            name.starts_with(Owner::ORGANISATION)
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

    impl<S: fmt::Debug, M: fmt::Debug> fmt::Debug for Subjects<S, M> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_tuple("Subjects").field(&self.authenticator).finish()
        }
    }
}

#[cfg(feature = "api-tokens")]
pub(super) use subjects::Subjects;
