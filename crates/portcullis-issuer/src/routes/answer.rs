//! Answers as HTTP responses.

use http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION, REFERRER_POLICY, RETRY_AFTER, WWW_AUTHENTICATE},
};

use super::page;
use crate::{
    documents::DocumentAnswer,
    server::{AuthorizationAnswer, AuthorizationError, OAuthError, OAuthErrorCode, TokenResponse},
};

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// An answer that no cache may keep.
pub(super) fn no_store(status: StatusCode, content_type: &'static str, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

pub(super) fn json(body: String) -> Response<String> {
    no_store(StatusCode::OK, "application/json", body)
}

/// The answer to a request that has succeeded without a result (RFC 7009 section 2.2).
pub(super) fn done() -> Response<String> {
    let mut response = Response::new(String::new());
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

pub(super) fn token(response: &TokenResponse) -> Response<String> {
    json(response.to_json().to_string())
}

pub(super) fn error(error: &OAuthError) -> Response<String> {
    error_with(status_of(error), error)
}

/// The same with another status than that of the error.
pub(super) fn error_with(status: StatusCode, error: &OAuthError) -> Response<String> {
    let mut response = no_store(status, "application/json", error.to_json());
    let headers = response.headers_mut();
    if let Some(challenge) = error.challenge() {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if let Some(wait) = error.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
    }
    // For layers around the routes, as those that trace.
    response.extensions_mut().insert(error.clone());
    response
}

pub(super) fn method_not_allowed(allowed: &'static str) -> Response<String> {
    let why = OAuthError::new(OAuthErrorCode::InvalidRequest, format!("the method has to be {allowed}"));
    let mut response = error_with(StatusCode::METHOD_NOT_ALLOWED, &why);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

pub(super) fn not_found() -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// The redirect to the client. 303, so that a form that the user has sent here, perhaps with a password, is not sent on (RFC 9700 section
/// 4.12).
pub(super) fn redirect(answer: &AuthorizationAnswer) -> Response<String> {
    // A redirect URI is a URL, so its text can be a header.
    let Ok(mut location) = HeaderValue::from_str(answer.location()) else {
        return page::page(&OAuthError::new(OAuthErrorCode::ServerError, "the redirect URI is not a URL"));
    };
    location.set_sensitive(true);
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(LOCATION, location);
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

pub(super) fn authorization_error(error: &AuthorizationError) -> Response<String> {
    match error {
        AuthorizationError::Page(error) => page::page(error),
        AuthorizationError::Redirect(answer) => redirect(answer),
    }
}

pub(super) fn document(answer: &DocumentAnswer<'_>) -> Response<String> {
    let mut response = Response::new(answer.body().to_owned());
    *response.status_mut() = StatusCode::from_u16(answer.status()).unwrap_or_default();
    for (name, value) in answer.headers() {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

pub(super) fn status_of(error: &OAuthError) -> StatusCode {
    StatusCode::from_u16(error.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
