//! [`Signed`]: what a proof signs.

use std::fmt;

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::UnixTime;

/// What the signature of a proof is over.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Signed<'a> {
    /// The origin of the service, as its clients know it: `https://api.example.com`. Configured on both sides, never from the `Host` HTTP
    /// header.
    pub origin: &'a str,
    /// The method, such as `GET`.
    pub method: &'a str,
    /// The path and the query, as they are sent.
    pub target: &'a str,
    /// The nonce that the service gave; empty if it needs none.
    pub nonce: &'a str,
    /// When the proof was made.
    pub made_at: UnixTime,
    /// The id of the request, which is accepted once.
    pub id: &'a str,
    /// The value of the HTTP header `Content-Digest` (RFC 9530); empty if the request has none, and its body is then not signed.
    pub content_digest: &'a str,
}

impl<'a> Signed<'a> {
    /// Returns what a proof for this request signs, without a digest of its body.
    pub const fn new(origin: &'a str, method: &'a str, target: &'a str, made_at: UnixTime, id: &'a str) -> Self {
        Self { origin, method, target, nonce: "", made_at, id, content_digest: "" }
    }

    /// Sets the nonce.
    #[must_use]
    pub const fn with_nonce(self, nonce: &'a str) -> Self {
        Self { nonce, ..self }
    }

    /// Sets the value of `Content-Digest`.
    #[must_use]
    pub const fn with_content_digest(self, content_digest: &'a str) -> Self {
        Self { content_digest, ..self }
    }

    /// Returns the bytes to sign for a request with this user's token: `0xff`, `nats-http-proof/1`, `0x00`, and then each of origin, method,
    /// target, nonce, time (decimal seconds), id, SHA-256 of the token, and content digest, with its length in four bytes (big-endian) before
    /// it.
    pub fn octets(&self, token: &str) -> Vec<u8> {
        self.octets_for(&token_digest(token))
    }

    pub(crate) fn octets_for(&self, token_digest: &[u8; 32]) -> Vec<u8> {
        framed("nats-http-proof/1", self, &[token_digest, self.content_digest.as_bytes()])
    }

    /// Returns the bytes to sign in order to enrol a key for a caller with this credential: as for a request, with `nats-enrol/1`, and at the
    /// end SHA-256 of the credential and the text of the public key.
    #[cfg(feature = "mint")]
    pub fn octets_of_enrolment(&self, credential: &str, key: &str) -> Vec<u8> {
        framed("nats-enrol/1", self, &[&token_digest(credential), key.as_bytes()])
    }
}

pub(crate) fn token_digest(token: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    bytes
}

fn framed(purpose: &str, signed: &Signed<'_>, last: &[&[u8]]) -> Vec<u8> {
    let made_at = signed.made_at.as_secs().to_string();
    let first = [signed.origin, signed.method, signed.target, signed.nonce, &made_at, signed.id].map(str::as_bytes);
    let parts = || first.iter().copied().chain(last.iter().copied());
    let mut octets = Vec::with_capacity(2 + purpose.len() + parts().map(|part| 4 + part.len()).sum::<usize>());
    octets.push(0xff);
    octets.extend_from_slice(purpose.as_bytes());
    octets.push(0x00);
    for part in parts() {
        // A part of more than 4 GiB does not fit into memory twice; it would be cut, and the signature would be wrong.
        octets.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        octets.extend_from_slice(part);
    }
    octets
}

/// The id of a request: 128 random bits, 22 characters of base64url.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// How many characters an id has.
    pub const LEN: usize = 22;

    /// Returns a new id; `None` if the system has no random numbers.
    pub fn random() -> Option<Self> {
        let mut bytes = [0; 16];
        rand::fill(&mut bytes).ok()?;
        Some(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> Signed<'static> {
        Signed::new("https://a", "GET", "/b?c", UnixTime::from_secs(1_800_000_000), "id").with_nonce("n")
    }

    #[test]
    fn the_octets_have_a_length_before_each_part() {
        let octets = signed().with_content_digest("d").octets("token");
        let mut expected =
            b"\xffnats-http-proof/1\x00\x00\x00\x00\x09https://a\x00\x00\x00\x03GET\x00\x00\x00\x04/b?c".to_vec();
        expected.extend_from_slice(b"\x00\x00\x00\x01n\x00\x00\x00\x0a1800000000\x00\x00\x00\x02id\x00\x00\x00\x20");
        expected.extend_from_slice(&token_digest("token"));
        expected.extend_from_slice(b"\x00\x00\x00\x01d");
        assert_eq!(octets, expected);
    }

    #[test]
    fn they_are_no_text_that_a_server_of_nats_could_send_as_a_nonce() {
        let octets = signed().octets("token");
        assert!(std::str::from_utf8(&octets).is_err());
        assert!(octets.contains(&0));
    }

    #[test]
    fn a_shifted_border_between_two_parts_is_other_octets() {
        let one = Signed { method: "GETx", target: "/", ..signed() };
        let other = Signed { method: "GET", target: "x/", ..signed() };
        assert_ne!(one.octets("token"), other.octets("token"));
    }

    #[cfg(feature = "mint")]
    #[test]
    fn an_enrolment_is_no_request() {
        let request = signed().with_content_digest("U").octets("token");
        assert_ne!(request, signed().octets_of_enrolment("token", "U"));
    }
}
