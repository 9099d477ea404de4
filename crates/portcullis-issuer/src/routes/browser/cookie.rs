//! The cookies of a session.

use http::{
    HeaderMap, HeaderValue,
    header::{COOKIE, SET_COOKIE},
};

const SESSION: &str = "__Host-session";
const CSRF: &str = "__Host-session-csrf";

/// What a page's browser keeps.
pub(super) struct Cookies<'a> {
    pub(super) session: &'a str,
    pub(super) csrf: &'a str,
}

impl Cookies<'_> {
    pub(super) fn set(&self, headers: &mut HeaderMap, max_age: u64) {
        append(
            headers,
            &format!("{SESSION}={}; Path=/; Max-Age={max_age}; Secure; HttpOnly; SameSite=Strict", self.session),
        );
        // A script of the page reads it, and no other site can.
        append(headers, &format!("{CSRF}={}; Path=/; Max-Age={max_age}; Secure; SameSite=Strict", self.csrf));
    }
}

pub(super) fn clear(headers: &mut HeaderMap) {
    append(headers, &format!("{SESSION}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict"));
    append(headers, &format!("{CSRF}=; Path=/; Max-Age=0; Secure; SameSite=Strict"));
}

/// The cookies of a session in a request.
pub(super) enum SessionCookie {
    None,
    /// The refresh token, as it was sent.
    One(String),
    /// There are several: one of them is not ours, and which is not known.
    Ambiguous,
}

/// Returns the refresh token. Cookies of others may have any bytes (RFC 6265 section 5.4), and hide none.
pub(super) fn session(headers: &HeaderMap) -> SessionCookie {
    let pairs = headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|&byte| byte == b';'));
    let mut values = pairs.filter_map(|pair| pair.trim_ascii().strip_prefix(SESSION.as_bytes())?.strip_prefix(b"="));
    match (values.next(), values.next()) {
        (None | Some(b""), None) => SessionCookie::None,
        // A token of ours is ASCII, so that another value stays none of ours.
        (Some(only), None) => SessionCookie::One(String::from_utf8_lossy(only).into_owned()),
        _ => SessionCookie::Ambiguous,
    }
}

fn append(headers: &mut HeaderMap, cookie: &str) {
    // Our tokens and MACs have the characters of base64url.
    if let Ok(mut value) = HeaderValue::from_str(cookie) {
        value.set_sensitive(true);
        headers.append(SET_COOKIE, value);
    }
}
