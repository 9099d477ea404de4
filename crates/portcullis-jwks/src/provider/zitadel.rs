//! Zitadel.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// Zitadel, by the instance's URL (or that of a custom domain, under which tokens are asked for) and the id of the project that the
/// service belongs to.
///
/// - `iss` is the instance's URL, without a slash.
/// - The audience is the project's id. Clients of the same project have it in their tokens; others ask for the scope
///   `urn:zitadel:iam:org:project:id:PROJECT:aud`.
/// - Access tokens are opaque unless the application's token type is `JWT`.
/// - Roles are an object at `urn:zitadel:iam:org:project:PROJECT:roles`, of *this* project. (There is a claim
///   `urn:zitadel:iam:org:project:roles`, too. It has the roles of the *client's* project, whose administrators could otherwise make
///   anybody an `admin` here.) The member names are the roles, the values say which organization gave them: see
///   [`claim`](portcullis_core::verified::Facts::claim) if that matters.
/// - There are no scopes in tokens: [`has_scope`](portcullis_core::verified::Facts::has_scope) says no.
/// - An application, that is a service user, is told from a user where it asks for tokens with a key (JWT profile): `client_id` is then its
///   own id, as `sub` is. With a client secret, `client_id` is the service user's *name*, and **it is taken for a user**: name it
///   with [`application_if("/client_id", "NAME")`](portcullis_core::TrustedIssuer::application_if). For people, `client_id` is the id of
///   an application that Zitadel chose.
/// - ID tokens have the same audience, but no `jti`; log-out tokens have a `jti`, but no `client_id`. Both are required here.
/// - A back-channel log-out names the session in `sid`. Access tokens have none: end every session of the subject.
///
/// Published at [Claims](https://zitadel.com/docs/apis/openidoauth/claims).
///
/// # Errors
///
/// If `instance` is no URL, or has a path; if `project` is no id.
pub fn zitadel(instance: &str, project: &str) -> Result<Provider, ConfigError> {
    let what = "the instance's URL";
    let example = "https://acme-a1b2c3.zitadel.cloud";
    let issuer = Input { provider: NAME, what, example, text: instance }.origin()?;
    let input = Input { provider: NAME, what: "the project's id", example: "344374183645413380", text: project };
    if project.is_empty() || !project.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_')) {
        return Err(input.problem("is no id of a project"));
    }
    let roles = format!("/urn:zitadel:iam:org:project:{project}:roles");
    Ok(Provider::new(
        NAME,
        issuer,
        [
            Quirk::RolesAt(roles),
            Quirk::ClientAt("/client_id"),
            Quirk::Has("/jti"),       // an ID token has none
            Quirk::Has("/client_id"), // a log-out token has none
        ],
    ))
}

const NAME: &str = "Zitadel";
