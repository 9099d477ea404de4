//! Octets in all the places where a credential may be.

use http::{
    HeaderValue, Request, Uri,
    header::{AUTHORIZATION, COOKIE, HeaderName, SEC_WEBSOCKET_PROTOCOL},
};
use portcullis::location::{
    AuthorizationHeader, Cookie, HttpHeader, QueryParameter, RequestHeadMut, TokenLocation, WebSocketSubprotocol,
};

use super::location::{Outcome, find, is_b64token, percent_decoded};

const X_TOKEN: HeaderName = HeaderName::from_static("x-token");

/// Takes each line as a value of every HTTP header, and the first one as the query too.
pub fn check(octets: &[u8]) {
    let lines: Vec<&[u8]> = octets.split(|&byte| byte == b'\n').take(4).collect();
    let Some(request) = request(&lines) else { return };
    let values: Vec<&[u8]> = request.headers().get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes).collect();

    let found = find(&AuthorizationHeader::new(), &request);
    assert_eq!(as_ref(&found), authorization(&values), "Authorization");
    assert!(is_within(&find(&HttpHeader::new(X_TOKEN).unwrap(), &request), &values), "header");
    assert!(is_within(&find(&Cookie::new("t").unwrap(), &request), &values), "cookie");
    assert!(is_within(&find(&WebSocketSubprotocol::new(), &request), &values), "subprotocol");
    let query = percent_decoded(request.uri().query().unwrap_or_default().as_bytes());
    assert!(is_within(&find(&QueryParameter::new("t").unwrap(), &request), &[&query]), "query");

    assert_strips(&QueryParameter::new("t").unwrap(), request.clone());
    assert_strips(&WebSocketSubprotocol::new(), request);
}

/// `None` if no part of the request can be sent.
fn request(lines: &[&[u8]]) -> Option<Request<()>> {
    let mut request = Request::new(());
    let target = [b"/p?", *lines.first()?].concat();
    *request.uri_mut() = Uri::try_from(target).unwrap_or_default();
    for line in lines {
        let Ok(value) = HeaderValue::from_bytes(line) else { continue };
        for name in [AUTHORIZATION, X_TOKEN, COOKIE, SEC_WEBSOCKET_PROTOCOL] {
            request.headers_mut().append(name, value.clone());
        }
    }
    Some(request)
}

fn as_ref(outcome: &Outcome<String>) -> Outcome<&[u8]> {
    match outcome {
        Outcome::Absent => Outcome::Absent,
        Outcome::Token(token) => Outcome::Token(token.as_bytes()),
        Outcome::Malformed => Outcome::Malformed,
        Outcome::Several => Outcome::Several,
    }
}

/// A second opinion: RFC 6750 section 2.1, RFC 9110 section 11.4.
fn authorization<'v>(values: &[&'v [u8]]) -> Outcome<&'v [u8]> {
    let value = match values {
        [] => return Outcome::Absent,
        [value] => value.trim_ascii(),
        _ => return Outcome::Several,
    };
    let is_token_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let (scheme, rest) = value.split_at(value.iter().take_while(|byte| is_token_byte(byte)).count());
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return if is_folded(value) { Outcome::Several } else { Outcome::Absent };
    }
    let spaces = rest.iter().take_while(|&&byte| byte == b' ').count();
    if spaces > 0 && is_b64token(&rest[spaces..]) { Outcome::Token(&rest[spaces..]) } else { Outcome::Malformed }
}

/// Whether a `Bearer` credential stands behind another one in the same value.
fn is_folded(value: &[u8]) -> bool {
    let pieces = pieces(value);
    let space = |at: usize| pieces.get(at).is_some_and(|piece| matches!(piece, Piece::Space));
    let next = |at: usize| pieces[at..].iter().find(|piece| !matches!(piece, Piece::Space));
    let before = |at: usize| pieces[..at].iter().rev().find(|piece| !matches!(piece, Piece::Space));
    pieces.iter().enumerate().any(|(at, piece)| {
        let Piece::Word(word) = piece else { return false };
        let behind = next(at + 1);
        let ends = matches!(behind, None | Some(Piece::Other(b',')));
        let is_followed = space(at + 1) && !ends && !matches!(behind, Some(Piece::Other(b'=')));
        word.eq_ignore_ascii_case(b"bearer")
            && match before(at) {
                None | Some(Piece::Other(b',' | b';')) => is_followed || ends,
                Some(Piece::Other(b'=')) => false,
                Some(_) => is_followed,
            }
    })
}

enum Piece<'v> {
    Word(&'v [u8]),
    Space,
    Other(u8),
    /// Behind `=` alone; any other quotation mark is an octet like others.
    Quoted,
}

fn pieces(value: &[u8]) -> Vec<Piece<'_>> {
    let is_token_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let (mut pieces, mut rest) = (Vec::new(), value);
    while let Some((&first, behind)) = rest.split_first() {
        let word = rest.iter().take_while(|byte| is_token_byte(byte)).count();
        let follows_equals =
            matches!(pieces.iter().rev().find(|piece| !matches!(piece, Piece::Space)), Some(Piece::Other(b'=')));
        let quoted = (first == b'"' && follows_equals).then(|| closing(behind)).flatten();
        let (piece, behind) = match (word, quoted) {
            (0, Some(behind)) => (Piece::Quoted, behind),
            (0, None) if first.is_ascii_whitespace() => (Piece::Space, behind),
            (0, None) => (Piece::Other(first), behind),
            (_, _) => (Piece::Word(&rest[..word]), &rest[word..]),
        };
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

/// What follows the closing quotation mark.
fn closing(text: &[u8]) -> Option<&[u8]> {
    let mut is_escaped = false;
    let end = text.iter().position(|&byte| {
        let closes = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        closes
    })?;
    Some(&text[end + 1..])
}

/// Whether a token is a `b64token` that stands in one of the places.
fn is_within(outcome: &Outcome<String>, places: &[&[u8]]) -> bool {
    let Outcome::Token(token) = outcome else { return true };
    let token = token.as_bytes();
    is_b64token(token) && places.iter().any(|place| place.windows(token.len()).any(|window| window == token))
}

/// Nothing is left to be found, and stripping again changes nothing.
fn assert_strips(location: &dyn TokenLocation, mut request: Request<()>) {
    location.strip(&mut RequestHeadMut::from(&mut request));
    assert_eq!(find(location, &request), Outcome::Absent, "left: {request:?}");
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    location.strip(&mut RequestHeadMut::from(&mut request));
    assert_eq!((request.uri(), request.headers()), (&uri, &headers));
}
