//! What other applications ask of a user: the page is static, and its script asks this API, with the user's access token.
//!
//! So no form can be sent here by a page of another site: a browser does not add the token by itself.

use axum::{
    Json, Router,
    extract::{Query, RawQuery, State},
    response::{IntoResponse, Response},
    routing::get,
};
use portcullis::Claims;
use portcullis_issuer::server::{Approval, AuthorizationError, Denial, OAuthError, OAuthErrorCode, Prompt};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Desk, pages};

/// The pages, for everyone.
pub(super) fn pages() -> Router<Desk> {
    Router::new().route("/", get(pages::app)).route("/authorize", get(page)).route("/device", get(pages::app))
}

/// The API, for users who have logged in.
pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/api/authorization", get(asked).post(answered))
        .route("/api/device", get(device).post(device_answered))
}

/// The page for a request that is valid. Otherwise, no user is bothered.
async fn page(State(desk): State<Desk>, RawQuery(query): RawQuery) -> Result<Response, AuthorizationError> {
    let request = desk.server.authorization_request(&query.unwrap_or_default()).await?;
    if request.asks_for(Prompt::None) {
        // The page finds out who the user is, and it is not to be shown.
        return Ok(request.deny(Denial::InteractionRequired).into_response());
    }
    Ok(pages::app().await.into_response())
}

async fn asked(
    State(desk): State<Desk>,
    claims: Claims,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, AuthorizationError> {
    let request = desk.server.authorization_request(&query.unwrap_or_default()).await?;
    let subject = claims.subject().unwrap_or_default();
    Ok(Json(json!({
        "client": request.client().display_name(),
        "redirect_uri": request.redirect_uri(),
        "scopes": request.scopes().collect::<Vec<_>>(),
        "needs_consent": request.needs_consent(subject).await?,
    })))
}

#[derive(Deserialize)]
struct Answer {
    /// The query of the request, or the code of a device.
    #[serde(alias = "user_code")]
    query: String,
    allow: bool,
}

/// Answers where the browser goes.
async fn answered(
    State(desk): State<Desk>,
    claims: Claims,
    Json(Answer { query, allow }): Json<Answer>,
) -> Result<Json<Value>, AuthorizationError> {
    let request = desk.server.authorization_request(&query).await?;
    let answer = if allow {
        let scopes: Vec<_> = request.scopes().map(str::to_owned).collect();
        request.grant(approval(&claims).scopes(scopes).label(request.client().display_name())).await?
    } else {
        request.deny(Denial::Denied)
    };
    Ok(Json(json!({ "location": answer.location() })))
}

#[derive(Deserialize)]
struct Shown {
    user_code: String,
}

async fn device(
    State(desk): State<Desk>,
    _: Claims,
    Query(Shown { user_code }): Query<Shown>,
) -> Result<Json<Value>, OAuthError> {
    let request = desk.server.device_request(&user_code).await?.ok_or_else(unknown_code)?;
    let scopes: Vec<_> = request.scopes().collect();
    Ok(Json(json!({ "client": request.client().display_name(), "user_code": request.user_code(), "scopes": scopes })))
}

async fn device_answered(
    State(desk): State<Desk>,
    claims: Claims,
    Json(Answer { query, allow }): Json<Answer>,
) -> Result<Json<Value>, OAuthError> {
    let request = desk.server.device_request(&query).await?.ok_or_else(unknown_code)?;
    if allow {
        let scopes: Vec<_> = request.scopes().map(str::to_owned).collect();
        request.grant(approval(&claims).scopes(scopes).label(request.client().display_name())).await?;
    } else {
        request.deny().await?;
    }
    Ok(Json(json!({ "allowed": allow })))
}

fn approval(claims: &Claims) -> Approval {
    Approval::by(claims.subject().unwrap_or_default())
}

fn unknown_code() -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidRequest, "there is no such code, or it has expired")
}
