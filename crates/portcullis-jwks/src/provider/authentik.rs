//! Authentik.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// Authentik, by the URL under which users see it and the slug of the application.
///
/// - `iss` is `BASE/application/o/SLUG/`, with the slash. This is the default mode of an OAuth 2.0 provider, "Each provider has a
///   different issuer". In the other mode, all providers share `BASE/`, and any application's client could get a token of that issuer:
///   change the mode.
/// - Keys are found by discovery. The provider needs a signing key: without one, Authentik signs with the client secret (HS256), and its
///   tokens are refused. With an encryption key, tokens are encrypted and cannot be read here.
/// - The audience is the client id of the application's provider. ID tokens have the same audience, because an access token is the ID
///   token with `azp` and `uid` added. The preset requires `azp`, which an ID token does not have.
/// - The user's groups are the roles, at `/groups`. They are in the token if the client requested the scope `profile` and "Include claims
///   in `id_token`" is on. Tokens list no scopes unless a scope mapping adds the claim `scope`.
/// - The client is named by `azp`. **An application looks like a user**: Authentik gives tokens only to users, and a service account is a
///   user. Give machines their own application and provider, trust it as a second issuer, and mark all its tokens as those of
///   applications: [`application_if("/azp", "CLIENT")`](portcullis_core::TrustedIssuer::application_if).
/// - A back-channel logout names the session in `sid`, as the access tokens of that session do.
///
/// Published at [OAuth 2.0 provider](https://docs.goauthentik.io/add-secure-apps/providers/oauth2/) and
/// [Front-channel and back-channel logout](https://docs.goauthentik.io/add-secure-apps/providers/oauth2/frontchannel_and_backchannel_logout).
///
/// # Errors
///
/// If `base` is not a URL, or has `/application/` in it; if `slug` is not a plain name.
pub fn authentik(base: &str, slug: &str) -> Result<Provider, ConfigError> {
    let what = "the URL under which users see it";
    let base = Input { provider: NAME, what, example: "https://auth.example.com", text: base }
        .base_url_before("application")?;
    let what = "the application's slug";
    let slug = Input { provider: NAME, what, example: "orders", text: slug }.path_step()?;
    let quirks = [Quirk::RolesAt("/groups".to_owned()), Quirk::ClientAt("/azp"), Quirk::Has("/azp")];
    Ok(Provider::new(NAME, format!("{base}/application/o/{slug}/"), quirks))
}

const NAME: &str = "Authentik";
