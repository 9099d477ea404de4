//! [`Problem`]: why a request was not done although its caller may make it.

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use portcullis_issuer::{MintError, StoreError, api_tokens::ApiTokenError, server::OAuthError};
use serde_json::json;

/// A problem in the form of RFC 9457, as the library's refusals are.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into() }
    }

    /// The request is not of the form that the route takes, or asks for what cannot be.
    pub(super) fn refused(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// There is no such thing, or none that the caller may see.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is no such thing, or it is not yours")
    }

    /// It was done by someone else meanwhile, or there is one already.
    pub(super) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// We cannot tell, at the moment. The reason is for the log.
    pub(super) fn unavailable(reason: &dyn std::fmt::Display) -> Self {
        tracing::warn!(%reason, "a request could not be done");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "try again later")
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
            // A revocation that is not known everywhere is one: it is refused here, and everywhere in a minute.
            ApiTokenError::Unavailable(_) | ApiTokenError::NotEverywhere(_) | ApiTokenError::TooManyAtOnce => {
                Self::unavailable(&error)
            }
            ApiTokenError::AlreadyRotated { .. } | ApiTokenError::TooMany { .. } => {
                Self::conflict(error.code(), error.to_string())
            }
            // Of the client's own request, so it is no sign of a thief.
            ApiTokenError::AnswerOver { .. } => Self::conflict("rotation_answer_over", error.to_string()),
            other => Self::refused("token_refused", other.to_string()),
        }
    }
}

/// What the server answers to the page: a ticket that is too old, for example.
impl From<OAuthError> for Problem {
    fn from(error: OAuthError) -> Self {
        match error.code().status() {
            500.. => Self::unavailable(&error),
            _ => Self::refused(error.code().name(), error.description().to_owned()),
        }
    }
}

impl From<MintError> for Problem {
    fn from(error: MintError) -> Self {
        Self::unavailable(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, code, detail } = self;
        let title = status.canonical_reason();
        let problem =
            json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "code": code, "detail": detail });
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("application/problem+json")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        let mut response = (status, headers, problem.to_string()).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use portcullis_issuer::api_tokens::ApiTokenId;

    use super::*;

    #[test]
    fn a_client_can_tell_its_own_late_request_from_that_of_another() {
        let by: ApiTokenId = "01J9ZK8C3QV6T5W4X2Y1R0ABCD".parse().unwrap();
        let late = Problem::from(ApiTokenError::AnswerOver { by });
        assert_eq!((late.status, late.code), (StatusCode::CONFLICT, "rotation_answer_over"));
        let of_another = Problem::from(ApiTokenError::AlreadyRotated { by });
        assert_eq!((of_another.status, of_another.code), (StatusCode::CONFLICT, "already_rotated"));
    }
}
