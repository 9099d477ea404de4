//! Users take their own tokens back.

use std::sync::Arc;

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use portcullis::{
    Claims,
    clock::{Clock, SystemClock},
    revocation::Revocation,
};
use portcullis_store::Revocations;
use serde::Deserialize;

use super::problem::Problem;
use crate::revocations::TokenVersions;

/// What revokes the tokens of this issuer.
#[derive(Debug)]
pub(crate) struct Exit {
    issuer: String,
    revocations: Revocations,
    versions: TokenVersions,
}

impl Exit {
    pub(crate) fn new(issuer: &str, revocations: Revocations, versions: TokenVersions) -> Self {
        Self { issuer: issuer.to_owned(), revocations, versions }
    }

    /// One token. Durable when it returns, as everything here.
    pub(super) async fn token(&self, claims: &Claims) -> Result<(), Problem> {
        let (Some(id), Some(expiry)) = (claims.token_id(), claims.expires_at()) else {
            return Err(Problem::impossible(
                "claim_missing",
                "the token has no id (`jti`): revoke its session or user",
            ));
        };
        Ok(self.revocations.revoke(Revocation::token(&self.issuer, id, expiry)).await?)
    }

    /// All tokens of a user that were minted before.
    pub(super) async fn user(&self, name: &str, presented: Option<u64>) -> Result<(), Problem> {
        let version = self.versions.after_log_out(name, presented, SystemClock.now());
        Ok(self.revocations.revoke(Revocation::version(&self.issuer, name, version)).await?)
    }

    /// All tokens that a secret signed.
    pub(super) async fn secret(&self, id: &str) -> Result<(), Problem> {
        Ok(self.revocations.revoke(Revocation::key(&self.issuer, id)).await?)
    }

    /// The session that a token is of.
    async fn session(&self, claims: &Claims) -> Result<(), Problem> {
        match claims.session_id() {
            Some(id) => Ok(self.revocations.revoke(Revocation::session(&self.issuer, id)).await?),
            // Minted by an earlier version of this service: it is all there is of its session.
            None => self.token(claims).await,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Extent {
    only: Option<Only>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Only {
    Token,
}

/// `POST /logout`: the session ends, or with `?only=token` this token alone.
pub(super) async fn session(
    State(exit): State<Arc<Exit>>,
    claims: Claims,
    extent: Result<Query<Extent>, QueryRejection>,
) -> Result<StatusCode, Problem> {
    let Query(extent) = extent.map_err(|_| Problem::malformed("no parameter, or ?only=token"))?;
    match extent.only {
        Some(Only::Token) => exit.token(&claims).await?,
        None => exit.session(&claims).await?,
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /logout-everywhere`: all tokens that the user has, on whatever device.
pub(super) async fn everywhere(State(exit): State<Arc<Exit>>, claims: Claims) -> Result<StatusCode, Problem> {
    let user = claims.subject().ok_or_else(|| Problem::impossible("claim_missing", "the token has no subject"))?;
    exit.user(user, claims.version()).await?;
    Ok(StatusCode::NO_CONTENT)
}
