//! Octets as the value of `Content-Digest`.

use std::convert::Infallible;

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use portcullis::{
    content_digest::{ContentDigest, ContentDigestLayer},
    read_body::ReadBody,
    rejection::ServiceCode,
};
use tower::{Layer, ServiceExt, service_fn};

use super::now::now;

/// The body of the examples in RFC 9530 appendix D.
const BODY: &[u8] = br#"{"hello": "world"}"#;

/// A body passes if the value is a dictionary of byte sequences with a digest that is known, and if all that are known are right.
pub fn check(octets: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(octets) else { return };
    let expected = expected(octets);
    assert_eq!(through_the_layer(value), expected.err());
    let Some(digest) = str::from_utf8(octets).ok().and_then(|text| text.parse::<ContentDigest>().ok()) else { return };
    assert_eq!(digest.matches(BODY), expected.is_ok());
    assert_eq!(digest.to_string().parse(), Ok(digest), "what is written is read again");
}

/// Reads the value octet by octet, by RFC 9651 section 4.2.2, but for what is refused here: other types of values, and parameters.
fn expected(octets: &[u8]) -> Result<(), ServiceCode> {
    let members = members(octets).ok_or(ServiceCode::ContentDigestMalformed)?;
    let is_repeated =
        |(place, (name, _)): (usize, &(&[u8], Vec<u8>))| members[..place].iter().any(|(other, _)| other == name);
    let known: Vec<_> = members
        .iter()
        .filter_map(|(name, found)| match *name {
            b"sha-256" => Some((digest(&SHA256, BODY), found)),
            b"sha-512" => Some((digest(&SHA512, BODY), found)),
            _ => None,
        })
        .collect();
    let is_odd = known.iter().any(|(right, found)| right.as_ref().len() != found.len());
    if members.len() > 16 || is_odd || members.iter().enumerate().any(is_repeated) {
        return Err(ServiceCode::ContentDigestMalformed);
    }
    if known.is_empty() {
        return Err(ServiceCode::ContentDigestMissing);
    }
    let is_right = known.iter().all(|(right, found)| right.as_ref() == found.as_slice());
    if is_right { Ok(()) } else { Err(ServiceCode::ContentDigestMismatch) }
}

fn members(octets: &[u8]) -> Option<Vec<(&[u8], Vec<u8>)>> {
    let mut members = Vec::new();
    let mut rest = without_blanks(octets);
    loop {
        let (name, value) = split_once(rest, b'=')?;
        let (encoded, behind) = split_once(value.strip_prefix(b":")?, b':')?;
        let is_first = matches!(name.first(), Some(b'a'..=b'z' | b'*'));
        let is_name = name.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'*'));
        members.push((name, decoded(encoded).filter(|_| is_first && is_name)?));
        match without_blanks(behind) {
            [] => return Some(members),
            [b',', behind @ ..] => rest = without_blanks(behind),
            _ => return None,
        }
    }
}

fn without_blanks(octets: &[u8]) -> &[u8] {
    let blanks = octets.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &octets[blanks..]
}

fn split_once(octets: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = octets.iter().position(|&byte| byte == at)?;
    Some((&octets[..place], &octets[place + 1..]))
}

/// Base64 with all of its padding, a part of it, or none, and with any bits behind the last octet.
fn decoded(encoded: &[u8]) -> Option<Vec<u8>> {
    let symbols: Vec<_> =
        encoded.iter().take_while(|&&byte| byte != b'=').map(|&byte| symbol(byte)).collect::<Option<_>>()?;
    let padding = &encoded[symbols.len()..];
    let most = [0, 0, 2, 1][symbols.len() % 4];
    if symbols.len() % 4 == 1 || padding.len() > most || padding.iter().any(|&byte| byte != b'=') {
        return None;
    }
    let bits: Vec<_> = symbols.iter().flat_map(|value| (0..6).rev().map(move |bit| value >> bit & 1)).collect();
    Some(bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |octet, bit| octet << 1 | bit)).collect())
}

fn symbol(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// The code of the refusal, if there is one.
fn through_the_layer(value: HeaderValue) -> Option<ServiceCode> {
    let inner = service_fn(async |request: Request<ReadBody<Full<Bytes>>>| {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, BODY, "the handler gets the body as it was sent");
        Ok::<_, Infallible>(Response::new(String::new()))
    });
    let request = Request::post("/").header("content-digest", value).body(Full::new(Bytes::from_static(BODY))).unwrap();
    let response = now(ContentDigestLayer::required().layer(inner).oneshot(request)).unwrap();
    response.extensions().get().copied()
}
