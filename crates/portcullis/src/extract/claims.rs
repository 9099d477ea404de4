//! [`Claims`]: extracts the verified token.

use std::ops::Deref;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use portcullis_core::{
    AuthError, Code, Verified,
    authenticator::Attempt,
    verified::{AnyVerified, NoCustom},
};

use super::from_context::{FromContext, extract, verified};
use crate::{AuthContext, rejection::AuthRejection};

/// The caller's verified token with custom claims of type `C`. It dereferences to [`Verified<C>`](crate::Verified).
///
/// Registered claims have methods of their own, such as `claims.subject()`. The application's own claims are behind
/// [`custom`](crate::verified::Contents::custom):
///
/// ```
/// use axum::{Router, routing::get};
/// use portcullis::{AuthLayer, Claims, ConfigError, JwtAuthenticator, TrustedIssuer};
///
/// #[derive(serde::Deserialize)]
/// struct Custom {
///     tenant: String,
/// }
///
/// async fn orders(claims: Claims<Custom>) -> String {
///     format!("the orders of {}", claims.custom.tenant)
/// }
///
/// fn app(issuer: TrustedIssuer) -> Result<Router, ConfigError> {
///     let auth = AuthLayer::new(JwtAuthenticator::new(issuer)?.claims::<Custom>());
///     Ok(Router::new().route("/orders", get(orders)).layer(auth))
/// }
/// # let _ = app;
/// ```
///
/// `C` must be the type that was given to the authenticator with [`JwtAuthenticator::claims`](crate::JwtAuthenticator::claims); the
/// authenticator parses the claims once. For any other type, the answer is 500 and the log names both types.
///
/// `Option<Claims<C>>` is `None` for a request that came in without a credential through an [optional](crate::AuthLayer::optional) layer.
/// An invalid credential never gets this far, and a CORS preflight that the layer [let through](crate::AuthLayer::danger_pass_preflights)
/// is refused.
#[doc(alias = "JwtClaims")]
#[doc(alias = "TokenData")]
#[doc(alias = "Extension")]
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "to be taken apart in a handler's signature")]
pub struct Claims<C = NoCustom>(pub Verified<C>);

impl<C> Deref for Claims<C> {
    type Target = Verified<C>;

    fn deref(&self) -> &Verified<C> {
        &self.0
    }
}

impl<C: Send + Sync + 'static> From<Claims<C>> for AnyVerified {
    fn from(claims: Claims<C>) -> Self {
        claims.0.into()
    }
}

impl<C: Send + Sync + 'static> FromContext for Claims<C> {
    fn from_context(context: &AuthContext, _: &Parts) -> Attempt<Self> {
        Attempt::Done(verified(context).cloned().and_then(typed))
    }

    fn from_own_context(context: AuthContext, _: &Parts) -> Attempt<Self> {
        Attempt::Done(context.into_verified().ok_or_else(|| Code::CredentialMissing.into()).and_then(typed))
    }
}

impl<C: Send + Sync + 'static> FromContext for Option<Claims<C>> {
    fn from_context(context: &AuthContext, _: &Parts) -> Attempt<Self> {
        if context.is_preflight() {
            return Attempt::Done(Err(AuthError::new(Code::CredentialMissing).with_explanation(
                "a CORS preflight is neither an identity nor an anonymous caller: put a CorsLayer outside of the AuthLayer",
            )));
        }
        Attempt::Done(context.verified().cloned().map(typed).transpose())
    }
}

impl<C: Send + Sync + 'static, S: Send + Sync> FromRequestParts<S> for Claims<C> {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        extract(parts).await
    }
}

impl<C: Send + Sync + 'static, S: Send + Sync> OptionalFromRequestParts<S> for Claims<C> {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, AuthRejection> {
        extract(parts).await
    }
}

#[inline]
fn typed<C: Send + Sync + 'static>(verified: AnyVerified) -> Result<Claims<C>, AuthError> {
    let carried = verified.custom_type();
    verified.into_typed().map(Claims).ok_or_else(|| {
        let wanted = std::any::type_name::<C>();
        AuthError::new(Code::ServiceMisconfigured).with_explanation(format!(
            "a handler takes `Claims<{wanted}>`, but the authenticator was made for claims of type `{carried}`: name \
             the same type in `JwtAuthenticator::claims`"
        ))
    })
}
