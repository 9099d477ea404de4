//! [`Require`]: a requirement in a handler's signature.

use std::{fmt, marker::PhantomData, ops::Deref};

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use portcullis_core::{Code, admission::Admitted, authenticator::Attempt, verified::AnyVerified};

use super::from_context::{FromContext, extract};
use crate::{AuthContext, Guard, guard::authorize, rejection::AuthRejection};

/// The verified token of a caller who meets the requirement of the [`Guard`] `G`.
///
/// Other callers get the same answer as from a [`RequireLayer`](crate::RequireLayer) with that requirement. The age of a login is
/// measured with the admission's [clock](crate::Admission::clock).
///
/// It has no custom claims. A handler that needs them takes [`Claims<C>`](crate::Claims) beside it; the token is verified once:
///
/// ```
/// use std::sync::LazyLock;
///
/// use portcullis::extract::Require;
/// use portcullis::requirement::scope;
/// use portcullis::{Claims, Guard, Requirement};
///
/// struct WritesOrders;
///
/// impl Guard for WritesOrders {
///     fn requirement() -> &'static Requirement {
///         static WRITES: LazyLock<Requirement> = LazyLock::new(|| scope("orders:write"));
///         &WRITES
///     }
/// }
///
/// #[derive(serde::Deserialize)]
/// struct Custom {
///     tenant: String,
/// }
///
/// async fn create(_: Require<WritesOrders>, claims: Claims<Custom>) -> String {
///     format!("a new order of {}", claims.custom.tenant)
/// }
/// # let _: axum::Router = axum::Router::new().route("/orders", axum::routing::post(create));
/// ```
pub struct Require<G: Guard> {
    verified: AnyVerified,
    guard: PhantomData<fn() -> G>,
}

impl<G: Guard> Deref for Require<G> {
    type Target = AnyVerified;

    fn deref(&self) -> &AnyVerified {
        &self.verified
    }
}

impl<G: Guard> FromContext for Require<G> {
    fn from_context(context: &AuthContext, parts: &Parts) -> Attempt<Self> {
        match context.admitted() {
            Some(Admitted { verified, now, .. }) => {
                let met = Self { verified: verified.clone(), guard: PhantomData };
                authorize::<G>(verified, &parts.uri, *now).map(|()| met)
            }
            None => Attempt::Done(Err(Code::CredentialMissing.into())),
        }
    }
}

impl<G: Guard, S: Send + Sync> FromRequestParts<S> for Require<G> {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        extract(parts).await
    }
}

impl<G: Guard> fmt::Debug for Require<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Require").field("verified", &self.verified).finish_non_exhaustive()
    }
}
