//! [`GrantedScopes`]: extracts the caller's scopes.

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use portcullis_core::{authenticator::Attempt, claims::Scopes, verified::AnyVerified};

use super::from_context::{FromContext, extract, verified};
use crate::{AuthContext, rejection::AuthRejection};

/// The scopes that the caller's token grants.
///
/// For handlers whose answer depends on the scopes. To admit only callers that have a scope, use a guard.
#[derive(Clone, Debug)]
pub struct GrantedScopes(AnyVerified);

impl GrantedScopes {
    /// Returns the scopes as they are written in the token.
    pub fn scopes(&self) -> Scopes<'_> {
        self.0.scopes()
    }

    /// Whether one of the scopes covers `scope`, by the issuer's scope rule.
    pub fn allow(&self, scope: &str) -> bool {
        self.0.has_scope(scope)
    }
}

impl FromContext for GrantedScopes {
    fn from_context(context: &AuthContext, _: &Parts) -> Attempt<Self> {
        Attempt::Done(verified(context).cloned().map(Self))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for GrantedScopes {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        extract(parts).await
    }
}
