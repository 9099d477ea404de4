//! [`Cookie`]: a cookie that contains the credential.

use std::borrow::Cow;

use http::{HeaderValue, header::COOKIE};
use portcullis_core::ConfigError;

use super::{Found, LocationInfo, RequestHead, RequestHeadMut, TokenLocation};
use crate::grammar::check_token;

/// A cookie whose value is the credential.
///
/// **Browsers also send cookies with requests that other sites cause** (CSRF). If you accept credentials from cookies, you must refuse
/// such requests: put `tower_http::csrf::CsrfLayer` (or your own check) around the routes, and set the cookie with `SameSite=Lax` or
/// `Strict`, `Secure` and `HttpOnly`. Give its name the prefix `__Host-`: then a browser accepts it only over HTTPS and from exactly your
/// host, so that a neighbouring subdomain cannot plant one.
///
/// All `Cookie` headers are read (HTTP/2 may split them, RFC 9113 section 8.2.3), with the syntax of RFC 6265 section 4.2.1: pairs
/// between `;`, names compared exactly, no escapes, the whole value optionally in double quotes (section 4.1.1). The syntax of other
/// cookies does not matter.
///
/// | cookies | found |
/// |---|---|
/// | none of that name, or `name=` or `name=""` (how some servers log out) | [`Found::Absent`] |
/// | `name=` and a `b64token`, or the same in double quotes | [`Found::Token`] |
/// | quotes that do not match, escapes, no `=`, white space around the `=` | [`Found::Malformed`] |
/// | two of that name, even if equal | [`Found::Several`] |
/// | ours inside the value of another cookie, behind a comma: `a=1, name=…`, which are two folded HTTP headers | [`Found::Malformed`] |
///
/// Responses get `Cache-Control: private`.
#[derive(Clone, Debug)]
pub struct Cookie {
    name: Cow<'static, str>,
}

impl Cookie {
    /// Returns the location for the cookie with this name, which is case-sensitive: `Cookie::new("__Host-token")`.
    ///
    /// # Errors
    ///
    /// If `name` cannot be the name of a cookie (RFC 6265 section 4.1.1).
    pub fn new(name: impl Into<Cow<'static, str>>) -> Result<Self, ConfigError> {
        let name = name.into();
        check_token("the name of a cookie", &name)?;
        Ok(Self { name })
    }

    /// Returns the text after the name, including `=`, of every cookie with our name.
    fn ours<'r>(&self, head: RequestHead<'r>) -> impl Iterator<Item = &'r [u8]> {
        let values = head.headers.get_all(COOKIE).iter();
        values.flat_map(|value| value.as_bytes().split(|&byte| byte == b';')).filter_map(|pair| self.after_name(pair))
    }

    /// Whether a pair with another name contains our cookie behind a comma, because a proxy has folded two `Cookie` headers. Recognises
    /// every form that would be ours on its own.
    fn is_folded_into(&self, pair: &[u8]) -> bool {
        pair.split(|&byte| byte == b',').skip(1).any(|part| self.after_name(part).is_some())
    }

    fn has_folded(&self, head: RequestHead<'_>) -> bool {
        let values = head.headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
        let mut folded = values.filter(|value| value.contains(&b','));
        folded.any(|value| value.split(|&byte| byte == b';').any(|pair| self.is_folded_into(pair)))
    }

    /// Also accepts `name =…` and a bare `name`: other readers of the request may take those for ours.
    fn after_name<'r>(&self, pair: &'r [u8]) -> Option<&'r [u8]> {
        let rest = pair.trim_ascii_start().strip_prefix(self.name.as_bytes())?;
        matches!(rest.trim_ascii_start().first(), None | Some(b'=')).then_some(rest)
    }
}

impl TokenLocation for Cookie {
    fn find<'r>(&self, head: RequestHead<'r>) -> Found<'r> {
        let mut ours = self.ours(head);
        match (ours.next(), ours.next()) {
            _ if self.has_folded(head) => {
                Found::Malformed("the cookie is behind a comma: a proxy has joined two HTTP headers")
            }
            (None, _) | (Some(b"=" | b"=\"\""), None) => Found::Absent,
            (Some(_), Some(_)) => Found::Several,
            (Some([b'=', b'"', quoted @ .., b'"']), None) => Found::Token(quoted.into()),
            (Some([b'=', value @ ..]), None) => Found::Token(value.into()),
            (Some(_), None) => Found::Malformed("the cookie's name is not followed by `=`"),
        }
    }

    fn strip(&self, request: &mut RequestHeadMut<'_>) {
        let headers = request.headers_mut().iter_mut();
        headers.filter(|(name, _)| *name == COOKIE).for_each(|(_, value)| value.set_sensitive(true));
    }

    fn info(&self) -> LocationInfo {
        LocationInfo::new(format!("cookie {}", self.name))
    }
}
