//! A name and a password in, a token out.
//!
//! The answers have the form of RFC 6749 section 5, so that OAuth clients can read them.

use std::{sync::Arc, thread};

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::{StatusCode, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
};
use portcullis::clock::{Clock, SystemClock};
use serde::Deserialize;
use serde_json::json;
use tokio::{sync::Semaphore, task};
use zeroize::Zeroizing;

use crate::{mint::Mint, users::Users};

/// Names and passwords are short.
pub(super) const BODY_LIMIT: usize = 4 * 1024;

/// Where users get their tokens.
#[derive(Debug)]
pub(crate) struct LoginDesk {
    users: Arc<Users>,
    mint: Mint,
    /// Checking a password takes a core and 19 MiB for a while, so only so many at once, and the others wait. How many
    /// attempts anybody has is for a rate limit in front.
    turns: Arc<Semaphore>,
}

impl LoginDesk {
    pub(crate) fn new(users: Users, mint: Mint) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self { users: Arc::new(users), mint, turns: Arc::new(Semaphore::new(cores)) }
    }

    async fn token(&self, credentials: Credentials) -> Result<Response, Refusal> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Refusal::OutOfOrder)?;
        let users = Arc::clone(&self.users);
        let check = task::spawn_blocking(move || {
            // Goes with the work, which a client that hangs up does not end.
            let _turn = turn;
            users.check(&credentials.username, &credentials.password)
        });
        let user = check.await.map_err(|_| Refusal::OutOfOrder)?.ok_or(Refusal::WrongCredentials)?;
        let token = self.mint.mint(&user, SystemClock.now()).map_err(|error| {
            tracing::error!(%error, "no token was minted");
            Refusal::OutOfOrder
        })?;
        let body = json!({
            "access_token": token.expose(),
            "token_type": "Bearer",
            "expires_in": token.expires_in,
        });
        Ok(([(CACHE_CONTROL, "no-store")], Json(body)).into_response())
    }
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    username: String,
    password: Zeroizing<String>,
}

/// `POST /login`.
pub(super) async fn login(
    State(desk): State<Arc<LoginDesk>>,
    credentials: Result<Json<Credentials>, JsonRejection>,
) -> Result<Response, Refusal> {
    // The rejection's own message quotes the body.
    let Json(credentials) = credentials.map_err(|_| Refusal::Malformed)?;
    desk.token(credentials).await
}

/// Why there is no token. The answer does not reveal whether the name or the password was wrong.
#[derive(Debug)]
pub(super) enum Refusal {
    Malformed,
    WrongCredentials,
    OutOfOrder,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error, description) = match self {
            Self::Malformed => (
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "send {\"username\": \"…\", \"password\": \"…\"} as application/json",
            ),
            Self::WrongCredentials => (StatusCode::BAD_REQUEST, "invalid_grant", "wrong name or password"),
            Self::OutOfOrder => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                "no token can be minted for this user; the service's log says why",
            ),
        };
        let body = json!({ "error": error, "error_description": description });
        (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
    }
}
