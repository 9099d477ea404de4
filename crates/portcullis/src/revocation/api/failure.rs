//! [`Failure`]: why nothing was revoked or listed, with the answer for the client.

use http::{HeaderValue, Response, header::ALLOW};
use portcullis_core::revocation::{LogError, LogErrorKind};

use crate::{
    rejection::{Mistake, ServiceCode, say_when_to_retry, status_problem},
    revocation::body::Unread,
    telemetry,
};

/// Why nothing was revoked or listed, although the caller is authorized.
#[derive(Debug)]
pub(super) enum Failure {
    /// The method is neither `GET` nor `POST`.
    Method,
    /// The body is not JSON, according to its headers.
    Type,
    /// The body could not be read.
    Unread(Unread),
    /// The request is malformed; the sentence says why.
    Request(String),
    /// Some items are invalid.
    Items(Vec<Mistake>),
    /// The log could not be written.
    NotDurable(LogError),
    /// The log could not be read.
    NotListed(LogError),
}

/// The service has no other methods, so the answer lists those that it has.
const NO_SUCH_METHOD: &str = "GET lists what is revoked, POST revokes. A revocation cannot be undone, because every \
     instance acts on it at once. Let the user log in again: tokens issued after the cut-off are accepted. Give a key or \
     a client that was revoked by mistake a new id";

/// Longer lists of mistakes are no more useful, and repeat the request.
const MISTAKES: usize = 20;

impl Failure {
    /// Returns the answer, and writes the log event: there is exactly one answer for each failure.
    pub(super) fn response(&self) -> Response<String> {
        match self {
            Self::Method => method_not_allowed(),
            Self::Type => problem(
                ServiceCode::MediaTypeNotSupported,
                "send the body as `Content-Type: application/json`, and not compressed",
            ),
            Self::Unread(Unread::TooLong) => {
                problem(ServiceCode::BodyTooLong, "the body is longer than 256 KiB: send several requests")
            }
            Self::Unread(Unread::BrokenOff) => {
                problem(ServiceCode::BodyUnreadable, "the body was cut short: send it again")
            }
            Self::Request(detail) => problem(ServiceCode::RequestMalformed, detail),
            Self::Items(mistakes) => {
                let detail = "nothing was revoked, because of what `errors` lists";
                let told = mistakes.get(..MISTAKES).unwrap_or(mistakes);
                status_problem(ServiceCode::RevocationMalformed, detail, told)
            }
            Self::NotDurable(error) if error.kind() == LogErrorKind::Refused => {
                problem(ServiceCode::RevocationRefused, &error.to_string())
            }
            Self::NotDurable(error) => unavailable(
                ServiceCode::RevocationNotDurable,
                error,
                "it could not be stored durably, and may be partly in effect: send the same request again",
            ),
            Self::NotListed(error) => unavailable(
                ServiceCode::RevocationsNotListed,
                error,
                "revocations cannot be read at the moment: try again",
            ),
        }
    }
}

fn problem(code: ServiceCode, detail: &str) -> Response<String> {
    status_problem(code, detail, &[])
}

fn method_not_allowed() -> Response<String> {
    let mut response = problem(ServiceCode::MethodNotAllowed, NO_SUCH_METHOD);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST"));
    response
}

/// The cause is only for the operator's log.
fn unavailable(code: ServiceCode, error: &LogError, detail: &str) -> Response<String> {
    telemetry::revocation_failed(error);
    let mut response = problem(code, detail);
    say_when_to_retry(response.headers_mut(), None);
    response
}
