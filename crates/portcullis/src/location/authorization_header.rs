//! [`AuthorizationHeader`]: `Authorization: Bearer …`.

use http::{HeaderMap, HeaderName, header::AUTHORIZATION};

use super::{BearerMethod, Found, LocationInfo, RequestHead, RequestHeadMut, ResponseCaching, TokenLocation, folded};
use portcullis_core::authenticator::Scheme;

use crate::grammar::is_token_byte;

/// The `Authorization` header with the scheme `Bearer`, in any case (RFC 6750 section 2.1). The default.
///
/// If the authenticator accepts credentials under [other schemes](portcullis_core::authenticator::Authenticator::schemes), these are found as
/// [`Found::Under`], by the same rules as `Bearer` below.
///
/// | HTTP header | found |
/// |---|---|
/// | none, an empty one, or one with another scheme | [`Found::Absent`] |
/// | `Bearer`, spaces, more text | [`Found::Token`] |
/// | `Bearer` followed by anything else | [`Found::Malformed`] |
/// | two `Authorization` headers, of any schemes | [`Found::Several`] |
/// | another scheme, followed by a `Bearer` credential in the same line | [`Found::Several`] |
///
/// Proxies may join two headers with a comma: `Basic Zm9v, Bearer eyJ…`. This is refused like two headers, whichever comes first.
/// Commas between the parameters of another scheme (`Digest username="u", realm="r"`) are accepted.
#[derive(Clone, Debug)]
pub struct AuthorizationHeader {
    takes_bearer: bool,
    /// The other accepted schemes.
    others: Vec<Scheme>,
}

impl AuthorizationHeader {
    /// Returns the location. It has no settings.
    pub const fn new() -> Self {
        Self { takes_bearer: true, others: Vec::new() }
    }

    #[inline]
    fn found<'r>(&self, value: Value<'r>) -> Found<'r> {
        match value {
            Value::None => Found::Absent,
            Value::Several => Found::Several,
            Value::One(value) if self.takes_bearer => match after_bearer(value) {
                Some(credentials) => credential_after_spaces(credentials),
                None => self.find_other(value),
            },
            Value::One(value) => self.find_other(value),
        }
    }

    /// Returns the text after a scheme other than `Bearer`, if it is an accepted one.
    #[cold]
    fn find_other<'r>(&self, value: &'r [u8]) -> Found<'r> {
        for scheme in &self.others {
            if let Some(credentials) = after_scheme(value, scheme.as_str().as_bytes()) {
                return match credential_after_spaces(credentials) {
                    Found::Token(credential) => Found::Under(*scheme, credential),
                    Found::Malformed(reason) => Found::MalformedUnder(*scheme, reason),
                    found => found,
                };
            }
        }
        let is_taken = |word: &[u8]| {
            (self.takes_bearer && word.eq_ignore_ascii_case(BEARER))
                || self.others.iter().any(|scheme| word.eq_ignore_ascii_case(scheme.as_str().as_bytes()))
        };
        if folded::holds_credential(value, is_taken) { Found::Several } else { Found::Absent }
    }
}

impl Default for AuthorizationHeader {
    fn default() -> Self {
        Self::new()
    }
}

impl TokenLocation for AuthorizationHeader {
    fn find<'r>(&self, head: RequestHead<'r>) -> Found<'r> {
        self.found(only_value(head.headers, &AUTHORIZATION))
    }

    fn find_and_mark<'r>(&self, request: &'r mut RequestHeadMut<'_>) -> Found<'r> {
        self.found(only_value_marked(request.headers_mut(), &AUTHORIZATION))
    }

    fn take_schemes(&mut self, schemes: &[Scheme]) {
        self.takes_bearer = schemes.contains(&Scheme::Bearer);
        self.others = schemes.iter().copied().filter(|scheme| *scheme != Scheme::Bearer).collect();
    }

    fn hint(&self, head: RequestHead<'_>) -> Option<&'static str> {
        let Value::One(value) = only_value(head.headers, &AUTHORIZATION) else { return None };
        if value.is_empty() {
            return Some("the `Authorization` header is empty: send `Authorization: Bearer`, a space and the token");
        }
        if value.iter().any(u8::is_ascii_whitespace) {
            return Some("the `Authorization` header has another scheme than `Bearer`, and this place takes no other");
        }
        Some("there is an `Authorization` header without a scheme: send `Bearer` and a space before the token")
    }

    fn strip(&self, request: &mut RequestHeadMut<'_>) {
        mark_sensitive(request, &AUTHORIZATION);
    }

    fn info(&self) -> LocationInfo {
        LocationInfo::new("authorization header")
            .with_bearer_method(BearerMethod::Header)
            .with_caching(ResponseCaching::Untouched)
    }
}

