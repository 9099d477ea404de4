//! Google.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// Google's ID tokens: whoever has a Google account.
///
/// - Google's access tokens are no JWTs, and say nothing to anybody but Google. What a service can verify is an ID token, which the
///   front end passes on.
/// - `iss` is `https://accounts.google.com`. Google names `accounts.google.com` as another possibility, of old; such tokens are refused.
/// - The audience is the client id, `….apps.googleusercontent.com`. A service account, anybody's, can get a token for whatever
///   audience it names: a token tells who is calling, not that your front end logged them in.
/// - An application, that is a service account, is told from a user by `azp` where that is its own number, as `sub` is: in tokens
///   of the metadata server (Compute Engine, Cloud Run and others). In tokens that were made with the account's key `azp` is its
///   address, and **it is taken for a user**: name such accounts with
///   [`application_if("/azp", "ACCOUNT@PROJECT.iam.gserviceaccount.com")`](portcullis_core::TrustedIssuer::application_if). Of a user's
///   token `azp` is the id of the client that the user logged in to.
/// - There are no scopes and no roles. Who may do what is for you to say, by [`identity`](portcullis_core::verified::Facts::identity) (`sub` is
///   never used again, `email` may be) or by the domain: see [`google_workspace`].
///
/// Published at [Verify the Google ID token](https://developers.google.com/identity/gsi/web/guides/verify-google-id-token).
pub fn google() -> Provider {
    Provider::new(NAME, ISSUER.to_owned(), [Quirk::ClientAt("/azp")])
}

/// Google's ID tokens of one organization in Google Workspace or Cloud, by its primary domain.
///
/// The claim `hd` has to be `domain`: the ending of an e-mail address proves nothing, as anybody may have an account with an address
/// of another provider. Everything else is as with [`google`].
///
/// # Errors
///
/// If `domain` is no domain.
pub fn google_workspace(domain: &str) -> Result<Provider, ConfigError> {
    let what = "the organization's primary domain";
    let domain = Input { provider: NAME, what, example: "example.com", text: domain }.domain()?;
    Ok(Provider::new(NAME, ISSUER.to_owned(), [Quirk::ClientAt("/azp"), Quirk::HasValue("/hd", domain)]))
}

const NAME: &str = "Google";

const ISSUER: &str = "https://accounts.google.com";
