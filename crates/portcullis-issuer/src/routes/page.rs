//! The page for a user whose browser brings a request that cannot be answered to the client.

use http::{
    HeaderValue, Response,
    header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY},
};

use super::answer;
use crate::server::OAuthError;

/// Returns the page. It loads nothing and links to nothing: what it says about the request may be an attacker's.
pub(super) fn page(error: &OAuthError) -> Response<String> {
    let (code, description) = (escaped(error.code().name()), escaped(error.description()));
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>This request cannot be answered</title>\n<main>\n\
         <h1>This request cannot be answered</h1>\n\
         <p>The application that sent you here has made a mistake, or the link is not from the application. Nothing was allowed.</p>\n\
         <p>For its developer: <code>{code}</code>, {description}.</p>\n</main>\n</html>\n"
    );
    let mut response = answer::no_store(answer::status_of(error), "text/html; charset=utf-8", html);
    let headers = response.headers_mut();
    let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

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
