//! A name and a password in; a cookie and an access token out.

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State, rejection::JsonRejection},
    http::{HeaderMap, header::USER_AGENT},
    response::{IntoResponse, Response},
    routing::post,
};
use portcullis_issuer::{
    refresh::LogIn,
    server::{OAuthError, OAuthErrorCode},
};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Desk;

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: Zeroizing<String>,
}

pub(super) fn routes() -> Router<Desk> {
    // Names and passwords are short.
    Router::new().route("/session/log_in", post(log_in).layer(DefaultBodyLimit::max(4096)))
}

async fn log_in(
    State(desk): State<Desk>,
    headers: HeaderMap,
    credentials: Result<Json<Credentials>, JsonRejection>,
) -> Response {
    let refused = |why| OAuthError::new(OAuthErrorCode::InvalidGrant, why).into_response();
    // The rejection's own message quotes the body.
    let Ok(Json(Credentials { username, password })) = credentials else {
        return refused("send a name and a password");
    };
    match desk.users.check(username.clone(), password).await {
        Ok(true) => {}
        Ok(false) => return refused("wrong name or password"),
        Err(error) => {
            tracing::error!(error, "no password can be checked");
            return OAuthError::new(OAuthErrorCode::ServerError, "try again later").into_response();
        }
    }
    let log_in = LogIn::new(&username, "dashboard")
        .scope(&desk.users.scopes(&username))
        .audience(&desk.settings.dashboard_audience)
        .audience(&desk.settings.orders_audience)
        .log_out_at(&desk.log_out_at)
        .label(device_of(&headers));
    desk.browser.log_in(&headers, log_in, Some(&desk.settings.dashboard_audience)).await.into_response()
}

/// A name under which the user finds this session in the list.
fn device_of(headers: &HeaderMap) -> String {
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let first = |names: &[&'static str]| names.iter().copied().find(|name| agent.contains(name));
    let browser = first(&["Firefox", "Edg", "Chrome", "Safari", "curl"]).unwrap_or("A browser");
    let system = first(&["Android", "iPhone", "Windows", "Mac OS", "Linux"]).unwrap_or("an unknown system");
    format!("{browser} on {system}")
}
