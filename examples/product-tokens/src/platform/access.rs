//! Who may use which route.

use axum::http::Method;
use portcullis::{
    AccessTable,
    requirement::{Requirement, acting, any, claim, contains, credential, not, scope, user},
    verified::CredentialKind,
};

use super::rights::Role;

/// A user who has logged in. With a token, a program cannot make itself more tokens of its user.
fn user_in_person() -> Requirement {
    user().and(not(by_token())).named("in person")
}

fn by_token() -> Requirement {
    credential(CredentialKind::ApiToken)
}

/// This role, or a higher one, on the instance of the path, and on no other.
fn role_here(lowest: Role) -> Requirement {
    let enough = Role::ALL.into_iter().filter(|role| *role >= lowest);
    any(enough.map(|role| claim("/grants/{instance}", contains(role.name()))))
}

/// The routes that need no credential.
pub(super) fn public_access() -> AccessTable {
    AccessTable::new()
        .public(Method::GET, "/")
        .public(Method::GET, "/authorize")
        .public(Method::GET, "/page.css")
        .public(Method::GET, "/page.js")
        .public(Method::POST, "/session")
        .public(Method::POST, "/token-reports")
}

/// All others.
pub(super) fn access() -> AccessTable {
    AccessTable::new()
        .require(Method::GET, "/account", user_in_person())
        .require(Method::DELETE, "/account", user_in_person())
        .require(Method::POST, "/account/authorization", user_in_person())
        .require(Method::POST, "/account/authorization/answer", user_in_person())
        .require(Method::GET, "/account/applications", user_in_person())
        .require(Method::DELETE, "/account/applications/reports", user_in_person())
        .require(Method::GET, "/reports", acting().and(scope("reports:read")))
        .require(Method::GET, "/tokens", user_in_person())
        .require(Method::POST, "/tokens", user_in_person())
        .require(Method::POST, "/tokens/import", user_in_person())
        .require(Method::GET, "/tokens/{id}/preview", user_in_person())
        .require(Method::POST, "/tokens/{id}/rotate", user_in_person())
        .require(Method::DELETE, "/tokens/{id}", user_in_person())
        .require(Method::GET, "/token", by_token())
        .require(Method::DELETE, "/token", by_token())
        .require(Method::POST, "/token/rotate", by_token())
        .require(Method::POST, "/token/derive", by_token())
        .require(Method::GET, "/instances", by_token())
        .require(Method::POST, "/instances", scope("instances:create"))
        .require(Method::GET, "/instances/{instance}", role_here(Role::Reader))
        .require(Method::PUT, "/instances/{instance}", role_here(Role::Editor))
        .require(Method::DELETE, "/instances/{instance}", role_here(Role::Owner))
        .require(Method::PUT, "/instances/{instance}/members/{member}", role_here(Role::Owner))
        .require(Method::DELETE, "/instances/{instance}/members/{member}", role_here(Role::Owner))
}
