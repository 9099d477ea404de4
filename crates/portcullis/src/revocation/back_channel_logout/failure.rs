//! [`Failure`]: why a logout failed, with the answer for the provider.

use std::{borrow::Cow, time::Duration};

use http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE},
};
use portcullis_core::{AuthError, Code, error::AuthErrorKind, revocation::LogError};
use serde::Serialize;

use crate::{
    rejection::{ServiceCode, say_when_to_retry},
    revocation::body::Unread,
    telemetry,
};

/// Why a logout failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The method is not `POST`.
    Method,
    /// The body is not a form.
    Type,
    /// The form could not be read.
    Unread(Unread),
    /// The form, or the content of the token, is invalid.
    Request(&'static str),
    /// The token was refused, or could not be decided.
    Token(AuthError),
    /// The revocation could not be stored durably.
    NotDurable(LogError),
}

/// The members of RFC 6749 section 5.2, which section 2.8 refers to, and our own `code`.
#[derive(Serialize)]
struct Content<'a> {
    error: &'static str,
    error_description: &'a str,
    code: &'static str,
}

impl Failure {
    /// Returns the answer, and writes the log event: there is exactly one answer for each failure.
    pub(super) fn response(&self) -> Response<String> {
        match self {
            Self::Token(error) => telemetry::request_refused(error, None),
            Self::NotDurable(error) => telemetry::revocation_failed(error),
            _ => {}
        }
        let (status, description) = (self.status(), self.description());
        let code = self.code();
        let name = match code {
            Ok(code) => code.as_str(),
            Err(code) => code.as_str(),
        };
        let content = Content { error: error_name(status), error_description: &description, code: name };
        // Text always serializes; even with an empty body, this would still be a refusal.
        let mut response = Response::new(serde_json::to_string(&content).unwrap_or_default());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            say_when_to_retry(headers, self.retry_after());
        }
        match code {
            Ok(code) => drop(response.extensions_mut().insert(code)),
            Err(code) => drop(response.extensions_mut().insert(code)),
        }
        response
    }

    /// Returns the code of this service, or the token's code as `Err` if the failure is about the token.
    fn code(&self) -> Result<ServiceCode, Code> {
        match self {
            Self::Method => Ok(ServiceCode::MethodNotAllowed),
            Self::Type => Ok(ServiceCode::MediaTypeNotSupported),
            Self::Unread(Unread::TooLong) => Ok(ServiceCode::BodyTooLong),
            Self::Unread(Unread::BrokenOff) => Ok(ServiceCode::BodyUnreadable),
            Self::Request(_) => Ok(ServiceCode::RequestMalformed),
            Self::NotDurable(_) => Ok(ServiceCode::RevocationNotDurable),
            Self::Token(error) => Err(error.code()),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Type => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unread(Unread::TooLong) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unread(Unread::BrokenOff) | Self::Request(_) => StatusCode::BAD_REQUEST,
            Self::Token(error) => status_of(error.kind()),
            Self::NotDurable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Uses only the characters that RFC 6749 section 5.2 allows: ASCII without `"` and `\`.
    fn description(&self) -> Cow<'static, str> {
        match self {
            Self::Method => "send the logout token by POST".into(),
            Self::Type => "send the logout token in a form: application/x-www-form-urlencoded, not compressed".into(),
            Self::Unread(Unread::TooLong) => "the form is too long: 32 KiB are read".into(),
            Self::Unread(Unread::BrokenOff) => "the form was cut short: send it again".into(),
            Self::Request(description) => (*description).into(),
            Self::Token(error) => format!("{}: {}", error.code(), error.description()).into(),
            Self::NotDurable(_) => "the logout could not be stored durably: send the same request again".into(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Token(error) => error.retry_after(),
            _ => None,
        }
    }
}

/// Every fault of the token gets the same status (section 2.8); our own faults get others.
fn status_of(kind: AuthErrorKind) -> StatusCode {
    match kind {
        AuthErrorKind::InvalidToken | AuthErrorKind::InvalidRequest | AuthErrorKind::NoCredential => {
            StatusCode::BAD_REQUEST
        }
        AuthErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        // No scope or login is required here. And the provider is not blamed for a kind of error that is newer than this crate.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Returns the registered error name (RFC 6749 section 4.1.2.1 has those for faults).
fn error_name(status: StatusCode) -> &'static str {
    match status {
        StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
        StatusCode::INTERNAL_SERVER_ERROR => "server_error",
        _ => "invalid_request",
    }
}
