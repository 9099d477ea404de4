//! What the targets for places of a credential have in common.

use http::Request;
use portcullis::location::{Found, RequestHead, TokenLocation};

/// What a location says, with the token by value.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome<T> {
    Absent,
    Token(T),
    Malformed,
    Several,
}

impl Outcome<String> {
    pub(crate) fn token(octets: &[u8]) -> Self {
        Self::Token(String::from_utf8(octets.to_vec()).expect("a b64token is ASCII"))
    }
}

/// Asks the location.
pub(crate) fn find<B>(location: &dyn TokenLocation, request: &Request<B>) -> Outcome<String> {
    match location.find(RequestHead::from(request)) {
        Found::Absent => Outcome::Absent,
        Found::Token(token) if is_b64token(&token) => Outcome::token(&token),
        Found::Token(_) | Found::Malformed(_) => Outcome::Malformed,
        Found::Several => Outcome::Several,
        other => panic!("{other:?}"),
    }
}

/// RFC 6750 section 2.1.
pub(crate) fn is_b64token(text: &[u8]) -> bool {
    let end = text.iter().position(|&byte| byte == b'=').unwrap_or(text.len());
    let (body, padding) = text.split_at(end);
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
    !body.is_empty() && body.iter().all(fits) && padding.iter().all(|&byte| byte == b'=')
}

/// With a `%` that no two hexadecimal digits follow as it stands.
pub(crate) fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        let escape = hex(behind).filter(|_| first == b'%');
        decoded.push(escape.unwrap_or(first));
        rest = &behind[if escape.is_some() { 2 } else { 0 }..];
    }
    decoded
}

/// The octet that two hexadecimal digits at the beginning stand for.
pub(crate) fn hex(octets: &[u8]) -> Option<u8> {
    let digits = octets.get(..2)?;
    let text = str::from_utf8(digits).ok().filter(|_| digits.iter().all(u8::is_ascii_hexdigit))?;
    u8::from_str_radix(text, 16).ok()
}
