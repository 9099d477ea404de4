//! WorkOS.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// WorkOS session tokens of AuthKit, by the client id of the environment: `client_01J…`.
///
/// - `iss` is `https://api.workos.com/user_management/CLIENT_ID`, as in environments created since the middle of 2025. For older ones see
///   [`workos_legacy`]. With a custom authentication domain, `iss` is that domain: use your own `TrustedIssuer`.
/// - The keys are fetched from `https://api.workos.com/sso/jwks/CLIENT_ID`: each environment has its own.
/// - **Session tokens have no `aud`.** The safe way is to add one in the environment's JWT template: `{"aud":
///   "https://orders.example.com"}`. All session tokens of the environment then have it, so it distinguishes this environment's services
///   from those of other environments, but not from each other.
/// - To accept tokens without it, use [`danger_claim_as_audience("/iss")`](portcullis_core::TrustedIssuer::danger_claim_as_audience),
///   with the issuer as the audience; or `/client_id` with the client id, if tokens have that claim. **Every service of the environment
///   accepts the same token.**
///
///   ```no_run
///   # use portcullis_jwks::provider;
///   # #[tokio::main(flavor = "current_thread")]
///   # async fn main() -> Result<(), portcullis_core::ConfigError> {
///   # #[cfg(feature = "reqwest")] {
///   let workos = provider::workos("client_01JB4QTYNHG2DWN4M1PRMVGP6Y")?;
///   let issuer = workos.trust(workos.issuer())?.danger_claim_as_audience("/iss");
///   # }
///   # Ok(())
///   # }
///   ```
/// - The preset requires `sid`, which session tokens have.
/// - The user's roles in the organization (`org_id`) are at `/roles` and `/role`. Permissions are at `/permissions`: add
///   [`roles_at`](portcullis_core::TrustedIssuer::roles_at). There are no scopes.
/// - The client is named by `client_id`, in the tokens that have it.
/// - WorkOS sends no logout tokens; it calls webhooks (`session.revoked`).
/// - Access tokens for APIs and MCP servers are of another kind: see [`workos_connect`].
///
/// Published at [Session tokens](https://workos.com/docs/reference/authkit/session-tokens).
///
/// # Errors
///
/// If `client_id` is not a client id.
pub fn workos(client_id: &str) -> Result<Provider, ConfigError> {
    let client_id = environment(client_id)?;
    Ok(sessions(format!("https://api.workos.com/user_management/{client_id}"), &client_id))
}

/// WorkOS, session tokens of AuthKit, for an environment created before the middle of 2025, by its client id.
///
/// `iss` is `https://api.workos.com`, the same for all customers of WorkOS; only the keys identify the environment. So
/// `danger_claim_as_audience("/iss")` would have no effect here; add `aud` in the JWT template.
///
/// Everything else is the same as for [`workos`].
///
/// # Errors
///
/// Those of [`workos`].
pub fn workos_legacy(client_id: &str) -> Result<Provider, ConfigError> {
    Ok(sessions("https://api.workos.com".to_owned(), &environment(client_id)?))
}

/// WorkOS Connect, access tokens for APIs and MCP servers, by the AuthKit domain: `acme.authkit.app`, or a custom one.
///
/// - `iss` is `https://DOMAIN`. Keys are found by discovery.
/// - The audience is the resource indicator that the client requested. Configure one: without it, and always in tokens of machines, `aud`
///   is the environment's client id, which is the same for all services.
/// - The preset requires `client_id`, which names the client. ID tokens are for the application that requested them, so never use an
///   application's client id as the audience.
/// - In tokens of machines (M2M applications), `sub` is the client's id too; a user's is `user_…`.
/// - Scopes are in `scope`; there are no roles. `org_id` is the organization.
/// - WorkOS sends no logout tokens. `sid` is the id of the user's consent.
///
/// Published at [Access token claims](https://workos.com/docs/authkit/connect/token-claims).
///
/// # Errors
///
/// If `domain` is not a domain, or has a scheme or a path.
pub fn workos_connect(domain: &str) -> Result<Provider, ConfigError> {
    let input = Input { provider: NAME, what: "the AuthKit domain alone", example: "acme.authkit.app", text: domain };
    Ok(Provider::new(NAME, format!("https://{}", input.domain()?), [Quirk::Has("/client_id")]))
}

const NAME: &str = "WorkOS";

fn sessions(issuer: String, client_id: &str) -> Provider {
    let keys = format!("https://api.workos.com/sso/jwks/{client_id}");
    Provider::new(
        NAME,
        issuer,
        [Quirk::RolesAt("/roles".to_owned()), Quirk::RolesAt("/role".to_owned()), Quirk::Has("/sid")],
    )
    .keys_at(keys)
}

fn environment(text: &str) -> Result<String, ConfigError> {
    let what = "the client id of the environment";
    let input = Input { provider: NAME, what, example: "client_01JB4QTYNHG2DWN4M1PRMVGP6Y", text };
    let id = input.path_step()?;
    if id.starts_with("client_") { Ok(id) } else { Err(input.problem("is not a client id")) }
}
