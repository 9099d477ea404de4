//! The body: a problem in JSON (RFC 9457).

use portcullis_core::{AuthError, error::AuthErrorKind};
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
        detail: detail(error),
        code,
    };
    // Five members of text and a number always serialize; an empty body would still be a refusal.
    serde_json::to_string(&problem).unwrap_or_default()
}

/// A debug build tells developers what they have to fix: they may have no subscriber for the log yet. What is written
/// there comes from the program, not from the request.
fn detail(error: &AuthError) -> &str {
    match error.explanation() {
        Some(explanation) if cfg!(debug_assertions) && error.kind() == AuthErrorKind::Misconfigured => explanation,
        _ => error.description(),
    }
}
