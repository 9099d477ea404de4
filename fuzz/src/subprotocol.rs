//! Octets as `Sec-WebSocket-Protocol` headers.

use http::{HeaderValue, Request, header::SEC_WEBSOCKET_PROTOCOL};
use portcullis::location::{RequestHeadMut, TokenLocation, WebSocketSubprotocol};

use super::location::{Outcome, find, is_b64token};

const PREFIX: &[u8] = b"bearer.";

/// Takes each line as a header. The one entry with the prefix is found, and it alone is taken out; the others stay in order.
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

fn expected(entries: &[Vec<u8>]) -> Outcome<String> {
    let ours: Vec<&[u8]> = entries.iter().filter_map(|entry| entry.strip_prefix(PREFIX)).collect();
    match ours[..] {
        [] => Outcome::Absent,
        [token] if is_b64token(token) => Outcome::token(token),
        [_] => Outcome::Malformed,
        _ => Outcome::Several,
    }
}
