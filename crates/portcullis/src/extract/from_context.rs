//! What all extractors have in common.

use http::request::Parts;
use portcullis_core::{AnyVerified, AuthError, Code};

use crate::{AuthContext, AuthRejection, telemetry};

/// Something that can be had from how a request came in.
pub trait FromContext: Sized {
    /// Takes what it needs.
    ///
    /// # Errors
    ///
    /// If it is not there, with the [`Code`] that says why.
    fn from_context(context: &AuthContext) -> Result<Self, AuthError>;
}

/// The identity, or the error of a request that came in without one.
pub(super) fn identity(context: &AuthContext) -> Result<&AnyVerified, AuthError> {
    context.verified().ok_or_else(|| Code::CredentialMissing.into())
}

/// Extracts behind a layer.
pub(super) fn extract<E: FromContext>(parts: &Parts) -> Result<E, AuthRejection> {
    let Some(context) = parts.extensions.get::<AuthContext>() else {
        return Err(reject(no_layer(std::any::type_name::<E>()), None));
    };
    E::from_context(context).map_err(|error| reject(error, Some(context)))
}

/// Turns an error into the answer that the layer in front would give.
pub(super) fn reject(error: AuthError, context: Option<&AuthContext>) -> AuthRejection {
    telemetry::request_refused(&error);
    match context {
        Some(context) => AuthRejection::new(error, context.challenge().clone()),
        None => AuthRejection::from(error),
    }
}

fn no_layer(extractor: &str) -> AuthError {
    AuthError::new(Code::ServiceMisconfigured).explain(format!(
        "a handler takes `{extractor}`, but no AuthLayer stands before its route: add one to the router by `.layer(..)` \
         after the route, or take `FromState<..>` instead"
    ))
}