/// The value of an HTTP header that must occur only once.
#[derive(Clone, Copy)]
pub(super) enum Value<'r> {
    None,
    One(&'r [u8]),
    Several,
}

/// Returns the header's only value, without surrounding white space, which is not part of it (RFC 9110 section 5.5).
#[inline]
pub(super) fn only_value<'r>(headers: &'r HeaderMap, name: &HeaderName) -> Value<'r> {
    let Some(value) = headers.get(name) else { return Value::None };
    if is_repeated(headers, name) { Value::Several } else { Value::One(value.as_bytes().trim_ascii()) }
}

/// Does the same, and marks the value as [`mark_sensitive`] does.
#[inline]
pub(super) fn only_value_marked<'r>(headers: &'r mut HeaderMap, name: &HeaderName) -> Value<'r> {
    if is_repeated(headers, name) {
        return Value::Several;
    }
    let Some(value) = headers.get_mut(name) else { return Value::None };
    value.set_sensitive(true);
    Value::One(value.as_bytes().trim_ascii())
}

#[inline]
fn is_repeated(headers: &HeaderMap, name: &HeaderName) -> bool {
    // If no header at all is repeated, this one does not have to be counted.
    headers.len() != headers.keys_len() && headers.get_all(name).iter().nth(1).is_some()
}

/// The name of `Bearer` in lower case, for comparisons.
pub(super) const BEARER: &[u8] = b"bearer";

/// Returns the text after the scheme, if it is this scheme (in upper or lower case).
///
/// The scheme ends where a token ends (RFC 9110 section 11.4), so `Bearer<tab>x` is a malformed `Bearer` and `BearerX y`
/// another scheme.
#[inline]
pub(super) fn after_scheme<'v>(value: &'v [u8], name: &[u8]) -> Option<&'v [u8]> {
    let (scheme, rest) = value.split_at_checked(name.len())?;
    let ends = rest.first().is_none_or(|&byte| byte == b' ' || !is_token_byte(byte));
    (ends && scheme.eq_ignore_ascii_case(name)).then_some(rest)
}

/// Does the same for `Bearer`. Nearly every request spells it like this, and this comparison takes two instructions.
#[inline]
fn after_bearer(value: &[u8]) -> Option<&[u8]> {
    match value.split_at_checked(BEARER.len()) {
        Some((b"Bearer", rest @ [b' ', ..])) => Some(rest),
        _ => after_scheme(value, BEARER),
    }
}

/// Returns the credential after `1*SP`.
#[inline]
pub(super) fn credential_after_spaces(text: &[u8]) -> Found<'_> {
    match after_spaces(text) {
        Some(credential) => Found::Token(credential.into()),
        None => Found::Malformed("the scheme is not followed by a space and a credential"),
    }
}

/// Returns the text after `1*SP`.
fn after_spaces(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text.strip_prefix(b" ")?;
    while let [b' ', more @ ..] = rest {
        rest = more;
    }
    Some(rest)
}

/// Keeps the HTTP header's only value out of `Debug` output and out of HPACK's table (RFC 7541 section 7.1.3).
pub(super) fn mark_sensitive(request: &mut RequestHeadMut<'_>, name: &HeaderName) {
    // Not `entry`, which may grow the map.
    if let Some(value) = request.headers_mut().get_mut(name) {
        value.set_sensitive(true);
    }
}
