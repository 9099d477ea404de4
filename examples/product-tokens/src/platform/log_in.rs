//! Logging in on the page.

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State, rejection::JsonRejection},
    http::{StatusCode, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use portcullis::Claims;
use portcullis_issuer::{
    AccessToken,
    api_tokens::{Owner, RevokedReason},
};
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Desk, problem::Problem, tokens::owners_of};

/// The page, as a client of the product.
const CLIENT: &str = "page";

/// What needs no token.
pub(super) fn public_routes() -> Router<Desk> {
    // Names and passwords are short.
    Router::new().route("/session", post(log_in)).layer(DefaultBodyLimit::max(4096))
}

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/account", get(account).delete(close))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    username: String,
    password: Zeroizing<String>,
}

/// `POST /session`: an access token for some minutes. The platform example shows sessions that are refreshed.
async fn log_in(
    State(desk): State<Desk>,
    credentials: Result<Json<Credentials>, JsonRejection>,
) -> Result<Response, Problem> {
    // The rejection's own message quotes the body.
    let Ok(Json(Credentials { username, password })) = credentials else {
        return Err(Problem::refused("request_malformed", "send a name and a password"));
    };
    // The password is checked in any case, so that it takes as long.
    if !desk.users.check(&username, password).await? || !desk.rights.has(&Owner::user(&username)) {
        return Err(Problem::refused("log_in_refused", "wrong name or password"));
    }
    let minted = desk.issuer.mint(&AccessToken::for_user(&username, CLIENT)).await?;
    let body = json!({ "access_token": minted.token(), "expires_in": minted.expires_in() });
    Ok(([(CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

/// `GET /account`: who has logged in, and whose tokens this user manages.
async fn account(claims: Claims) -> Result<Json<Value>, Problem> {
    let user = claims.subject().ok_or_else(Problem::not_found)?;
    let owners: Vec<_> =
        owners_of(user).iter().map(|owner| json!({ "kind": owner.kind(), "id": owner.id() })).collect();
    Ok(Json(json!({ "user": user, "owners": owners })))
}

/// `DELETE /account`: the user's own tokens end at once. Those of the organisation and the application go on, also those that this user has made.
async fn close(State(desk): State<Desk>, claims: Claims) -> Result<StatusCode, Problem> {
    let owner = Owner::user(claims.subject().ok_or_else(Problem::not_found)?);
    // In this order, so that none is made meanwhile: there is no such owner any more.
    desk.rights.close(&owner);
    desk.tokens.revoke_all_of(&owner, RevokedReason::OwnerGone).await?;
    Ok(StatusCode::NO_CONTENT)
}
