//! Zitadel.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// Zitadel, by the URL of the instance (or of the custom domain at which tokens are requested) and the id of the project that the service
/// belongs to.
///
/// - `iss` is the instance's URL, without a slash.
/// - The audience is the project's id. Clients of the same project have it in their tokens; others request the scope
///   `urn:zitadel:iam:org:project:id:PROJECT:aud`.
/// - Access tokens are opaque unless the application's token type is `JWT`.
/// - Roles are an object at `urn:zitadel:iam:org:project:PROJECT:roles`, of *this* project. (There is also a claim
///   `urn:zitadel:iam:org:project:roles`. It has the roles of the *client's* project, whose administrators could make anyone an `admin`
///   if it were read here.) The member names are the roles, and the values say which organization granted them: see
///   [`claim`](portcullis_core::verified::Facts::claim) if that matters.
/// - There are no scopes in tokens: [`has_scope`](portcullis_core::verified::Facts::has_scope) returns `false`.
/// - An application, that is a service user, is distinguished from a user if it requests tokens with a key (JWT profile): `client_id` is
///   then its own id, like `sub`. With a client secret, `client_id` is the service user's *name*, and **it looks like a user**: name it
///   with [`application_if("/client_id", "NAME")`](portcullis_core::TrustedIssuer::application_if). In tokens of people, `client_id` is
///   an application's id that Zitadel chose.
/// - ID tokens have the same audience, but no `jti`; logout tokens have a `jti`, but no `client_id`. Both are required here.
/// - A back-channel logout names the session in `sid`. Access tokens have none: end every session of the subject.
///
/// Published at [Claims](https://zitadel.com/docs/apis/openidoauth/claims).
///
/// # Errors
///
/// If `instance` is not a URL, or has a path; if `project` is not an id.
pub fn zitadel(instance: &str, project: &str) -> Result<Provider, ConfigError> {
    let what = "the instance's URL";
    let example = "https://acme-a1b2c3.zitadel.cloud";
    let issuer = Input { provider: NAME, what, example, text: instance }.origin()?;
    let input = Input { provider: NAME, what: "the project's id", example: "344374183645413380", text: project };
    if project.is_empty() || !project.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_')) {
        return Err(input.problem("is not the id of a project"));
    }
    let roles = format!("/urn:zitadel:iam:org:project:{project}:roles");
    Ok(Provider::new(
        NAME,
        issuer,
        [
            Quirk::RolesAt(roles),
            Quirk::ClientAt("/client_id"),
            Quirk::Has("/jti"),       // an ID token has none
            Quirk::Has("/client_id"), // a logout token has none
        ],
    ))
}

const NAME: &str = "Zitadel";
