//! Answers about a request, not about its credential.

use http::{
    HeaderValue, Response,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use serde::Serialize;

use super::{ServiceCode, problem::CODES_PAGE};

/// One mistake in a request's body, and how to correct it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Mistake {
    /// The place: a JSON pointer (RFC 6901) as a URI fragment, as in the example of RFC 9457 section 3.
    pub(crate) pointer: String,
    /// The description, a sentence.
    pub(crate) detail: String,
}

/// The members of RFC 9457 section 3.1, and `code` and `errors`, extensions (section 3.2).
#[derive(Serialize)]
struct StatusProblem<'a> {
    r#type: &'a str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Mistake],
}

/// Returns the answer that has this code, with what to do about it.
pub(crate) fn status_problem(code: ServiceCode, detail: &str, errors: &[Mistake]) -> Response<String> {
    let status = code.status();
    let title = status.canonical_reason().unwrap_or_default();
    let page = format!("{CODES_PAGE}{code}");
    let problem = StatusProblem { r#type: &page, title, status: status.as_u16(), detail, code: code.as_str(), errors };
    // Texts and a number always serialize; an empty body would still be a refusal.
    let mut response = Response::new(serde_json::to_string(&problem).unwrap_or_default());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(code);
    response
}
