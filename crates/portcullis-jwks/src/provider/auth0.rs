//! Auth0.

use portcullis_core::{ConfigError, policy::Profile};

use super::{Input, Provider, Quirk};

/// Auth0, by the tenant's domain (`tenant.eu.auth0.com`), or the custom domain under which tokens are asked for: the two are two
/// issuers.
///
/// - `iss` is `https://DOMAIN/`, with the slash.
/// - The audience is the API's identifier. A client has to ask for it (`audience=…`), or it gets a token that is no JWT. `aud` may
///   list `https://DOMAIN/userinfo` as well. An ID token is for the client id, so never give a client id as audience.
/// - With RBAC and "Add Permissions in the Access Token" switched on for the API, what the user may do stands in `permissions`: these
///   are the roles. Scopes are in `scope`: what the client asked for and got.
/// - Tokens of Auth0's own profile have `JWT` as their type and name the client in `azp`. If the API has the profile "RFC 9068", use
///   [`auth0_rfc9068`]: with this preset such a token is accepted, but names no client.
/// - An application is told from a user by `gty`, which is `client-credentials` in tokens that it got for itself (`sub` is
///   `CLIENT@clients`). A user's token that was refreshed after the password grant has a list there: it is neither, and is refused
///   wherever a rule asks.
/// - A back-channel log-out names the session in `sid`. Access tokens have none unless an Action adds it: end every session of the
///   subject.
///
/// Published at [Access token profiles](https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles).
///
/// # Errors
///
/// If `domain` is no domain, has a scheme or a path, or is the dashboard's.
pub fn auth0(domain: &str) -> Result<Provider, ConfigError> {
    let quirks = [
        Quirk::RolesAt("/permissions".to_owned()),
        Quirk::ClientAt("/azp"),
        // `gty` is reserved: no Action can set it. Auth0's documents write it either way, tokens have had the hyphen.
        Quirk::ApplicationIf("/gty", "client-credentials"),
        Quirk::ApplicationIf("/gty", "client_credentials"),
    ];
    Ok(Provider::new(NAME, issuer(domain)?, quirks))
}

/// Auth0, for an API with the token profile "RFC 9068", by the tenant's domain.
///
/// The type has to be `at+jwt` ([`Profile::AccessToken`]), so that nothing else passes for an access token, and the client is named
/// by `client_id`. There is no `gty`, so **an application is taken for a user**: its `sub` is `CLIENT@clients`, while a user's has
/// a `|`. Name each application with
/// [`application_if("/sub", "CLIENT@clients")`](portcullis_core::TrustedIssuer::application_if).
///
/// Everything else is as with [`auth0`].
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
