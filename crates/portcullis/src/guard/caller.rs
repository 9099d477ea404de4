//! Who is asking.

use http::Extensions;
use portcullis_core::{AuthError, Code, UnixTime, verified::AnyVerified};

use crate::AuthContext;

/// The verified token of a request that came past an `AuthLayer`, and the instant by which the admission has let it in.
///
/// A CORS preflight has no token and is refused here: clients that are not browsers can send one with any method in mind and
/// any body, and some services look at neither. Where preflights have to be answered, a `CorsLayer` outside answers them
/// before they come this far.
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
