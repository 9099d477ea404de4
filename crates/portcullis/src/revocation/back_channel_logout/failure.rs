//! Why a log-out did not happen, and the answer that says so.

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

/// Why a log-out did not happen.
#[derive(Debug)]
pub(super) enum Failure {
    /// It is no `POST`.
    Method,
    /// It has no form.
    Type,
    /// The form was not read.
    Unread(Unread),
    /// The form, or what the token says, is not as it has to be.
    Request(&'static str),
    /// The token was refused, or could not be decided about.
    Token(AuthError),
    /// It could not be made durable.
    NotDurable(LogError),
}

/// RFC 6749 section 5.2, which section 2.8 refers to, and our own `code`.
#[derive(Serialize)]
struct Content<'a> {
    error: &'static str,
    error_description: &'a str,
    code: &'static str,
}

impl Failure {
    /// The answer. Writes the event as well, for there is one answer to each failure.
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
        // Texts always serialize; an empty body would still be a refusal.
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

    /// The code of this service; `Err` with the token's code if it is about the token.
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

    /// With the characters that RFC 6749 section 5.2 allows: ASCII without `"` and `\`.
    fn description(&self) -> Cow<'static, str> {
        match self {
            Self::Method => "send the logout token by POST".into(),
            Self::Type => "send the logout token in a form: application/x-www-form-urlencoded, not compressed".into(),
            Self::Unread(Unread::TooLong) => "the form is too long: 32 KiB are read".into(),
            Self::Unread(Unread::BrokenOff) => "the form broke off: send it again".into(),
            Self::Request(description) => (*description).into(),
            Self::Token(error) => format!("{}: {}", error.code(), error.description()).into(),
            Self::NotDurable(_) => "the log-out could not be made durable at the moment: send the same again".into(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Token(error) => error.retry_after(),
            _ => None,
        }
    }
}

/// All that is the token's fault is one thing (section 2.8); what is ours is not.
fn status_of(kind: AuthErrorKind) -> StatusCode {
    match kind {
        AuthErrorKind::InvalidToken | AuthErrorKind::InvalidRequest | AuthErrorKind::NoCredential => {
            StatusCode::BAD_REQUEST
        }
        AuthErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        // Nobody asked for a scope or a login here. And a kind that is newer than this crate is not blamed on the
        // provider.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The registered names (RFC 6749 section 4.1.2.1 has those for faults).
fn error_name(status: StatusCode) -> &'static str {
    match status {
        StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
        StatusCode::INTERNAL_SERVER_ERROR => "server_error",
        _ => "invalid_request",
    }
}
