//! [`HttpHeader`]: any HTTP header that contains the credential.

use http::HeaderName;
use portcullis_core::ConfigError;

use super::{
    Found, LocationInfo, RequestHead, RequestHeadMut, TokenLocation,
    authorization_header::{
        BEARER, Value, after_scheme, credential_after_spaces, mark_sensitive, only_value, only_value_marked,
    },
};
use crate::grammar::check_token;

/// An HTTP header whose value is the credential, such as `X-User-JWT: eyJ…`.
///
/// `Bearer ` before the credential is tolerated, in any case, because clients copy it from `Authorization`; it is unambiguous because a
/// `b64token` has no spaces. An empty value means no credential, as with `Authorization`; a repeated HTTP header is [`Found::Several`].
///
/// Caches know that the response to a request with `Authorization` is private (RFC 9111 section 3.5). They do not know it for other HTTP
/// headers, so responses get `Cache-Control: private`. Browsers send the HTTP header to other origins only after a CORS preflight that
/// allows it.
#[derive(Clone, Debug)]
pub struct HttpHeader {
    name: HeaderName,
}

impl HttpHeader {
    /// Returns the location for the HTTP header with this name, in any case: `HttpHeader::new("X-User-JWT")`.
    ///
    /// # Errors
    ///
    /// If `name` cannot be the name of an HTTP header (RFC 9110 section 5.1).
    pub fn new(name: impl AsRef<str>) -> Result<Self, ConfigError> {
        let name = name.as_ref();
        check_token("the name of an HTTP header", name)?;
        let unusable = |error| ConfigError::new(format!("the name of an HTTP header is {name:?}: {error}"));
        HeaderName::try_from(name).map(|name| Self { name }).map_err(unusable)
    }
}

impl TokenLocation for HttpHeader {
    fn find<'r>(&self, head: RequestHead<'r>) -> Found<'r> {
        found(only_value(head.headers, &self.name))
    }

    fn find_and_mark<'r>(&self, request: &'r mut RequestHeadMut<'_>) -> Found<'r> {
        found(only_value_marked(request.headers_mut(), &self.name))
    }

    fn strip(&self, request: &mut RequestHeadMut<'_>) {
        mark_sensitive(request, &self.name);
    }

    fn info(&self) -> LocationInfo {
        LocationInfo::new(format!("header {}", self.name))
    }
}

fn found(value: Value<'_>) -> Found<'_> {
    match value {
        Value::None | Value::One([]) => Found::Absent,
        Value::Several => Found::Several,
        Value::One(value) => match after_scheme(value, BEARER) {
            Some(credentials) => credential_after_spaces(credentials),
            None => Found::Token(value.into()),
        },
    }
}
