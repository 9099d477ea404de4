//! [`Guard`]: a requirement as a type.

use http::Uri;
use portcullis_core::{AuthError, Code};
#[cfg(feature = "axum")]
use portcullis_core::{UnixTime, authenticator::Attempt, verified::AnyVerified};

use super::PathTemplate;
#[cfg(feature = "axum")]
use crate::requirement::Circumstances;
use crate::{Requirement, requirement::PathParams};

/// A requirement as a type, so that a handler's signature can show it with axum's extractor `Require<G>`.
///
/// ```
/// use std::sync::LazyLock;
///
/// use portcullis::{Guard, Requirement};
/// use portcullis::extract::Require;
/// use portcullis::requirement::scope;
///
/// struct MayReadOrders;
///
/// impl Guard for MayReadOrders {
///     fn requirement() -> &'static Requirement {
///         static REQUIREMENT: LazyLock<Requirement> = LazyLock::new(|| scope("orders:read"));
///         &REQUIREMENT
///     }
/// }
///
/// async fn orders(caller: Require<MayReadOrders>) -> String {
///     format!("orders of {}", caller.subject().unwrap_or("unknown"))
/// }
/// # let _ = orders;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a guard",
    note = "implement `Guard` for it: `fn requirement() -> &'static Requirement`"
)]
pub trait Guard: 'static {
    /// Returns the requirement. Called for every request, so keep it in a `LazyLock`.
    fn requirement() -> &'static Requirement;

    /// Returns the template for taking path parameters from the request, as for [`RequireLayer::path`](crate::RequireLayer::path). It is
    /// used only if the requirement compares with a path parameter.
    ///
    /// Defaults to none. A malformed template is a developer's mistake and answered with 500.
    fn path() -> Option<&'static str> {
        None
    }
}

/// Returns the path parameters that a guard compares with.
///
/// # Errors
///
/// Returns an error if the guard's template is malformed, or does not match the request's path.
pub(crate) fn params<G: Guard>(uri: &Uri) -> Result<PathParams, AuthError> {
    match G::path() {
        Some(template) if G::requirement().sees_path() => PathTemplate::new(template)
            .map_err(|problem| AuthError::new(Code::ServiceMisconfigured).with_explanation(problem.to_string()))?
            .params(uri),
        _ => Ok(PathParams::new()),
    }
}

/// Decides whether the caller meets the guard's requirement.
#[cfg(feature = "axum")]
pub(crate) fn authorize<G: Guard>(verified: &AnyVerified, uri: &Uri, now: UnixTime) -> Attempt<()> {
    match params::<G>(uri) {
        Ok(params) => G::requirement().evaluate(Circumstances::new(verified, &params, now)),
        Err(error) => Attempt::Done(Err(error)),
    }
}
