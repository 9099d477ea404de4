//! Explains reqwest's errors to operators.

use portcullis_core::text::LogText;

use super::CONNECT_LIMIT;
use crate::{FetchError, document::ATTEMPT_LIMIT};

/// Returns the error for a request without a response.
pub(super) fn no_response(error: reqwest::Error) -> FetchError {
    // The error already contains the URL.
    let error = error.without_url();
    if error.is_timeout() && !error.is_connect() {
        return FetchError::timed_out(ATTEMPT_LIMIT);
    }
    let texts = LogText::of_error(&error).to_string();
    let known = CAUSES.iter().find(|(text, _)| texts.contains(text)).map(|(_, detail)| *detail);
    match known {
        None if error.is_timeout() => FetchError::unreachable_because(too_slow(), error),
        Some(detail) => FetchError::unreachable_because(detail, error),
        None => FetchError::unreachable(error),
    }
}

/// Returns the error for a response that broke off.
pub(super) fn no_end(error: reqwest::Error) -> FetchError {
    let error = error.without_url();
    if error.is_timeout() { FetchError::timed_out(ATTEMPT_LIMIT) } else { FetchError::cut_short(error) }
}

fn too_slow() -> String {
    let limit = CONNECT_LIMIT.as_secs();
    format!("no connection within {limit} s: are host and port right, and does a firewall let this service through?")
}

/// Parts of the texts of hyper's and rustls's errors (reqwest does not expose their types), and what they mean.
const CAUSES: &[(&str, &str)] = &[
    ("dns error", "the host name is not known: is it spelled right, and does this machine's DNS know it?"),
    ("lookup address", "the host name is not known: is it spelled right, and does this machine's DNS know it?"),
    (
        "UnknownIssuer",
        "its certificate is from no authority that this machine trusts: add yours to the machine, or by \
         `HttpClient::with_root_certificates`",
    ),
    ("NotValidForName", "its certificate is for another host name: use the name that is in the certificate"),
    (
        "certificate not valid for name",
        "its certificate is for another host name: use the name that is in the certificate",
    ),
    ("Expired", "its certificate has expired, or this machine's clock is ahead"),
    ("NotValidYet", "its certificate is not valid yet, or this machine's clock is behind"),
    ("InvalidContentType", "what listens there does not speak TLS: is it the port for `http`?"),
    ("tunnel", "the proxy did not connect: see `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` in the environment"),
    ("connection closed before message completed", "the connection was closed before a response came"),
];
