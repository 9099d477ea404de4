//! What the administrator does with users, with an API key that has the scope.

use axum::{
    Json, Router,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
    routing::{delete, get},
};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Desk, problem::Problem};

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/users", get(list).post(add)).route("/users/{name}/sessions", delete(end_sessions))
}

async fn list(State(desk): State<Desk>) -> Json<Vec<String>> {
    Json(desk.users.names())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUser {
    name: String,
    password: Zeroizing<String>,
    mail: String,
}

async fn add(
    State(desk): State<Desk>,
    new: Result<Json<NewUser>, JsonRejection>,
) -> Result<(StatusCode, Json<String>), Problem> {
    // The rejection's own message quotes the body.
    let Ok(Json(NewUser { name, password, mail })) = new else {
        return Err(Problem::refused("request_malformed", "send a name, a password and a mail address"));
    };
    if !desk.users.add(&name, password, mail).await? {
        return Err(Problem::refused("name_taken", "there is a user of this name"));
    }
    Ok((StatusCode::CREATED, Json(name)))
}

/// `DELETE /users/{name}/sessions`: the user is logged out everywhere, and so is every function that acts as this user.
async fn end_sessions(State(desk): State<Desk>, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    desk.users.find(&name).ok_or_else(Problem::not_found)?;
    desk.sessions.end_all_of(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}
