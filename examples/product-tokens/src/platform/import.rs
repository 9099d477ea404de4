//! Tokens of the earlier system of this product, which programs go on with.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Json, Router,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
    routing::post,
};
use portcullis::Claims;
use portcullis_issuer::api_tokens::{ForeignDigest, Owner};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    Desk, EARLIER_PREFIX,
    problem::Problem,
    tokens::{New, owners_of, shown, user},
};

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/tokens/import", post(import))
}

/// A token of the earlier system, and what it is to be here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Import {
    text: Zeroizing<String>,
    token: New,
}

/// `POST /tokens/import`: the program that has it goes on with it.
///
/// It takes the text, not its digest: who has read the digests of the earlier system, in a copy of its database, could otherwise claim the tokens of others. Only an administrator
/// who imports all of them at once would give digests to [`ApiTokens::import`](portcullis_issuer::api_tokens::ApiTokens::import).
async fn import(
    State(desk): State<Desk>,
    claims: Claims,
    import: Result<Json<Import>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    // The rejection's own message quotes the body.
    let Ok(Json(Import { text, token })) = import else {
        return Err(Problem::refused("request_malformed", r#"send {"text": "legacy_…", "token": {…}}"#));
    };
    if !text.starts_with(EARLIER_PREFIX) {
        return Err(Problem::refused("text_refused", "tokens of the earlier system begin with legacy_"));
    }
    let user = user(&claims)?;
    let owner = token.owner()?.unwrap_or_else(|| Owner::user(user));
    if !owners_of(user).contains(&owner) {
        return Err(Problem::not_found());
    }
    let imported = desk.tokens.import(token.token(owner, user)?, digest_of(&text)?, "").await?;
    Ok((StatusCode::CREATED, Json(shown(&imported))))
}

fn digest_of(text: &str) -> Result<ForeignDigest, Problem> {
    let mut hex = String::with_capacity(64);
    for byte in digest(&SHA256, text.as_bytes()).as_ref() {
        write!(hex, "{byte:02x}").map_err(|error| Problem::unavailable(&error))?;
    }
    ForeignDigest::sha256_hex(&hex).map_err(|error| Problem::unavailable(&error))
}
