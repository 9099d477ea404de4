//! The body: a problem in JSON (RFC 9457).

use portcullis_core::AuthError;
use serde::Serialize;

use super::answer::Answer;

/// Where `type` points unless told otherwise: the published page of [`codes`](crate::codes).
pub(super) const CODES_PAGE: &str = "https://docs.rs/portcullis/latest/portcullis/codes/index.html#";

/// The members, in the order of RFC 9457 section 3.1, and `code`, an extension (section 3.2).
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
}

/// The problem as text.
pub(super) fn json(error: &AuthError, codes_page: &str) -> String {
    let answer = Answer::to(error.kind());
    let code = error.code().as_str();
    let problem = Problem {
        r#type: &format!("{codes_page}{code}"),
        title: answer.title,
        status: answer.status.as_u16(),
        detail: error.description(),
        code,
    };
    // Five members of text and a number always serialize; an empty body would still be a refusal.
    serde_json::to_string(&problem).unwrap_or_default()
}
