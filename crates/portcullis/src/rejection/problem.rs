//! The response body: a JSON problem (RFC 9457).

use portcullis_core::{AuthError, error::AuthErrorKind};
use serde::Serialize;

use super::answer::Answer;

/// The default target of `type`: the published page of [`codes`](crate::codes).
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

/// Returns the problem as text.
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
    // Text and a number always serialize; even with an empty body, this would still be a refusal.
    serde_json::to_string(&problem).unwrap_or_default()
}

/// A debug build tells developers what to fix, because they may have no log subscriber yet. This text comes from the program, not from
/// the request.
fn detail(error: &AuthError) -> &str {
    match error.explanation() {
        Some(explanation) if cfg!(debug_assertions) && error.kind() == AuthErrorKind::Misconfigured => explanation,
        _ => error.description(),
    }
}
