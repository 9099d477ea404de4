//! [`RawToken`]: extracts the token's text, to pass it on to another service.

use std::fmt;

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use portcullis_core::{AuthError, Code, authenticator::Attempt};

use super::from_context::{FromContext, extract, verified};
use crate::{AuthContext, context::PresentedToken, rejection::AuthRejection};

/// The text of the token that was verified, for a handler that calls another service on the caller's behalf.
///
/// Anyone who has the text can act as the caller: send it only to services that you trust with that, and never log it. `Debug` does not
/// show it.
///
/// It requires [`AuthLayer::keep_token`](crate::AuthLayer::keep_token); otherwise the answer is 500 and the log says why.
#[doc(alias = "TypedHeader")]
#[doc(alias = "bearer")]
#[derive(Clone)]
pub struct RawToken(PresentedToken);

impl RawToken {
    /// Returns the token's text.
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }
}

impl FromContext for RawToken {
    fn from_context(context: &AuthContext, _: &Parts) -> Attempt<Self> {
        Attempt::Done(verified(context).and_then(|_| {
            context.presented_token().cloned().map(Self).ok_or_else(|| {
                AuthError::new(Code::ServiceMisconfigured).with_explanation(
                    "a handler takes RawToken, but the layer does not keep tokens: call AuthLayer::keep_token",
                )
            })
        }))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RawToken {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        extract(parts).await
    }
}

impl fmt::Debug for RawToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawToken(REDACTED)")
    }
}
