//! What all extractors have in common.

use http::request::Parts;
use portcullis_core::{AuthError, Code, authenticator::Attempt, verified::AnyVerified};

use crate::{
    AuthContext,
    rejection::{AuthRejection, BearerChallenge},
    telemetry,
};

/// Something that an extractor takes from the [`AuthContext`]. What implements it can be wrapped in
/// [`FromState`](super::FromState).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be had from an `AuthContext`",
    note = "`FromState` takes `Claims`, `Option<Claims>`, `GrantedScopes`, `RawToken` and `Require`, or your own type that implements `FromContext`"
)]
pub trait FromContext: Send + Sized {
    /// Takes what it needs; an error if it is not there, with the [`Code`] that says why.
    fn from_context(context: &AuthContext, parts: &Parts) -> Attempt<Self>;

    /// The same where nobody else needs the context: what it needs may be taken out. Defaults to
    /// [`from_context`](Self::from_context).
    fn from_own_context(context: AuthContext, parts: &Parts) -> Attempt<Self> {
        Self::from_context(&context, parts)
    }
}

/// The verified token, or the error of a request that came in without a credential.
pub(super) fn verified(context: &AuthContext) -> Result<&AnyVerified, AuthError> {
    context.verified().ok_or_else(|| Code::CredentialMissing.into())
}

/// Extracts behind a layer.
pub(super) async fn extract<E: FromContext>(parts: &Parts) -> Result<E, AuthRejection> {
    let Some(context) = parts.extensions.get::<AuthContext>() else {
        return Err(reject(no_layer(std::any::type_name::<E>()), None));
    };
    match E::from_context(context, parts) {
        Attempt::Done(outcome) => outcome,
        attempt => Box::pin(attempt.outcome()).await, // boxed: rare, and every handler's future has room for it
    }
    .map_err(|error| {
        context.count_refusal(&error);
        reject(error, Some(context.challenge()))
    })
}

/// Turns an error into the answer that the layer in front would give.
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
