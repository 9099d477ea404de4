//! Recognises CORS preflights.

use http::{
    HeaderMap, Method,
    header::{ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH, ORIGIN, TRANSFER_ENCODING},
};

use crate::location::RequestHead;

/// Whether this is a preflight (Fetch standard, section 4.8): `OPTIONS` with an origin and a requested method, and without a body as far
/// as the head shows (over HTTP/2 it may not). Other `OPTIONS` requests are ordinary requests.
pub(super) fn is_preflight(head: RequestHead<'_>) -> bool {
    head.method == Method::OPTIONS
        && head.headers.contains_key(ORIGIN)
        && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        && !announces_body(head.headers)
}

fn announces_body(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING) || headers.get_all(CONTENT_LENGTH).iter().any(|length| length != "0")
}
