//! The page on which people manage tokens.

use axum::{
    Router,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
    response::{IntoResponse, Response},
    routing::get,
};

use super::Desk;

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/", get(|| async { html() }))
        .route("/page.css", get(|| async { file("text/css; charset=utf-8", include_str!("../../assets/page.css")) }))
        .route(
            "/page.js",
            get(|| async { file("text/javascript; charset=utf-8", include_str!("../../assets/page.js")) }),
        )
}

/// The page, which looks at its path.
pub(super) fn html() -> Response {
    file("text/html; charset=utf-8", include_str!("../../assets/page.html"))
}

/// Nothing from elsewhere runs on the page, and no other page shows it in a frame: it has tokens on it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";

fn file(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}
