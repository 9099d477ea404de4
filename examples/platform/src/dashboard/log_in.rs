//! A name and a password in; a cookie and an access token out.

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State, rejection::JsonRejection},
    http::{
        HeaderMap, StatusCode,
        header::{COOKIE, USER_AGENT},
    },
    response::{IntoResponse, Response},
    routing::post,
};
use portcullis_issuer::server::{OAuthError, OAuthErrorCode, PageLogIn};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::IdentityProvider;

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: Zeroizing<String>,
}

pub(super) fn routes() -> Router<IdentityProvider> {
    // Names and passwords are short.
    Router::new().route("/session/log_in", post(log_in).layer(DefaultBodyLimit::max(4096)))
}

async fn log_in(
    State(provider): State<IdentityProvider>,
    headers: HeaderMap,
    credentials: Result<Json<Credentials>, JsonRejection>,
) -> Response {
    let refused = |why| OAuthError::new(OAuthErrorCode::InvalidGrant, why).into_response();
    // The rejection's own message quotes the body.
    let Ok(Json(Credentials { username, password })) = credentials else {
        return refused("send a name and a password");
    };
    match provider.users.check(&username, password).await {
        Ok(true) => {}
        Ok(false) => return refused("wrong name or password"),
        Err(error) => {
            tracing::error!(error, "no password can be checked");
            return OAuthError::new(OAuthErrorCode::ServerError, "try again later").into_response();
        }
    }
    let log_in = PageLogIn::new(&username)
        .scope(&provider.users.scopes(&username))
        .resource(&provider.settings.dashboard_audience)
        .label(device_of(&headers));
    let response = provider.browser.log_in(&headers, log_in).await;
    if response.status() == StatusCode::OK {
        end_replaced(&provider, &headers).await;
    }
    response.into_response()
}

/// Ends the session that this browser has had until now: its cookie is replaced, so that the browser cannot log out of it any more.
async fn end_replaced(provider: &IdentityProvider, headers: &HeaderMap) {
    let texts = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let session =
        texts.flat_map(|cookies| cookies.split("; ")).find_map(|cookie| cookie.strip_prefix("__Host-session="));
    let Some(session) = session else { return };
    if let Err(error) = provider.sessions.end_by_token(session, "dashboard").await {
        tracing::warn!(%error, "a session goes on, though a log-in has replaced it");
    }
}

/// A name under which the user finds this session in the list.
fn device_of(headers: &HeaderMap) -> String {
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let first =
        |known: &[(&str, &'static str)]| known.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    // Edge also names Chrome and Safari, and Chrome also names Safari.
    let browsers =
        [("Firefox", "Firefox"), ("Edg", "Edge"), ("Chrome", "Chrome"), ("Safari", "Safari"), ("curl", "curl")];
    let systems =
        [("Android", "Android"), ("iPhone", "iPhone"), ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux")];
    let (browser, system) = (first(&browsers).unwrap_or("A browser"), first(&systems).unwrap_or("an unknown system"));
    format!("{browser} on {system}")
}
