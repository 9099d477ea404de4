//! Keycloak.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// Keycloak, by the URL under which users see it and the name of the realm.
///
/// - `iss` is `BASE/realms/REALM`. `base` is the frontend's URL, whatever address the service itself reaches Keycloak at; before
///   Keycloak 17, and where a relative path is configured, it ends in `/auth`.
/// - The audience is the service's own client id. Keycloak adds it to `aud` only where an audience mapper says so, or where the user
///   has a role of that client and the client scope `roles` is in use; otherwise tokens are for `account`, which is no service of
///   yours.
/// - Roles of the realm are in `realm_access`; for those of a client add
///   [`roles_at`](portcullis_core::TrustedIssuer::roles_at)`("/resource_access/CLIENT/roles")`. `admin` of the realm and `admin` of
///   the client are then one; to tell them apart, ask [`Facts::roles_at`](portcullis_core::verified::Facts::roles_at) instead. Other
///   clients than your own let those who administer them give roles here. Lightweight access tokens have neither.
/// - ID tokens have the same issuer and may have the same audience, where the service logs people in as well. The claim `typ` is `ID`
///   in them, and has to be `Bearer` here. (The header's `typ` is `JWT` in both.) Tokens of the type
///   `DPoP` are refused with it.
/// - **An application is taken for a user.** A service account has a `sub` of its own; the one thing that all of them have in common is
///   `preferred_username`, `service-account-CLIENT`, which a realm may let users choose. Name each client that logs no user in with
///   [`application_if("/azp", "CLIENT")`](portcullis_core::TrustedIssuer::application_if).
/// - The client is named by `azp`. A back-channel log-out names the session in `sid`, as the access tokens of that session do.
///
/// Published at [Server administration guide](https://www.keycloak.org/docs/latest/server_admin/#_audience).
///
/// # Errors
///
/// If `base` is no URL, or has `/realms/` in it; if `realm` is no plain name.
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
