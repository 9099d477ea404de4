//! An HTTP header of the application's own.

use http::HeaderName;

use super::{
    Found, LocationInfo, RequestHead, RequestHeadMut, TokenLocation, b64token,
    bearer::{Value, after_scheme, credential_after_spaces, mark_sensitive, only_value},
};

/// An HTTP header whose value is the credential, such as `X-User-JWT: eyJ…`.
///
/// A `Bearer ` before the credential is tolerated, in any case: clients copy it from `Authorization`, and since a
/// `b64token` has no spaces it cannot be mistaken. An empty value means no credential, as with `Authorization`; the
/// HTTP header twice is [`Found::Several`].
///
/// Unlike `Authorization`, caches do not know that such a request is one person's (RFC 9111 section 3.5), therefore
/// responses get `Cache-Control: private`. Browsers send the HTTP header across origins only after a CORS preflight
/// that allows it.
#[derive(Clone, Debug)]
pub struct CustomHeader {
    name: HeaderName,
}

impl CustomHeader {
    /// The HTTP header of that name: `CustomHeader::new(HeaderName::from_static("x-user-jwt"))`.
    pub const fn new(name: HeaderName) -> Self {
        Self { name }
    }
}

impl TokenLocation for CustomHeader {
    fn find<'r>(&self, head: RequestHead<'r>) -> Found<'r> {
        match only_value(head.headers, &self.name) {
            Value::None | Value::One([]) => Found::Absent,
            Value::Several => Found::Several,
            Value::One(value) => match after_scheme(value) {
                Some(credentials) => credential_after_spaces(credentials),
                None => b64token::credential(value),
            },
        }
    }

    fn strip(&self, request: &mut RequestHeadMut<'_>) {
        mark_sensitive(request, &self.name);
    }

    fn info(&self) -> LocationInfo {
        LocationInfo::new(format!("header {}", self.name))
    }
}
