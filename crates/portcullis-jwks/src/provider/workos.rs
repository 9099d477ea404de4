//! WorkOS.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// WorkOS, session tokens of AuthKit, by the client id of the environment: `client_01J…`.
///
/// - `iss` is `https://api.workos.com/user_management/CLIENT_ID`, as in environments made since the middle of 2025. For older ones see
///   [`workos_legacy`]. With a custom authentication domain it is that domain: use a `TrustedIssuer` of your own.
/// - The keys are asked for at `https://api.workos.com/sso/jwks/CLIENT_ID`: each environment has its own.
/// - **Session tokens have no `aud`.** The safe way is to add one by the environment's JWT template:
///   `{"aud": "https://orders.example.com"}`. All session tokens of the environment then have it, so it tells this environment's
///   services from others', and not one of them from another.
/// - To accept those without, say so:
///   [`danger_claim_as_audience("/iss")`](portcullis_core::TrustedIssuer::danger_claim_as_audience), with the issuer as audience; or
///   `/client_id` with the client id, where tokens have that claim. **Every service of the environment accepts the same token.**
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
/// - Session tokens have `sid`, which is required here.
/// - The user's roles in the organization (`org_id`) are at `/roles` and `/role`. Permissions are at `/permissions`: add
///   [`roles_at`](portcullis_core::TrustedIssuer::roles_at). There are no scopes.
/// - The client is named by `client_id`, in the tokens that have it.
/// - WorkOS sends no log-out tokens; it calls webhooks (`session.revoked`).
/// - Access tokens for APIs and MCP servers are another kind: see [`workos_connect`].
///
/// Published at [Session tokens](https://workos.com/docs/reference/authkit/session-tokens).
///
/// # Errors
///
/// If `client_id` is no client id.
pub fn workos(client_id: &str) -> Result<Provider, ConfigError> {
    let client_id = environment(client_id)?;
    Ok(sessions(format!("https://api.workos.com/user_management/{client_id}"), &client_id))
}

/// WorkOS, session tokens of AuthKit, of an environment made before the middle of 2025, by its client id.
///
/// `iss` is `https://api.workos.com`, the same for all customers of WorkOS: the keys alone tell the environment. So
/// `danger_claim_as_audience("/iss")` would say nothing here; add `aud` by the JWT template.
///
/// Everything else is as with [`workos`].
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
/// - The audience is the resource indicator that the client asked for. Configure one: without, and in tokens of machines always, `aud` is
///   the environment's client id, which is the same for all services.
/// - `client_id` is required here: it names the client. ID tokens are for the application that asked, so never give an application's
///   client id as audience.
/// - In tokens of machines (M2M applications) `sub` is the client's id, too; a user's is `user_…`.
/// - Scopes are in `scope`; there are no roles. `org_id` is the organization.
/// - WorkOS sends no log-out tokens. `sid` is the id of the user's consent.
///
/// Published at [Access token claims](https://workos.com/docs/authkit/connect/token-claims).
///
/// # Errors
///
/// If `domain` is no domain, or has a scheme or a path.
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
    if id.starts_with("client_") { Ok(id) } else { Err(input.problem("is no client id")) }
}
