//! Who stands before a guard.

use http::Extensions;
use portcullis_core::{AnyVerified, AuthError, Code};

use crate::AuthContext;

/// Who stands before a guard.
pub(crate) enum Caller<'r> {
    /// Somebody with an identity.
    Verified(&'r AnyVerified),
    /// A browser that asks what it may send. It never gets to see an answer's body.
    Preflight,
}

/// The caller of a request that came past an `AuthLayer`.
pub(crate) fn caller(extensions: &Extensions) -> Result<Caller<'_>, AuthError> {
    match extensions.get::<AuthContext>() {
        Some(context) if context.is_preflight() => Ok(Caller::Preflight),
        Some(context) => context.verified().map(Caller::Verified).ok_or_else(|| Code::CredentialMissing.into()),
        None => Err(AuthError::new(Code::ServiceMisconfigured)
            .explain("a guard has no AuthLayer in front: put `.layer(auth)` after the guard's own `.layer(..)`")),
    }
}
