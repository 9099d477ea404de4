//! Cloudflare Access.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// Cloudflare Access in front of a service, by the team's name: the part before `.cloudflareaccess.com`.
///
/// - **The token is in the HTTP header `Cf-Access-Jwt-Assertion`**, which Cloudflare adds to each request that it lets through, without a
///   scheme. (The cookie `CF_Authorization` often has it as well, but not always.) Configure the layer to read it:
///
///   ```
///   # fn main() -> Result<(), Box<dyn std::error::Error>> {
///   # let admission = portcullis_test::MockIssuer::new().admission();
///   use portcullis::{AuthLayer, location::HttpHeader};
///
///   let layer = AuthLayer::at(HttpHeader::new("Cf-Access-Jwt-Assertion")?, admission);
///   # Ok(())
///   # }
///   ```
/// - `iss` is `https://TEAM.cloudflareaccess.com`. The keys are fetched from `/cdn-cgi/access/certs`.
/// - The audience is the application's *AUD tag*, 64 hexadecimal digits.
/// - The claim `type` has to be `app`. The cookie of the team's own domain has a token of type `org`, which opens the login of every
///   application; it is refused.
/// - A person is named by `sub` and `email`. A service token has an empty `sub`, so it has no subject here, and its client id is in
///   `common_name`: it is an [application](portcullis_core::Principal::Application). A guard that requires only "authenticated" cannot
///   distinguish the service tokens.
/// - Groups come with the identity provider's own claims, under `custom`, if Access is configured to pass them on:
///   [`roles_at("/custom/groups")`](portcullis_core::TrustedIssuer::roles_at). There are no scopes, and no logout tokens.
///
/// Published at [Application token](https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/application-token/)
/// and [Validate JWTs](https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/).
///
/// # Errors
///
/// If `team` is not the name of a team: a domain or a URL, say.
pub fn cloudflare_access(team: &str) -> Result<Provider, ConfigError> {
    let input = Input { provider: NAME, what: "the team's name alone", example: "acme", text: team };
    let issuer = format!("https://{}.cloudflareaccess.com", input.label()?);
    let keys = format!("{issuer}/cdn-cgi/access/certs");
    Ok(Provider::new(NAME, issuer, [Quirk::ClientAt("/common_name"), Quirk::HasValue("/type", "app".to_owned())])
        .keys_at(keys))
}

const NAME: &str = "Cloudflare Access";
