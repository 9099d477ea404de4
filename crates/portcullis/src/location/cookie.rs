//! A cookie.

use std::borrow::Cow;

use http::{HeaderValue, header::COOKIE};
use portcullis_core::ConfigError;

use super::{Found, LocationInfo, RequestHead, RequestHeadMut, TokenLocation};
use crate::challenge::check_token;

/// A cookie whose value is the credential.
///
/// **Browsers send cookies along with requests that other sites cause.** Whoever takes credentials from cookies must
/// refuse such requests: put `tower_http::csrf::CsrfLayer` (or your own check) around the routes, and set the cookie
/// with `SameSite=Lax` or `Strict`, `Secure` and `HttpOnly`. Name it with the prefix `__Host-`: then a browser takes it
/// only over HTTPS and from exactly your host, so that a neighbouring subdomain cannot plant one.
///
/// All `Cookie` headers are read (HTTP/2 may split them, RFC 9113 section 8.2.3), as RFC 6265 section 4.2.1 writes them:
/// pairs between `;`, names compared exactly, no escapes, the value bare or as a whole in double quotes (section 4.1.1).
/// Other cookies may look as they like.
///
/// | cookies | found |
/// |---|---|
/// | none of that name, or `name=` or `name=""` (how some servers log out) | [`Found::Absent`] |
/// | `name=` and a `b64token`, or the same in double quotes | [`Found::Token`] |
/// | quotes that do not match, escapes, no `=`, white space around the `=` | [`Found::Malformed`] |
/// | two of that name, even if equal | [`Found::Several`] |
/// | one in the value of another cookie behind a comma: `a=1, name=…`, two HTTP headers that were folded | [`Found::Malformed`] |
///
/// Responses get `Cache-Control: private`.
#[derive(Clone, Debug)]
pub struct Cookie {
    name: Cow<'static, str>,
}

impl Cookie {
    /// The cookie of that name, which is case-sensitive: `Cookie::new("__Host-token")`.
    ///
    /// # Errors
    ///
    /// If `name` cannot be the name of a cookie (RFC 6265 section 4.1.1).
    pub fn new(name: impl Into<Cow<'static, str>>) -> Result<Self, ConfigError> {
        let name = name.into();
        check_token("the name of a cookie", &name)?;
        Ok(Self { name })
    }

    /// The text after the name, `=` included, of every cookie of that name.
    fn ours<'r>(&self, head: RequestHead<'r>) -> impl Iterator<Item = &'r [u8]> {
        let values = head.headers.get_all(COOKIE).iter();
        values.flat_map(|value| value.as_bytes().split(|&byte| byte == b';')).filter_map(|pair| self.after_name(pair))
    }

    /// Whether a pair of another name has ours behind a comma: two `Cookie` headers that a proxy has folded. In every form that
    /// would be ours if it stood alone.
    fn is_folded_into(&self, pair: &[u8]) -> bool {
        pair.split(|&byte| byte == b',').skip(1).any(|part| self.after_name(part).is_some())
    }

    fn has_folded(&self, head: RequestHead<'_>) -> bool {
        let values = head.headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
        let mut folded = values.filter(|value| value.contains(&b','));
        folded.any(|value| value.split(|&byte| byte == b';').any(|pair| self.is_folded_into(pair)))
    }

    /// Deliberately also for `name =…` and a bare `name`: other readers of the request may take those for ours.
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
                Found::Malformed("the cookie stands behind a comma: two HTTP headers were folded")
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
