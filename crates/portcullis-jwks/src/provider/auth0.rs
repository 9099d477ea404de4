//! Auth0.

use portcullis_core::{ConfigError, policy::Profile};

use super::{Input, Provider, Quirk};

/// Auth0, by the tenant's domain (`tenant.eu.auth0.com`), or the custom domain at which tokens are requested. These are two different
/// issuers.
///
/// - `iss` is `https://DOMAIN/`, with the slash.
/// - The audience is the API's identifier. A client has to request it (`audience=…`), or it gets a token that is not a JWT. `aud` may
///   list `https://DOMAIN/userinfo` as well. An ID token is for the client id, so never use a client id as the audience.
/// - If RBAC and "Add Permissions in the Access Token" are switched on for the API, the user's permissions are in `permissions`: these
///   are the roles. Scopes are in `scope`: those that the client requested and got.
/// - Tokens of Auth0's own profile have the type `JWT` and name the client in `azp`. If the API has the profile "RFC 9068", use
///   [`auth0_rfc9068`]: this preset would accept such a token, but find no client in it.
/// - An application is distinguished from a user by `gty`, which is `client-credentials` in tokens that it got for itself (`sub` is
///   `CLIENT@clients`), or a list that contains it. In other tokens it has other values: a user's token that was refreshed after the
///   password grant has `["refresh_token", "password"]`.
/// - A back-channel logout names the session in `sid`. Access tokens have none unless an Action adds it: end every session of the
///   subject.
///
/// Published at [Access token profiles](https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles).
///
/// # Errors
///
/// If `domain` is not a domain, has a scheme or a path, or is the dashboard's.
pub fn auth0(domain: &str) -> Result<Provider, ConfigError> {
    let quirks = [
        Quirk::RolesAt("/permissions".to_owned()),
        Quirk::ClientAt("/azp"),
        // Actions cannot set `gty`, because it is reserved. Auth0's documentation writes the value in two ways; tokens have had the
        // hyphen.
        Quirk::ApplicationIf("/gty", "client-credentials"),
        Quirk::ApplicationIf("/gty", "client_credentials"),
    ];
    Ok(Provider::new(NAME, issuer(domain)?, quirks))
}

/// Auth0, for an API with the token profile "RFC 9068", by the tenant's domain.
///
/// The type has to be `at+jwt` ([`Profile::AccessToken`]), so that no other token passes for an access token. The client is named by
/// `client_id`. There is no `gty`, so **an application looks like a user**: its `sub` is `CLIENT@clients`, while a user's has a `|`. Name
/// each application with [`application_if("/sub", "CLIENT@clients")`](portcullis_core::TrustedIssuer::application_if).
///
/// Everything else is the same as for [`auth0`].
///
/// # Errors
///
/// Those of [`auth0`].
pub fn auth0_rfc9068(domain: &str) -> Result<Provider, ConfigError> {
    let quirks = [
        Quirk::RolesAt("/permissions".to_owned()),
        Quirk::ClientAt("/client_id"),
        Quirk::Profile(Profile::AccessToken),
    ];
    Ok(Provider::new(NAME, issuer(domain)?, quirks))
}

const NAME: &str = "Auth0";

fn issuer(domain: &str) -> Result<String, ConfigError> {
    let input =
        Input { provider: NAME, what: "the tenant's domain alone", example: "tenant.eu.auth0.com", text: domain };
    let domain = input.domain()?;
    if domain == "manage.auth0.com" {
        return Err(input.problem("is the dashboard, which is the same for all tenants"));
    }
    Ok(format!("https://{domain}/"))
}
