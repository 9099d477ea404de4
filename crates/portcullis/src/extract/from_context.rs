//! What all extractors have in common.

use http::request::Parts;
use portcullis_core::{AnyVerified, Attempt, AuthError, Code};

use crate::{AuthContext, AuthRejection, telemetry};

/// Something that can be had from how a request came in. What implements it works behind a layer and in
/// [`FromState`](super::FromState).
pub trait FromContext: Send + Sized {
    /// Takes what it needs; an error if it is not there, with the [`Code`] that says why.
    fn from_context(context: &AuthContext, parts: &Parts) -> Attempt<Self>;
}

/// The identity, or the error of a request that came in without one.
pub(super) fn identity(context: &AuthContext) -> Result<&AnyVerified, AuthError> {
    context.verified().ok_or_else(|| Code::CredentialMissing.into())
}

/// Extracts behind a layer.
pub(super) async fn extract<E: FromContext>(parts: &Parts) -> Result<E, AuthRejection> {
    let Some(context) = parts.extensions.get::<AuthContext>() else {
        return Err(reject(no_layer(std::any::type_name::<E>()), None));
    };
    match E::from_context(context, parts) {
        Attempt::Done(outcome) => outcome,
        attempt => attempt.outcome().await,
    }
    .map_err(|error| reject(error, Some(context)))
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
