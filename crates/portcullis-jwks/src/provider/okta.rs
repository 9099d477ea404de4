//! Okta.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// Okta, by the organization's domain (`acme.okta.com`, or a custom one) and the id of the authorization server, `default` for the one
/// that exists already.
///
/// - `iss` is `https://DOMAIN/oauth2/SERVER`. The organization itself (`https://DOMAIN`) issues access tokens for Okta's own API only:
///   their form is not promised to anybody else, so a server has to be named.
/// - The audience is the server's, `api://default` at first. All services of one server have it in common: what a client may do at
///   which is a matter of scopes.
/// - Scopes are in `scp`, an array. Groups are there only if the server has a claim `groups`, which you add; they are the roles.
/// - ID tokens have no `cid`, and `cid` is required here. It names the client.
/// - Okta sends no log-out tokens: its single log-out is front-channel, in the browser.
/// - `sub` of a user is the login, which may be changed and given to somebody else; `uid` is who it is. `sub` of an application is its
///   client id, and there is no `uid`: so an application is told from a user, unless a user may choose a login that is no
///   e-mail address and takes a client's id. Leave logins in the form of an e-mail address, which is the default.
///
/// Published at [Access tokens](https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/#access-token).
///
/// # Errors
///
/// If `domain` is no domain, has a scheme or a path, or is the admin console's; if `server` is no plain name.
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
