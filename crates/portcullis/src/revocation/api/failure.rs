//! Why nothing was revoked or listed, and the answer that says so.

use http::{HeaderValue, Response, StatusCode, header::ALLOW};
use portcullis_core::LogError;

use crate::{
    rejection::{Mistake, say_when_to_retry, status_problem},
    revocation::body::Unread,
    telemetry,
};

/// Why nothing was revoked or listed, although the caller may do so.
#[derive(Debug)]
pub(super) enum Failure {
    /// Neither `GET` nor `POST`.
    Method,
    /// The body is no JSON, by what its head says.
    Type,
    /// The body was not read.
    Unread(Unread),
    /// The request is not as it has to be: a sentence.
    Request(String),
    /// Items are not as they have to be.
    Items(Vec<Mistake>),
    /// The log could not be written.
    NotDurable(LogError),
    /// The log could not be read.
    NotListed(LogError),
}

/// There is nothing like it, so the answer says what there is.
const NO_SUCH_METHOD: &str = "GET lists what is revoked, POST revokes. Nothing takes a revocation back: it has been \
     acted upon everywhere before anybody could. Let the user log in anew, for what is issued after the cut-off is \
     good; a key or a client that was revoked by mistake gets a new id";

/// Longer lists of mistakes help nobody, and repeat the request.
const MISTAKES: usize = 20;

impl Failure {
    /// The answer. Writes the event as well, for there is one answer to each failure.
    pub(super) fn response(&self) -> Response<String> {
        use StatusCode as Status;
        match self {
            Self::Method => method_not_allowed(),
            Self::Type => problem(
                Status::UNSUPPORTED_MEDIA_TYPE,
                "send the body as `Content-Type: application/json`, and not compressed",
            ),
            Self::Unread(Unread::TooLong) => {
                problem(Status::PAYLOAD_TOO_LARGE, "the body is longer than 256 KiB: send several requests")
            }
            Self::Unread(Unread::BrokenOff) => problem(Status::BAD_REQUEST, "the body broke off: send it again"),
            Self::Request(detail) => problem(Status::BAD_REQUEST, detail),
            Self::Items(mistakes) => {
                let detail = "nothing was revoked, because of what `errors` lists";
                let told = mistakes.get(..MISTAKES).unwrap_or(mistakes);
                status_problem(Status::BAD_REQUEST, detail, told)
            }
            Self::NotDurable(error) => unavailable(
                error,
                "it could not be made durable at the moment, and may hold in part: send the same again",
            ),
            Self::NotListed(error) => unavailable(error, "what is revoked cannot be read at the moment: try again"),
        }
    }
}

fn problem(status: StatusCode, detail: &str) -> Response<String> {
    status_problem(status, detail, &[])
}

fn method_not_allowed() -> Response<String> {
    let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, NO_SUCH_METHOD);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST"));
    response
}

/// What went wrong is for the operator.
fn unavailable(error: &LogError, detail: &str) -> Response<String> {
    telemetry::revocation_failed(error);
    let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, detail);
    say_when_to_retry(response.headers_mut(), None);
    response
}
