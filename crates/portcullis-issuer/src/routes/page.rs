//! The page for a user whose browser brings a request that cannot be answered to the client.

use http::{
    HeaderValue, Response,
    header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, RETRY_AFTER},
};

use super::answer;
use crate::server::OAuthError;

/// Returns the page. It loads nothing and links to nothing: what it says about the request may be an attacker's.
pub(super) fn page(error: &OAuthError) -> Response<String> {
    let (code, description) = (escaped(error.code().name()), escaped(error.description()));
    let status = answer::status_of(error);
    let (title, explanation) = if status.is_server_error() { FAILURE } else { MISTAKE };
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<main>\n\
         <h1>{title}</h1>\n<p>{explanation}</p>\n\
         <p>For its developer: <code>{code}</code>, {description}.</p>\n</main>\n</html>\n"
    );
    let mut response = answer::no_store(status, "text/html; charset=utf-8", html);
    let headers = response.headers_mut();
    let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Some(wait) = error.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
    }
    response.extensions_mut().insert(error.clone());
    response
}

/// The title, and what it means for the user: the request is wrong.
const MISTAKE: (&str, &str) = (
    "This request cannot be answered",
    "The application that sent you here has made a mistake, or the link is not from the application. Nothing was allowed.",
);

/// The same for a failure of the server.
const FAILURE: (&str, &str) = (
    "This service is temporarily unavailable",
    "This is no mistake of yours or of the application. Nothing was allowed. Try again.",
);

/// Escapes what means something in HTML.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for each in text.chars() {
        match each {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
