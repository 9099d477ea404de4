//! Why a request was not done although its caller may make it.

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use portcullis::revocation::LogError;
use serde_json::json;

/// A problem in the form of RFC 9457, as the library's refusals are.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

impl Problem {
    /// The request is not of the form that the route takes.
    pub(super) fn malformed(expected: &str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "request_malformed", detail: expected.to_owned() }
    }

    /// It is well-formed, and asks for what cannot be.
    pub(super) fn impossible(code: &'static str, detail: impl Into<String>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, code, detail: detail.into() }
    }

    /// We cannot tell, at the moment.
    pub(super) fn unavailable(code: &'static str, detail: impl Into<String>) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, code, detail: detail.into() }
    }
}

/// The log could not be written: the library has logged why, and goes on trying for as long as this instance lives.
impl From<LogError> for Problem {
    fn from(_: LogError) -> Self {
        let detail =
            "revoked on this instance; the others learn of it as soon as the log of revocations can be written";
        Self::unavailable("revocation_not_durable", detail)
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
