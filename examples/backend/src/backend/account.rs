//! The user's own account.

use axum::{
    Json, Router,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
    routing::{get, put},
};
use portcullis::Claims;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Desk, problem::Problem};

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/account", get(account))
        .route("/account/password", put(password))
        .route("/account/mail", put(mail))
}

/// `GET /account`: who the caller is. A function asks this about the user whose JWT it was given.
async fn account(State(desk): State<Desk>, claims: Claims) -> Result<Json<Value>, Problem> {
    let name = claims.subject().unwrap_or_default();
    let (mail, role) = desk.users.find(name).ok_or_else(Problem::not_found)?;
    Ok(Json(json!({ "name": name, "mail": mail, "role": role })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    old: Zeroizing<String>,
    new: Zeroizing<String>,
}

/// As NIST SP 800-63B asks for at least.
const SHORTEST_PASSWORD: usize = 8;

/// `PUT /account/password`. The user's other sessions end, with all the JWTs that came of them.
///
/// If they could not be ended, the answer is 503, and the new password holds: the user asks again, with it as the old one, too.
async fn password(
    State(desk): State<Desk>,
    claims: Claims,
    passwords: Result<Json<NewPassword>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    // The rejection's own message quotes the body.
    let Ok(Json(NewPassword { old, new })) = passwords else {
        return Err(Problem::refused("request_malformed", "send the old and the new password"));
    };
    if new.chars().count() < SHORTEST_PASSWORD {
        return Err(Problem::refused("password_short", format!("it needs {SHORTEST_PASSWORD} characters")));
    }
    let name = claims.subject().unwrap_or_default();
    if !desk.users.check(name, old).await? {
        return Err(Problem::refused("password_wrong", "that is not the old password"));
    }
    desk.users.set_password(name, new).await?;
    desk.sessions.end_others(&claims).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMail {
    mail: String,
}

/// `PUT /account/mail`.
async fn mail(
    State(desk): State<Desk>,
    claims: Claims,
    mail: Result<Json<NewMail>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Ok(Json(NewMail { mail })) = mail else {
        return Err(Problem::refused("request_malformed", "send an address"));
    };
    desk.users.set_mail(claims.subject().unwrap_or_default(), mail)?;
    Ok(StatusCode::NO_CONTENT)
}
