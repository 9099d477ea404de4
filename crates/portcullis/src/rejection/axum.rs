//! [`AuthRejection`]: the rejection of axum's extractors.

use std::{error::Error, fmt};

use axum_core::response::{IntoResponse, Response};
use portcullis_core::AuthError;

use super::{BearerChallenge, respond};

/// Why an extractor refused a request, and how to answer.
///
/// Return it from a handler unchanged, or read [`error`](Self::error) and answer in your own way.
#[derive(Debug)]
pub struct AuthRejection {
    error: AuthError,
    challenge: BearerChallenge,
}

impl AuthRejection {
    /// Returns a rejection because of `error`, answered as `challenge` is configured.
    pub fn new(error: AuthError, challenge: BearerChallenge) -> Self {
        Self { error, challenge }
    }

    /// Returns the error.
    pub fn error(&self) -> &AuthError {
        &self.error
    }

    /// Returns the error by value.
    pub fn into_error(self) -> AuthError {
        self.error
    }
}

/// Answers with a bare `Bearer` challenge where one is needed.
impl From<AuthError> for AuthRejection {
    fn from(error: AuthError) -> Self {
        Self::new(error, BearerChallenge::new())
    }
}

impl IntoResponse for AuthRejection {
    fn into_response(self) -> Response {
        respond(&self.challenge, &self.error)
    }
}

impl fmt::Display for AuthRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl Error for AuthRejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}
