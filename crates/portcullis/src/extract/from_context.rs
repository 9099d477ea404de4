//! [`FromContext`]: what all extractors have in common.

use http::request::Parts;
use portcullis_core::{AuthError, Code, authenticator::Attempt, verified::AnyVerified};

use crate::{
    AuthContext,
    rejection::{AuthRejection, BearerChallenge},
    telemetry,
};

/// A value that an extractor takes from the [`AuthContext`]. Types that implement it can be wrapped in [`FromState`](super::FromState).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be extracted from an `AuthContext`",
    note = "`FromState` takes `Claims`, `Option<Claims>`, `GrantedScopes`, `RawToken` and `Require`, or your own type that implements `FromContext`"
)]
pub trait FromContext: Send + Sized {
    /// Extracts the value, or fails with the [`Code`] that says why it is not there.
    fn from_context(context: &AuthContext, parts: &Parts) -> Attempt<Self>;

    /// Extracts the value from a context that nothing else needs, so the value may be moved out of it. Defaults to
    /// [`from_context`](Self::from_context).
    fn from_own_context(context: AuthContext, parts: &Parts) -> Attempt<Self> {
        Self::from_context(&context, parts)
    }
}

/// Returns the verified token, or the error for a request without a credential.
pub(super) fn verified(context: &AuthContext) -> Result<&AnyVerified, AuthError> {
    context.verified().ok_or_else(|| Code::CredentialMissing.into())
}

/// Extracts behind an `AuthLayer`.
pub(super) async fn extract<E: FromContext>(parts: &Parts) -> Result<E, AuthRejection> {
    let Some(context) = parts.extensions.get::<AuthContext>() else {
        return Err(reject(no_layer(std::any::type_name::<E>()), None));
    };
    match E::from_context(context, parts) {
        Attempt::Done(outcome) => outcome,
        attempt => Box::pin(attempt.outcome()).await, // boxed: rare, and every handler's future has room for it
    }
    .map_err(|error| reject(context.refused_behind(error), Some(context.challenge())))
}

/// Turns an error into the same answer that the layer in front would give.
pub(super) fn reject(error: AuthError, challenge: Option<&BearerChallenge>) -> AuthRejection {
    telemetry::request_refused(&error, None);
    match challenge {
        Some(challenge) => AuthRejection::new(error, challenge.clone()),
        None => AuthRejection::from(error),
    }
}

fn no_layer(extractor: &str) -> AuthError {
    AuthError::new(Code::ServiceMisconfigured).with_explanation(format!(
        "a handler takes `{extractor}`, but no AuthLayer stands before its route: add one to the router by `.layer(..)` \
         after the route, or take `FromState<..>` instead"
    ))
}
