//! Whether a request comes from the application's own page, and not from a page of another site (CSRF).

use aws_lc_rs::constant_time;
use http::{HeaderMap, HeaderName, Response, StatusCode, header::ORIGIN};
use portcullis_core::ConfigError;

use crate::{
    routes::answer,
    server::{OAuthError, OAuthErrorCode, is_own_machine},
};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");

/// Browsers set both headers, and no page can change them. The scheme is Go's `CrossOriginProtection` and tower-http's `csrf`, with two
/// differences: `none` is refused, because a page always has an origin, and a request with neither header is not let through.
pub(super) fn is_from_own_page(headers: &HeaderMap, origin: &str, repeats_the_mac: impl FnOnce() -> bool) -> bool {
    if headers.contains_key(SEC_FETCH_SITE) {
        return is_only(headers, &SEC_FETCH_SITE, "same-origin");
    }
    if headers.contains_key(ORIGIN) {
        return is_only(headers, &ORIGIN, origin);
    }
    repeats_the_mac()
}

/// Whether the header with the MAC of the session is there.
pub(super) fn repeats(headers: &HeaderMap, expected: &str) -> bool {
    let Some(value) = headers.get(CSRF_TOKEN) else { return false };
    constant_time::verify_slices_are_equal(value.as_bytes(), expected.as_bytes()).is_ok()
}

fn is_only(headers: &HeaderMap, name: &HeaderName, expected: &str) -> bool {
    let mut values = headers.get_all(name).iter();
    values.next().is_some_and(|value| value == expected) && values.next().is_none()
}

pub(super) fn forbidden() -> Response<String> {
    let error =
        OAuthError::new(OAuthErrorCode::AccessDenied, "the request does not come from the application's own page");
    answer::error_with(StatusCode::FORBIDDEN, &error)
}

/// Refuses what no browser sends as an origin.
pub(super) fn check_origin(origin: &str) -> Result<(), ConfigError> {
    let is_secure = origin.starts_with("https://") || is_own_machine(origin);
    let has_default_port = origin.starts_with("https://") && origin.ends_with(":443")
        || origin.starts_with("http://") && origin.ends_with(":80");
    let is_text = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._:/[]".contains(&byte);
    let has_host = origin.split_once("://").is_some_and(|(_, host)| !host.is_empty() && !host.starts_with(':'));
    if is_secure && has_host && !has_default_port && origin_of(origin) == origin && origin.bytes().all(is_text) {
        return Ok(());
    }
    Err(ConfigError::new(format!(
        "{origin:?} is not an origin as browsers write it, such as \"https://app.example.com\": without a path, in lower case, without the usual port"
    )))
}

/// Refuses what is not the beginning of a path.
pub(super) fn check_prefix(prefix: &str) -> Result<(), ConfigError> {
    let is_text = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let is_part = |part: &str| !part.is_empty() && !part.bytes().all(|byte| byte == b'.') && part.bytes().all(is_text);
    if prefix.strip_prefix('/').is_some_and(|parts| parts.split('/').all(is_part)) {
        return Ok(());
    }
    Err(ConfigError::new(format!("{prefix:?} is not the beginning of a path, such as \"/session\"")))
}

/// Returns the origin of a URL that was checked before.
pub(super) fn origin_of(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    url[start..].find('/').map_or(url, |at| &url[..start + at])
}
