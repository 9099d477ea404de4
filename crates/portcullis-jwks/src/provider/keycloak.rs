//! Keycloak.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// Keycloak, by the URL under which users see it and the name of the realm.
///
/// - `iss` is `BASE/realms/REALM`. `base` is the frontend's URL, whatever address your service uses to reach Keycloak. Before Keycloak
///   17, and where a relative path is configured, it ends in `/auth`.
/// - The audience is the service's own client id. Keycloak adds it to `aud` only if an audience mapper says so, or if the user has a role
///   of that client and the client scope `roles` is in use; otherwise tokens are for `account`, which is not your service.
/// - Roles of the realm are in `realm_access`. For those of a client, add
///   [`roles_at`](portcullis_core::TrustedIssuer::roles_at)`("/resource_access/CLIENT/roles")`. `admin` of the realm and `admin` of the
///   client then count as the same role; to distinguish them, use [`Facts::roles_at`](portcullis_core::verified::Facts::roles_at)
///   instead. If you read the roles of a client other than your own, its administrators can grant roles here. Lightweight access tokens
///   have neither.
/// - ID tokens have the same issuer and may have the same audience, if the service logs users in as well. The preset requires the claim
///   `typ` to be `Bearer`; in ID tokens it is `ID`. (The header's `typ` is `JWT` in both.) Tokens of the type `DPoP` are refused too.
/// - **An application looks like a user.** A service account has its own `sub`; the only thing that all service accounts have in common
///   is `preferred_username`, `service-account-CLIENT`, which a realm may let users choose. Name each client that does not log users in
///   with [`application_if("/azp", "CLIENT")`](portcullis_core::TrustedIssuer::application_if).
/// - The client is named by `azp`. A back-channel logout names the session in `sid`, as the access tokens of that session do.
///
/// Published at [Server administration guide](https://www.keycloak.org/docs/latest/server_admin/#_audience).
///
/// # Errors
///
/// If `base` is not a URL, or has `/realms/` in it; if `realm` is not a plain name.
pub fn keycloak(base: &str, realm: &str) -> Result<Provider, ConfigError> {
    let what = "the URL under which users see it";
    let base = Input { provider: NAME, what, example: "https://sso.example.com", text: base };
    let base = base.base_url_before("realms")?;
    let what = "the realm's name";
    let realm = Input { provider: NAME, what, example: "shop", text: realm }.path_step()?;
    let quirks = [
        Quirk::RolesAt("/realm_access/roles".to_owned()),
        Quirk::ClientAt("/azp"),
        Quirk::HasValue("/typ", "Bearer".to_owned()),
    ];
    Ok(Provider::new(NAME, format!("{base}/realms/{realm}"), quirks))
}

const NAME: &str = "Keycloak";
