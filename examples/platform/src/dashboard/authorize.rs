//! What other applications ask of a user: the page is static, and its script asks this API, with the user's access token.
//!
//! So no form can be sent here by a page of another site: a browser does not add the token by itself.

use axum::{
    Json, Router,
    extract::{Query, RawQuery, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use portcullis::{Claims, clock::UnixTime};
use portcullis_issuer::server::{AuthorizationError, Decision, Denial, OAuthError, OAuthErrorCode, Prompt, Visitor};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{IdentityProvider, pages};

/// The pages, for everyone.
pub(super) fn pages() -> Router<IdentityProvider> {
    Router::new().route("/", get(pages::app)).route("/authorize", get(page)).route("/device", get(pages::app))
}

/// The API, for users who have logged in.
pub(super) fn routes() -> Router<IdentityProvider> {
    Router::new()
        .route("/api/authorization", post(asked))
        .route("/api/authorization/answer", post(answered))
        .route("/api/device", get(device).post(device_answered))
}

/// The page for a request that is valid. Otherwise, no user is bothered.
async fn page(
    State(provider): State<IdentityProvider>,
    RawQuery(query): RawQuery,
) -> Result<Response, AuthorizationError> {
    let request = provider.server.authorization_request(&query.unwrap_or_default()).await?;
    if request.asks_for(Prompt::None) {
        // The page finds out who the user is, and it is not to be shown.
        return Ok(request.deny(Denial::InteractionRequired).into_response());
    }
    Ok(pages::app().await.into_response())
}

/// What the browser has: the query of a request, or the ticket of one for which the user had to log in first.
#[derive(Deserialize)]
struct Asked {
    query: Option<String>,
    ticket: Option<String>,
}

/// Says what the page does next.
async fn asked(
    State(provider): State<IdentityProvider>,
    claims: Claims,
    Json(Asked { query, ticket }): Json<Asked>,
) -> Result<Json<Value>, AuthorizationError> {
    let request = match ticket {
        Some(ticket) => provider.server.resume_request(&ticket).await?,
        None => provider.server.authorization_request(&query.unwrap_or_default()).await?,
    };
    let client = request.client().display_name();
    let next = match request.decide(Some(&visitor(&claims))).await? {
        Decision::Ask(question) => json!({
            "next": "ask",
            "ticket": question.ticket(),
            "client": client,
            // The name is the client's own choice, and its id may be a URL.
            "client_id": request.client().id(),
            "redirect_uri": request.redirect_uri(),
            "scopes": request.scopes().collect::<Vec<_>>(),
        }),
        Decision::Grant(permitted) => json!({ "next": "go", "location": permitted.grant().await?.location() }),
        Decision::Answer(answer) => json!({ "next": "go", "location": answer.location() }),
        // The client wants the user to log in again.
        Decision::LogIn => json!({ "next": "log_in", "ticket": request.ticket() }),
        _ => return Err(OAuthError::new(OAuthErrorCode::ServerError, "the page does not know this decision").into()),
    };
    Ok(Json(next))
}

#[derive(Deserialize)]
struct Answer {
    ticket: String,
    allow: bool,
}

/// Answers where the browser goes.
async fn answered(
    State(provider): State<IdentityProvider>,
    claims: Claims,
    Json(Answer { ticket, allow }): Json<Answer>,
) -> Result<Json<Value>, AuthorizationError> {
    let question = provider.server.resume_question(&ticket, &visitor(&claims)).await?;
    let answer = if allow {
        let scopes: Vec<_> = question.request().scopes().map(str::to_owned).collect();
        question.allow(scopes).await?
    } else {
        question.deny()
    };
    Ok(Json(json!({ "location": answer.location() })))
}

#[derive(Deserialize)]
struct Shown {
    user_code: String,
}

async fn device(
    State(provider): State<IdentityProvider>,
    claims: Claims,
    Query(Shown { user_code }): Query<Shown>,
) -> Result<Json<Value>, OAuthError> {
    let request = provider.server.device_request(&user_code).await?.ok_or_else(unknown_code)?;
    let client = request.client().display_name();
    Ok(Json(json!({
        "ticket": request.ticket(&visitor(&claims)).await?,
        "client": client,
        "user_code": request.user_code(),
        "scopes": request.scopes().collect::<Vec<_>>(),
    })))
}

async fn device_answered(
    State(provider): State<IdentityProvider>,
    claims: Claims,
    Json(Answer { ticket, allow }): Json<Answer>,
) -> Result<Json<Value>, OAuthError> {
    let question = provider.server.resume_device(&ticket, &visitor(&claims)).await?;
    if allow {
        let scopes: Vec<_> = question.request().scopes().map(str::to_owned).collect();
        question.allow(scopes).await?;
    } else {
        question.deny().await?;
    }
    Ok(Json(json!({ "allowed": allow })))
}

/// The user of the page, in its session. A token that does not say when the user has logged in is of one who has never.
fn visitor(claims: &Claims) -> Visitor {
    let at = claims.authenticated_at().unwrap_or(UnixTime::from_secs(0));
    Visitor::new(claims.subject().unwrap_or_default(), claims.session_id().unwrap_or_default(), at)
}

fn unknown_code() -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidRequest, "there is no such code, or it has expired")
}
