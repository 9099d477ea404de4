//! `oidc()`: trust an OpenID Connect issuer in one call.

use portcullis_core::{ConfigError, TrustedIssuer};

use crate::RemoteKeys;

/// Trusts an `OpenID` provider or OAuth authorization server by its name: tokens whose `iss` is exactly `issuer`, and
/// which one of its published keys signed. Whom they have to be for is said by [`TrustedIssuer::audience`].
///
/// The keys are [discovered](RemoteKeys::discover) and kept fresh from now on, with the defaults; to change those, or to ask
/// how the keys are doing, make [`RemoteKeys`] yourself. To be called within a tokio runtime.
///
/// ```no_run
/// use portcullis_core::{Admission, JwtAuthenticator};
/// use portcullis_jwks::oidc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis_core::ConfigError> {
/// let issuer = oidc("https://login.example.com")?.audience("https://orders.example.com");
/// let admission = Admission::new(JwtAuthenticator::new(issuer)?);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// If `issuer` is no `https` URL (or an `http` one of this machine), or there is no runtime. That it cannot be reached is no
/// error: tokens are then answered with 503 until it can.
pub fn oidc(issuer: impl Into<String>) -> Result<TrustedIssuer, ConfigError> {
    let issuer = issuer.into();
    let keys = RemoteKeys::discover(issuer.clone()).start()?;
    Ok(TrustedIssuer::new(issuer, keys))
}
