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

/// Returns the refresh token. If there are two such cookies, none is read: one of them is not ours.
pub(super) fn session(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(name, _)| *name == SESSION).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(only), None) if !only.is_empty() => Some(only.to_owned()),
        _ => None,
    }
}

fn append(headers: &mut HeaderMap, cookie: &str) {
    // Our tokens and MACs have the characters of base64url.
    if let Ok(mut value) = HeaderValue::from_str(cookie) {
        value.set_sensitive(true);
        headers.append(SET_COOKIE, value);
    }
}
