//! Google.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// Google's ID tokens, for everyone with a Google account.
///
/// - Google's access tokens are not JWTs, and only Google can read them. A service can only verify an ID token, which the front end
///   passes on.
/// - `iss` is `https://accounts.google.com`. Google documents `accounts.google.com` as another, old value; such tokens are refused.
/// - The audience is the client id, `….apps.googleusercontent.com`. Anyone's service account can get a token for any audience: a token
///   says who is calling, but not that your front end logged them in.
/// - An application, that is a service account, is distinguished from a user by `azp` if that is its own number, like `sub`: this is so
///   in tokens of the metadata server (Compute Engine, Cloud Run and others). In tokens that were made with the account's key, `azp` is
///   its address, and **it looks like a user**: name such accounts with [`application_if("/azp",
///   "ACCOUNT@PROJECT.iam.gserviceaccount.com")`](portcullis_core::TrustedIssuer::application_if). In a user's token, `azp` is the id of
///   the client that the user logged in to.
/// - There are no scopes and no roles. Decide yourself what a caller may do, by [`identity`](portcullis_core::verified::Facts::identity)
///   (`sub` is never reused, `email` may be) or by the domain: see [`google_workspace`].
///
/// Published at [Verify the Google ID token](https://developers.google.com/identity/gsi/web/guides/verify-google-id-token).
pub fn google() -> Provider {
    Provider::new(NAME, ISSUER.to_owned(), [Quirk::ClientAt("/azp")])
}

/// Google's ID tokens of one organization in Google Workspace or Cloud, by its primary domain.
///
/// The claim `hd` has to be `domain`. The domain of an e-mail address proves nothing, because anyone may have a Google account with an
/// address of another provider. Everything else is the same as for [`google`].
///
/// # Errors
///
/// If `domain` is not a domain.
pub fn google_workspace(domain: &str) -> Result<Provider, ConfigError> {
    let what = "the organization's primary domain";
    let domain = Input { provider: NAME, what, example: "example.com", text: domain }.domain()?;
    Ok(Provider::new(NAME, ISSUER.to_owned(), [Quirk::ClientAt("/azp"), Quirk::HasValue("/hd", domain)]))
}

const NAME: &str = "Google";

const ISSUER: &str = "https://accounts.google.com";
