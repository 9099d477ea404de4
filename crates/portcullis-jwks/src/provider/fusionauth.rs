//! FusionAuth.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// FusionAuth, tokens of users, by the instance's URL and the tenant's issuer.
///
/// - `iss` is the tenant's setting *Issuer*, compared exactly. It need not be a URL: the default is `acme.com`. Read it from a token.
/// - Keys are fetched from `BASE/.well-known/jwks.json`. The setting *Access token signing key* has to be an asymmetric key: the default
///   key is a shared secret (HS256), which is in no key set, so its tokens are refused.
/// - The audience is the application's id. **ID tokens have the same audience, type and issuer.** The preset requires `applicationId`,
///   which an access token has; ID tokens have had none since version 1.24, unless a lambda adds it. (In that case, use different keys
///   for the two.) A token of a user who is not registered for the application has none either, and is refused.
/// - The user's roles in the application are at `/roles`; scopes are in `scope`, from version 1.50 on.
/// - The client is named by `applicationId`. Every caller is a user.
/// - FusionAuth sends no logout tokens: it calls webhooks, or URLs in the browser. `sid` is the id of the refresh token.
/// - Tokens of entities (client credentials) are another kind: see [`fusionauth_entity`].
///
/// Published at [Tokens](https://fusionauth.io/docs/lifecycle/authenticate-users/oauth/tokens).
///
/// # Errors
///
/// If `base` is not a URL; if `issuer` is empty, or has white space in it.
pub fn fusionauth(base: &str, issuer: &str) -> Result<Provider, ConfigError> {
    let quirks = [Quirk::RolesAt("/roles".to_owned()), Quirk::ClientAt("/applicationId"), Quirk::Has("/applicationId")];
    Ok(Provider::new(NAME, tenant_issuer(issuer)?, quirks).keys_at(key_set(base)?))
}

/// FusionAuth, tokens that an entity got by client credentials, by the instance's URL and the tenant's issuer.
///
/// - The audience is the id of the *target* entity: your service, registered as an entity. No user's token has it.
/// - The caller's permissions at the target are at `/permissions`: these are the roles.
/// - `sub` is the id of the calling entity, which is the client: every caller is an
///   [application](portcullis_core::Principal::Application).
///
/// Everything else is the same as for [`fusionauth`].
///
/// # Errors
///
/// Those of [`fusionauth`].
pub fn fusionauth_entity(base: &str, issuer: &str) -> Result<Provider, ConfigError> {
    let quirks = [Quirk::RolesAt("/permissions".to_owned()), Quirk::ClientAt("/sub")];
    Ok(Provider::new(NAME, tenant_issuer(issuer)?, quirks).keys_at(key_set(base)?))
}

const NAME: &str = "FusionAuth";

fn key_set(base: &str) -> Result<String, ConfigError> {
    let what = "the URL of the instance";
    let input = Input { provider: NAME, what, example: "https://auth.example.com", text: base };
    Ok(format!("{}/.well-known/jwks.json", input.base_url_before("oauth2")?))
}

fn tenant_issuer(issuer: &str) -> Result<String, ConfigError> {
    let what = "the tenant's issuer, as in `iss` of its tokens";
    Input { provider: NAME, what, example: "acme.com", text: issuer }.exact()
}
