//! Auth0.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// Auth0, by the tenant's domain (`tenant.eu.auth0.com`), or the custom domain under which tokens are asked for: the two are two
/// issuers.
///
/// - `iss` is `https://DOMAIN/`, with the slash.
/// - The audience is the API's identifier. A client has to ask for it (`audience=…`), or it gets a token that is no JWT. `aud` may
///   list `https://DOMAIN/userinfo` as well. An ID token is for the client id, so never give a client id as audience.
/// - With RBAC and "Add Permissions in the Access Token" switched on for the API, what the user may do stands in `permissions`: these
///   are the roles. Scopes are in `scope`: what the client asked for and got.
/// - Tokens of the RFC 9068 profile have `at+jwt` as their type, those of Auth0's own have `JWT`. If the API has the former, add
///   [`Profile::AccessToken`](portcullis_core::Profile::AccessToken).
///
/// Published at [Access token profiles](https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles).
///
/// # Errors
///
/// If `domain` is no domain, has a scheme or a path, or is the dashboard's.
pub fn auth0(domain: &str) -> Result<Provider, ConfigError> {
    let input =
        Input { provider: NAME, what: "the tenant's domain alone", example: "tenant.eu.auth0.com", text: domain };
    let domain = input.domain()?;
    if domain == "manage.auth0.com" {
        return Err(input.problem("is the dashboard, which is the same for all tenants"));
    }
    let issuer = format!("https://{domain}/");
    Ok(Provider::new(NAME, issuer, [Quirk::RolesAt("/permissions".to_owned())]))
}

const NAME: &str = "Auth0";
