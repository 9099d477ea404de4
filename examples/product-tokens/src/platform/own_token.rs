//! What a program does with its own token.

use axum::{
    Json, Router,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use portcullis::{Claims, claims::ClaimRef};
use portcullis_issuer::api_tokens::{ApiTokenId, Owner, RevokedReason};
use serde_json::{Value, json};

use super::{
    Desk,
    problem::Problem,
    tokens::{New, Rotate, answer, malformed, rotation_malformed, shown},
};

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/token", get(what_it_is).delete(revoke))
        .route("/token/rotate", post(rotate))
        .route("/token/derive", post(derive))
}

/// `GET /token`: what it is, and what it may do now, which may be less than it was granted.
async fn what_it_is(State(desk): State<Desk>, claims: Claims) -> Result<Json<Value>, Problem> {
    let token = desk.tokens.find(id(&claims)?).await?.ok_or_else(Problem::not_found)?;
    let mut shown = shown(&token);
    shown["may_now"] = json!({
        "scopes": claims.scopes().iter().collect::<Vec<_>>(),
        "instances": claims.claim("/grants").and_then(ClaimRef::read::<Value>).unwrap_or_else(|| json!({})),
    });
    Ok(Json(shown))
}

/// `DELETE /token`: it revokes itself, with all that were derived from it.
async fn revoke(State(desk): State<Desk>, claims: Claims) -> Result<StatusCode, Problem> {
    desk.tokens.revoke(id(&claims)?, RevokedReason::Asked).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /token/rotate`: a successor, for a program that renews its own token.
async fn rotate(
    State(desk): State<Desk>,
    claims: Claims,
    rotate: Result<Json<Rotate>, JsonRejection>,
) -> Result<Response, Problem> {
    let Ok(Json(rotate)) = rotate else { return Err(rotation_malformed()) };
    let id = id(&claims)?;
    let rotation = rotate.rotation().created_by(id.to_string());
    Ok(answer(StatusCode::OK, &desk.tokens.rotate(id, rotation).await?))
}

/// `POST /token/derive`: a token that can do less, for a part of the program. It ends with this one.
async fn derive(
    State(desk): State<Desk>,
    claims: Claims,
    new: Result<Json<New>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(new) = new.map_err(|_| malformed())?;
    let parent = desk.tokens.find(id(&claims)?).await?.ok_or_else(Problem::not_found)?;
    if new.owner()?.is_some_and(|owner| owner != *parent.owner()) {
        return Err(Problem::refused("owner_given", "the token will belong to the owner of this one"));
    }
    let created_by = parent.id().to_string();
    let new = new.token(parent.owner().clone(), &created_by)?;
    Ok(answer(StatusCode::CREATED, &desk.tokens.derive(parent.id(), new).await?))
}

fn id(claims: &Claims) -> Result<ApiTokenId, Problem> {
    claims.token_id().and_then(|id| id.parse().ok()).ok_or_else(Problem::not_found)
}

/// Returns the owner of the token that was presented.
pub(super) async fn owner(desk: &Desk, claims: &Claims) -> Result<Owner, Problem> {
    let token = desk.tokens.find(id(claims)?).await?.ok_or_else(Problem::not_found)?;
    Ok(token.owner().clone())
}
