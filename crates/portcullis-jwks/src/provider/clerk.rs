//! Clerk.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// Clerk session tokens, by the domain of the Frontend API: `clerk.example.com`, or `NAME.clerk.accounts.dev` for a development instance.
///
/// - `iss` is `https://DOMAIN`. The keys are fetched from `/.well-known/jwks.json`.
/// - **Session tokens have no `aud`.** The safe way is to add one: in the dashboard, customize the session token with `{"aud":
///   "https://orders.example.com"}`. All session tokens of the instance then have it, so it distinguishes this instance's services from
///   those of other instances, but not from each other.
/// - To accept tokens without it, use [`danger_claim_as_audience("/azp")`](portcullis_core::TrustedIssuer::danger_claim_as_audience). The
///   audiences are then the origins of your own front ends. **Every service that accepts the same front end accepts the same token.**
///
///   ```no_run
///   # use portcullis_jwks::provider;
///   # #[tokio::main(flavor = "current_thread")]
///   # async fn main() -> Result<(), portcullis_core::ConfigError> {
///   # #[cfg(feature = "reqwest")]
///   let issuer = provider::clerk("clerk.example.com")?.trust("https://app.example.com")?.danger_claim_as_audience("/azp");
///   # Ok(())
///   # }
///   ```
/// - The preset requires `sid`, which session tokens have. ID tokens and access tokens that Clerk issues to OAuth applications under the
///   same `iss`, and JWT templates, do not have it. Tokens of machines (M2M, whose `sub` is `mch_…`) do not have it either, unless the
///   machine that creates one adds the claim: do not allow this, because such a token would pass for a user's.
/// - The session's status, `sts`, has to be `active` if the token has it. A `pending` session has unfinished tasks, such as setting up a
///   second factor or choosing an organization.
/// - The user's role in the active organization is at `/o/rol`, without `org:`. Permissions are packed (`o.per`, `o.fpm` and `fea`
///   together), and are not read here, because none of these claims has a meaning of its own.
/// - Tokens of version 1 (until April 2025) have the role at `/org_role`, with `org:`; add
///   [`roles_at`](portcullis_core::TrustedIssuer::roles_at) for those.
/// - The client is named by `azp`. Clerk sends no logout tokens; session tokens live for a minute.
/// - The token is in the HTTP header `Authorization`, and for requests to the same site in the cookie `__session`.
///
/// Published at [Session tokens](https://clerk.com/docs/guides/sessions/session-tokens) and
/// [Manual JWT verification](https://clerk.com/docs/guides/sessions/manual-jwt-verification).
///
/// # Errors
///
/// If `frontend_api` is not a domain, or has a scheme or a path.
pub fn clerk(frontend_api: &str) -> Result<Provider, ConfigError> {
    let what = "the domain of the Frontend API";
    let input = Input { provider: NAME, what, example: "clerk.example.com", text: frontend_api };
    let issuer = format!("https://{}", input.domain()?);
    let keys = format!("{issuer}/.well-known/jwks.json");
    let quirks = [
        Quirk::RolesAt("/o/rol".to_owned()),
        Quirk::ClientAt("/azp"),
        Quirk::Has("/sid"),
        Quirk::ValueIfPresent("/sts", "active"),
    ];
    Ok(Provider::new(NAME, issuer, quirks).keys_at(keys))
}

const NAME: &str = "Clerk";
