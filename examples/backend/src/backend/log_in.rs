//! Logging in, refreshing, and logging out.

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State, rejection::JsonRejection},
    http::{StatusCode, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
    routing::{delete, post},
};
use portcullis::Claims;
use portcullis_issuer::refresh::Tokens;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Desk, problem::Problem};

/// What needs no token.
pub(super) fn public_routes() -> Router<Desk> {
    // Names, passwords and tokens are short.
    Router::new()
        .route("/session", post(log_in))
        .route("/session/refresh", post(refresh))
        .layer(DefaultBodyLimit::max(4096))
}

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/session", delete(log_out))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    username: String,
    password: Zeroizing<String>,
}

/// `POST /session`.
async fn log_in(
    State(desk): State<Desk>,
    credentials: Result<Json<Credentials>, JsonRejection>,
) -> Result<Response, Problem> {
    // The rejection's own message quotes the body.
    let Ok(Json(Credentials { username, password })) = credentials else {
        return Err(Problem::refused("request_malformed", "send a name and a password"));
    };
    if !desk.users.check(&username, password).await? {
        return Err(Problem::refused("log_in_refused", "wrong name or password"));
    }
    Ok(answer(&desk.sessions.log_in(&username).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refresh {
    refresh_token: Zeroizing<String>,
}

/// `POST /session/refresh`.
async fn refresh(State(desk): State<Desk>, refresh: Result<Json<Refresh>, JsonRejection>) -> Result<Response, Problem> {
    let Ok(Json(Refresh { refresh_token })) = refresh else {
        return Err(Problem::refused("request_malformed", "send a refresh token"));
    };
    Ok(answer(&desk.sessions.refresh(&refresh_token).await?))
}

/// `DELETE /session`: the one of the token.
async fn log_out(State(desk): State<Desk>, claims: Claims) -> Result<StatusCode, Problem> {
    desk.sessions.end(&claims).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn answer(tokens: &Tokens) -> Response {
    let body = json!({
        "access_token": tokens.access().token(),
        "expires_in": tokens.access().expires_in(),
        "refresh_token": tokens.refresh_token(),
        "session_ends_by": tokens.session().ends_at().to_unix().as_secs(),
    });
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
