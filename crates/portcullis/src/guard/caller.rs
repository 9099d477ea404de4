//! Who is asking.

use http::Extensions;
use portcullis_core::{AnyVerified, AuthError, Code, UnixTime};

use crate::AuthContext;

/// Who is asking.
pub(crate) enum Caller<'r> {
    /// Somebody with a verified token, at this time by the layer's clock.
    Verified(&'r AnyVerified, UnixTime),
    /// A browser that asks what it may send. It never gets to see an answer's body.
    Preflight,
}

/// The caller of a request that came past an `AuthLayer`.
pub(crate) fn caller(extensions: &Extensions) -> Result<Caller<'_>, AuthError> {
    match extensions.get::<AuthContext>() {
        Some(context) if context.is_preflight() => Ok(Caller::Preflight),
        Some(context) => match context.verified() {
            Some(verified) => Ok(Caller::Verified(verified, context.now())),
            None => Err(Code::CredentialMissing.into()),
        },
        None => Err(AuthError::new(Code::ServiceMisconfigured).with_explanation(
            "a guard has no AuthLayer in front: put `.layer(auth)` after the guard's own `.layer(..)`",
        )),
    }
}
