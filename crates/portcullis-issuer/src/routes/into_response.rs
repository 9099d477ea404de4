//! Answers as responses of axum, for applications that have routes of their own.

use axum_core::{
    body::Body,
    response::{IntoResponse, Response},
};

use super::answer;
use crate::{
    documents::DocumentAnswer,
    server::{AuthorizationAnswer, AuthorizationError, OAuthError, TokenResponse},
};

/// JSON with the status of the error, `Cache-Control: no-store`, and `WWW-Authenticate` or `Retry-After` where they belong.
impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        answer::error(&self).map(Body::from)
    }
}

/// JSON with `Cache-Control: no-store`.
impl IntoResponse for TokenResponse {
    fn into_response(self) -> Response {
        answer::token(&self).map(Body::from)
    }
}

/// A redirect with status 303, `Cache-Control: no-store` and `Referrer-Policy: no-referrer`.
impl IntoResponse for AuthorizationAnswer {
    fn into_response(self) -> Response {
        answer::redirect(&self).map(Body::from)
    }
}

/// The redirect, or a plain page that says that the request cannot be answered.
impl IntoResponse for AuthorizationError {
    fn into_response(self) -> Response {
        answer::authorization_error(&self).map(Body::from)
    }
}

/// For `GET`; for `HEAD`, axum leaves out the body.
impl IntoResponse for DocumentAnswer<'_> {
    fn into_response(self) -> Response {
        answer::document(&self).map(Body::from)
    }
}
