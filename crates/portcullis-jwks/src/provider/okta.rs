//! Okta.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// Okta, by the organization's domain (`acme.okta.com`, or a custom one) and the id of the authorization server. The predefined server
/// has the id `default`.
///
/// - `iss` is `https://DOMAIN/oauth2/SERVER`. The organization itself (`https://DOMAIN`) issues access tokens only for Okta's own API,
///   and Okta does not guarantee their format, so a server has to be named.
/// - The audience is the server's, `api://default` by default. All services of one server share it, so use scopes to say what a client
///   may do at which service.
/// - Scopes are in `scp`, an array. Groups are present only if you add a claim `groups` to the server; they are the roles.
/// - The preset requires `cid`, which names the client. ID tokens do not have it.
/// - Okta sends no logout tokens: its single logout is front-channel, in the browser.
/// - A user's `sub` is the login, which may be changed and given to another user; `uid` identifies the user. An application's `sub` is
///   its client id, and it has no `uid`. So the two are distinguished, unless users may choose logins that are not e-mail addresses and
///   one takes a client's id. Keep the default, which requires logins in the form of an e-mail address.
///
/// Published at [Access tokens](https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/#access-token).
///
/// # Errors
///
/// If `domain` is not a domain, has a scheme or a path, or is the admin console's; if `server` is not a plain name.
pub fn okta(domain: &str, server: &str) -> Result<Provider, ConfigError> {
    let what = "the organization's domain alone";
    let input = Input { provider: NAME, what, example: "acme.okta.com", text: domain };
    let domain = input.domain()?;
    if domain.split_once('.').is_some_and(|(name, rest)| name.ends_with("-admin") && rest.starts_with("okta")) {
        return Err(input.problem("is the admin console's: leave out `-admin`"));
    }
    let what = "the authorization server's id";
    let server = Input { provider: NAME, what, example: "default", text: server }.path_step()?;
    let quirks = [Quirk::RolesAt("/groups".to_owned()), Quirk::ClientAt("/cid"), Quirk::Has("/cid")];
    Ok(Provider::new(NAME, format!("https://{domain}/oauth2/{server}"), quirks))
}

const NAME: &str = "Okta";
