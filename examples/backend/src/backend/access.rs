//! Who may use which route.

use axum::http::Method;
use portcullis::{
    AccessTable,
    requirement::{Requirement, claim, eq, not, scope, user},
};

use super::user_jwt::PURPOSE;

/// A user in its session. A JWT that the user has lent to a function is not enough.
fn user_in_person() -> Requirement {
    user().and(not(claim("/purpose", eq(PURPOSE))).named("in person"))
}

/// The routes that need no credential.
pub(super) fn public_access() -> AccessTable {
    AccessTable::new()
        .public(Method::POST, "/session")
        .public(Method::POST, "/session/refresh")
        .public(Method::POST, "/token-reports")
}

/// All others.
pub(super) fn access() -> AccessTable {
    AccessTable::new()
        .require(Method::DELETE, "/session", user_in_person())
        .require(Method::GET, "/account", user())
        .require(Method::PUT, "/account/password", user_in_person())
        .require(Method::PUT, "/account/mail", user_in_person())
        .require(Method::POST, "/account/jwt", user_in_person())
        .require(Method::GET, "/documents", scope("documents:read"))
        .require(Method::POST, "/documents", scope("documents:write"))
        .require(Method::GET, "/documents/{id}", scope("documents:read"))
        .require(Method::GET, "/users", scope("users:read"))
        .require(Method::POST, "/users", scope("users:write"))
        .require(Method::DELETE, "/users/{name}/sessions", scope("users:write"))
        .require(Method::GET, "/keys", scope("keys:manage"))
        .require(Method::POST, "/keys", scope("keys:manage"))
        .require(Method::DELETE, "/keys/{id}", scope("keys:manage"))
        .require(Method::POST, "/keys/{id}/rotate", scope("keys:manage"))
}
