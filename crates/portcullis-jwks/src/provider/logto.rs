//! Logto.

use portcullis_core::{ConfigError, policy::Profile};

use super::{Input, Provider, Quirk};

/// Logto, by its endpoint: `https://TENANT.logto.app`, or a custom domain at which tokens are requested.
///
/// - `iss` is `ENDPOINT/oidc`. Keys are found by discovery. Tokens are signed with ES384, unless the tenant has an older key.
/// - The audience is the API resource's indicator. A client has to request it (`resource=…`), or it gets a token that is not a JWT.
/// - Access tokens have the type `at+jwt`, ID tokens have `JWT`. The preset uses
///   [`Profile::AccessToken`](portcullis_core::policy::Profile::AccessToken), so an ID token is refused.
/// - Permissions are in `scope`. Logto's roles are in no token by default; the preset reads `/roles`, where a custom claim (*Custom JWT*)
///   usually puts them.
/// - Tokens for an organization have the audience `urn:logto:organization:ID`, or the API's indicator together with `organization_id`. An
///   API that serves one organization requires [`require_claim_value("/organization_id",
///   ..)`](portcullis_core::TrustedIssuer::require_claim_value).
/// - The client is named by `client_id`. An application's `sub` is its client id; a user's is an id that Logto chose.
/// - A back-channel logout has `sub` and, if the client asked for it, `sid`. Access tokens have no `sid`: end every session of the
///   subject.
///
/// Published at [Validate access tokens](https://docs.logto.io/authorization/validate-access-tokens).
///
/// # Errors
///
/// If `endpoint` is not a URL, or has `/oidc` at its end.
pub fn logto(endpoint: &str) -> Result<Provider, ConfigError> {
    let what = "the endpoint that the console shows";
    let input = Input { provider: NAME, what, example: "https://acme.logto.app", text: endpoint };
    let base = input.base_url_before("oidc")?;
    let quirks =
        [Quirk::RolesAt("/roles".to_owned()), Quirk::ClientAt("/client_id"), Quirk::Profile(Profile::AccessToken)];
    Ok(Provider::new(NAME, format!("{base}/oidc"), quirks))
}

const NAME: &str = "Logto";
