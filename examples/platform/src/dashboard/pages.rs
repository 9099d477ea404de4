//! The page and its parts, which are in the program.

use axum::{
    Router,
    http::header::{CACHE_CONTROL, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
    response::IntoResponse,
    routing::get,
};

const HTML: &str = include_str!("../../assets/app.html");
const SCRIPT: &str = include_str!("../../assets/app.js");
const SESSION_SCRIPT: &str = include_str!("../../assets/session.js");
const STYLE: &str = include_str!("../../assets/app.css");

/// The one page. Its script shows what the path asks for.
pub(super) async fn app() -> impl IntoResponse {
    asset("text/html; charset=utf-8", HTML)
}

pub(super) fn routes() -> Router {
    Router::new()
        .route("/app.js", get(async || asset("text/javascript; charset=utf-8", SCRIPT)))
        .route("/session.js", get(async || asset("text/javascript; charset=utf-8", SESSION_SCRIPT)))
        .route("/app.css", get(async || asset("text/css; charset=utf-8", STYLE)))
}

fn asset(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "no-cache"),
        // The address of the page may have a request for a code in it.
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text)
}
