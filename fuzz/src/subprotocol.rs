//! Octets as `Sec-WebSocket-Protocol` headers.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderValue, Request, header::SEC_WEBSOCKET_PROTOCOL};
use portcullis::location::{RequestHeadMut, TokenLocation, WebSocketSubprotocol};

use super::location::{Outcome, find, is_b64token};

const PREFIX: &[u8] = b"bearer.";
const MARKER: &[u8] = b"bearer";
const KUBERNETES: &[u8] = b"base64url.bearer.authorization.k8s.io.";

/// Takes each line as a header, and reads it in all three forms. The one entry with a token is found, and it alone is taken
/// out; the others stay in order.
pub fn check(octets: &[u8]) {
    let mut request = Request::new(());
    for line in octets.split(|&byte| byte == b'\n').take(4) {
        let Ok(value) = HeaderValue::from_bytes(line) else { continue };
        request.headers_mut().append(SEC_WEBSOCKET_PROTOCOL, value);
    }
    let location = WebSocketSubprotocol::new();
    let before = entries(&request);
    assert_eq!(find(&location, &request), expected(&before), "{:?}", request.headers());
    location.strip(&mut RequestHeadMut::from(&mut request));
    let others: Vec<_> = before.into_iter().filter(|entry| !entry.starts_with(PREFIX)).collect();
    assert_eq!(entries(&request), others, "what is left is not what others offered");
    assert_eq!(find(&location, &request), Outcome::Absent);
    check_pair(octets);
}

/// `["bearer", token]`: the token is the entry behind `bearer`, and alone is taken out.
fn check_pair(octets: &[u8]) {
    let mut request = Request::new(());
    for line in octets.split(|&byte| byte == b'\n').take(4) {
        let Ok(value) = HeaderValue::from_bytes(line) else { continue };
        request.headers_mut().append(SEC_WEBSOCKET_PROTOCOL, value);
    }
    let location = WebSocketSubprotocol::after("bearer").unwrap();
    let before = entries(&request);
    let markers: Vec<usize> = (0..before.len()).filter(|&at| before[at] == b"bearer").collect();
    let found = find(&location, &request);
    let [marker] = markers[..] else {
        assert_eq!(found, if markers.is_empty() { Outcome::Absent } else { Outcome::Several });
        return;
    };
    let expected = match before.get(marker + 1) {
        Some(token) if is_b64token(token) => Outcome::token(token),
        _ => Outcome::Malformed,
    };
    assert_eq!(found, expected, "{:?}", request.headers());
    location.strip(&mut RequestHeadMut::from(&mut request));
    let mut others = before;
    if marker + 1 < others.len() {
        others.remove(marker + 1);
    }
    assert_eq!(entries(&request), others, "what is left is not what others offered");
}

/// All entries but empty ones, which count for nothing (RFC 9110 section 5.6.1).
fn entries(request: &Request<()>) -> Vec<Vec<u8>> {
    let values = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let entries = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    entries.map(|entry| entry.trim_ascii().to_vec()).filter(|entry| !entry.is_empty()).collect()
}

/// What follows an entry that is the marker, and is none itself.
fn behind_marker(entries: &[Vec<u8>]) -> Vec<Option<Vec<u8>>> {
    let is_behind = |at: usize| at.checked_sub(1).is_some_and(|before| entries[before] == MARKER);
    let ours = |(at, entry): (usize, &Vec<u8>)| (is_behind(at) && entry != MARKER).then(|| entry.clone());
    entries.iter().enumerate().map(ours).collect()
}

fn one_of(ours: &[Option<Vec<u8>>], decode: impl Fn(Vec<u8>) -> Option<Vec<u8>>) -> Outcome<String> {
    let found: Vec<&Vec<u8>> = ours.iter().flatten().collect();
    match found[..] {
        [] => Outcome::Absent,
        [text] => match decode(text.clone()) {
            Some(token) if is_b64token(&token) => Outcome::token(&token),
            _ => Outcome::Malformed,
        },
        _ => Outcome::Several,
    }
}

/// The one spelling of the token in base64url without padding.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok().filter(|token| URL_SAFE_NO_PAD.encode(token).as_bytes() == text)
}
