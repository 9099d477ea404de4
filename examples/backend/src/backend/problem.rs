//! [`Problem`]: why a request was not done although its caller may make it.

use std::time::Duration;

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use portcullis_issuer::{
    MintError, MintErrorKind,
    api_tokens::ApiTokenError,
    refresh::{RefreshError, StoreError},
};
use serde_json::json;

/// A problem in the form of RFC 9457, as the library's refusals are.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    retry_after: Option<Duration>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), retry_after: None }
    }

    /// The request is not of the form that the route takes, or asks for what cannot be.
    pub(super) fn refused(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// There is no such thing, or none that the caller may see.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is no such thing, or it is not yours")
    }

    /// Another request, or the same one, has done it before.
    fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// The session that the token is of has just ended.
    pub(super) fn session_over() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "session_over", "the session has ended: log in again")
    }

    /// The caller has asked too often.
    pub(super) fn too_many(wait: Duration) -> Self {
        // Rounded up: a second too early would be refused again.
        let wait = Duration::from_secs(wait.as_millis().div_ceil(1000).try_into().unwrap_or(60).max(1));
        let detail = format!("try again in {} s", wait.as_secs());
        Self { retry_after: Some(wait), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail) }
    }

    /// We cannot tell, at the moment. The reason is for the log.
    pub(super) fn unavailable(reason: &dyn std::fmt::Display) -> Self {
        tracing::warn!(%reason, "a request could not be done");
        let retry_after = Some(Duration::from_secs(1));
        Self { retry_after, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "try again later") }
    }

    fn internal(reason: &dyn std::fmt::Display) -> Self {
        tracing::error!(%reason, "a request has failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the log of the backend says why")
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            // The reason is not for the client.
            RefreshError::InvalidGrant(_) => Self::refused("session_over", "the session has ended: log in again"),
            RefreshError::Unavailable(reason) => Self::unavailable(&reason),
            other => Self::internal(&other),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<ApiTokenError> for Problem {
    fn from(error: ApiTokenError) -> Self {
        match error {
            ApiTokenError::Unknown => Self::not_found(),
            ApiTokenError::Unavailable(reason) => Self::unavailable(&reason),
            // It is refused here, and everywhere in a minute.
            ApiTokenError::NotEverywhere(reason) => Self::unavailable(&reason),
            ApiTokenError::TooManyAtOnce => Self::unavailable(&error),
            ApiTokenError::AlreadyRotated { .. } | ApiTokenError::TooMany { .. } => {
                Self::conflict(error.code(), error.to_string())
            }
            // Of the client's own request, so it is no sign of a thief.
            ApiTokenError::AnswerOver { .. } => Self::conflict("rotation_answer_over", error.to_string()),
            other => Self::refused("key_refused", other.to_string()),
        }
    }
}

impl From<MintError> for Problem {
    fn from(error: MintError) -> Self {
        match error.kind() {
            MintErrorKind::Ended => Self::session_over(),
            MintErrorKind::SignerUnavailable => Self::unavailable(&error),
            _ => Self::internal(&error),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, code, detail, retry_after } = self;
        let title = status.canonical_reason();
        let problem =
            json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "code": code, "detail": detail });
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("application/problem+json")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        let mut response = (status, headers, problem.to_string()).into_response();
        if let Some(wait) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, wait.as_secs().into());
        }
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static(r#"Bearer realm="backend", error="invalid_token""#);
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
