//! `oidc()`: trust an OpenID Connect issuer in one call.

use portcullis_core::{ConfigError, TrustedIssuer};

use crate::RemoteKeys;

/// Trusts an `OpenID` provider or OAuth authorization server by its issuer URL: tokens whose `iss` is exactly `issuer`, and that one of
/// its published keys signed. Set the expected audience with [`TrustedIssuer::audience`].
///
/// The keys are [discovered](RemoteKeys::discover) and kept fresh from now on, with the default settings. To change those, or to read the
/// keys' health, create [`RemoteKeys`] yourself. Must be called inside a tokio runtime.
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
/// If `issuer` is not an `https` URL (or an `http` URL of this machine), or if there is no runtime. An unreachable issuer is not an
/// error: tokens are answered with 503 until it can be reached.
pub fn oidc(issuer: impl Into<String>) -> Result<TrustedIssuer, ConfigError> {
    let issuer = issuer.into();
    let keys = RemoteKeys::discover(issuer.clone()).start()?;
    Ok(TrustedIssuer::new(issuer, keys))
}
