//! What users see of their account: sessions, and what they allow other applications.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use portcullis::Claims;
use portcullis_issuer::{
    refresh::{EndReason, FamilyId},
    server::OAuthError,
};
use serde_json::{Value, json};

use super::IdentityProvider;

pub(super) fn routes() -> Router<IdentityProvider> {
    Router::new()
        .route("/api/sessions", get(sessions))
        .route("/api/sessions/{id}/end", post(end))
        .route("/api/consents", get(consents))
        .route("/api/consents/{client}/withdraw", post(withdraw))
}

async fn sessions(State(provider): State<IdentityProvider>, claims: Claims) -> Result<Json<Value>, OAuthError> {
    let sessions = provider.sessions.sessions_of(claims.subject().unwrap_or_default()).await?;
    let shown = sessions.iter().filter(|session| session.ended.is_none()).map(|session| {
        let id = session.id.session_id();
        json!({
            "is_current": claims.session_id() == Some(&*id),
            "id": id,
            "client": session.log_in.client_id(),
            "label": session.log_in.name(),
            "since": session.log_in.at().as_secs(),
            "last_refresh": session.rotated_at.map(|at| at.to_unix().as_secs()),
        })
    });
    Ok(Json(shown.collect()))
}

async fn end(
    State(provider): State<IdentityProvider>,
    claims: Claims,
    Path(id): Path<String>,
) -> Result<StatusCode, OAuthError> {
    let Some(id) = FamilyId::from_session_id(&id) else { return Ok(StatusCode::NOT_FOUND) };
    // Only one of the user's own: the id of another's is as good as unknown.
    let is_theirs = provider.sessions.end_of(claims.subject().unwrap_or_default(), id, EndReason::LoggedOut).await;
    Ok(if is_theirs? { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND })
}

async fn consents(State(provider): State<IdentityProvider>, claims: Claims) -> Result<Json<Value>, OAuthError> {
    let consents = provider.server.consents_of(claims.subject().unwrap_or_default()).await?;
    let shown = consents.iter().map(
        |consent| json!({ "client": consent.client_id(), "scopes": consent.scopes(), "since": consent.at().as_secs() }),
    );
    Ok(Json(shown.collect()))
}

async fn withdraw(
    State(provider): State<IdentityProvider>,
    claims: Claims,
    Path(client): Path<String>,
) -> Result<StatusCode, OAuthError> {
    let was_there = provider.server.withdraw_consent(claims.subject().unwrap_or_default(), &client).await?;
    Ok(if was_there { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND })
}
