//! Finds the caller in a request's extensions.

use http::Extensions;
use portcullis_core::{AuthError, Code, UnixTime, verified::AnyVerified};

use crate::AuthContext;

/// Returns the verified token of a request that passed an `AuthLayer`, and the instant at which the admission admitted it.
///
/// A CORS preflight has no token and is refused here. Clients other than browsers can send one for any method and with any body, and some
/// services check neither. To answer preflights, put a `CorsLayer` outside: it answers them before they reach the guard.
pub(crate) fn caller(extensions: &Extensions) -> Result<(&AnyVerified, UnixTime), AuthError> {
    match extensions.get::<AuthContext>() {
        Some(context) => match context.admitted() {
            Some(admitted) => Ok((&admitted.verified, admitted.now)),
            None => Err(Code::CredentialMissing.into()),
        },
        None => Err(AuthError::new(Code::ServiceMisconfigured).with_explanation(
            "a guard has no AuthLayer in front: put `.layer(auth)` after the guard's own `.layer(..)`",
        )),
    }
}
