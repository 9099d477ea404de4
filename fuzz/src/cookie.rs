//! Octets as `Cookie` headers.

use http::{HeaderValue, Request, header::COOKIE};
use portcullis::location::{Cookie, RequestHeadMut, TokenLocation};

use super::location::{Outcome, find, is_b64token};

/// Takes each line as a `Cookie` header: what is found is what RFC 6265 section 4.2.1 says, read a second time.
pub fn check(octets: &[u8]) {
    let mut request = Request::new(());
    for line in octets.split(|&byte| byte == b'\n').take(4) {
        let Ok(value) = HeaderValue::from_bytes(line) else { continue };
        request.headers_mut().append(COOKIE, value);
    }
    let location = Cookie::new("t").unwrap();
    let found = find(&location, &request);
    assert_eq!(found, expected(&request), "{:?}", request.headers());
    let headers = request.headers().clone();
    location.strip(&mut RequestHeadMut::from(&mut request));
    assert_eq!(*request.headers(), headers, "cookies stay: others of them are the handler's");
    assert!(request.headers().get_all(COOKIE).iter().all(HeaderValue::is_sensitive), "a cookie could be logged");
}

fn expected(request: &Request<()>) -> Outcome<String> {
    let values = request.headers().get_all(COOKIE).iter();
    let pairs: Vec<&[u8]> = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b';')).collect();
    // Two HTTP headers that were folded into one with a comma.
    if pairs.iter().any(|pair| pair.split(|&byte| byte == b',').skip(1).any(begins_ours)) {
        return Outcome::Malformed;
    }
    let ours: Vec<(&[u8], Option<&[u8]>)> =
        pairs.into_iter().map(name_and_value).filter(|(name, _)| name.trim_ascii() == b"t").collect();
    let [(name, value)] = ours[..] else {
        return if ours.is_empty() { Outcome::Absent } else { Outcome::Several };
    };
    let value = value.map(unquoted);
    match value {
        Some(b"") if name.trim_ascii_start() == b"t" => Outcome::Absent,
        Some(value) if name.trim_ascii_start() == b"t" && is_b64token(value) => Outcome::token(value),
        _ => Outcome::Malformed,
    }
}

/// RFC 6265 section 4.1.1: the whole value in double quotes, or none.
fn unquoted(value: &[u8]) -> &[u8] {
    let inner = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    inner.unwrap_or(value)
}

/// In every form that would be ours if it stood alone: `t =…` and a bare `t`, too.
fn begins_ours(part: &[u8]) -> bool {
    name_and_value(part).0.trim_ascii() == b"t"
}

fn name_and_value(pair: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = pair.splitn(2, |&byte| byte == b'=');
    (parts.next().unwrap_or_default(), parts.next())
}
