//! [`ContentDigest`]: the value of the field `Content-Digest`.

use std::{fmt, str::FromStr};

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, SHA512, SHA512_OUTPUT_LEN, digest};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{ContentDigestError, ContentDigestErrorKind};

/// The value of the field `Content-Digest` (RFC 9530 section 2): the digest of a body, by SHA-256, SHA-512 or both.
///
/// `Display` is the value of the HTTP header, such as `sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:`. The same text is what a
/// proof of possession signs. [`str::parse`] reads it; see the [module docs](super) for what is refused.
///
/// ```
/// use portcullis::content_digest::ContentDigest;
///
/// let digest = ContentDigest::sha256_of(r#"{"hello": "world"}"#);
/// assert_eq!(digest.to_string(), "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:");
///
/// let received: ContentDigest = digest.to_string().parse()?;
/// assert!(received.matches(r#"{"hello": "world"}"#));
/// assert!(!received.matches(r#"{"hello": "World"}"#));
/// # Ok::<(), portcullis::content_digest::ContentDigestError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentDigest {
    // At least one of them is there.
    sha256: Option<[u8; SHA256_OUTPUT_LEN]>,
    sha512: Option<[u8; SHA512_OUTPUT_LEN]>,
}

impl ContentDigest {
    /// Returns the SHA-256 digest of a body.
    pub fn sha256_of(body: impl AsRef<[u8]>) -> Self {
        Self { sha256: sha256(body.as_ref()), sha512: None }
    }

    /// Returns the SHA-512 digest of a body.
    pub fn sha512_of(body: impl AsRef<[u8]>) -> Self {
        Self { sha256: None, sha512: sha512(body.as_ref()) }
    }

    /// Whether this is the digest of that body. If there are digests by both algorithms, both have to match.
    pub fn matches(&self, body: impl AsRef<[u8]>) -> bool {
        let body = body.as_ref();
        self.sha256.is_none_or(|expected| sha256(body) == Some(expected))
            && self.sha512.is_none_or(|expected| sha512(body) == Some(expected))
    }
}

impl FromStr for ContentDigest {
    type Err = ContentDigestError;

    fn from_str(text: &str) -> Result<Self, ContentDigestError> {
        parse(text).map_err(ContentDigestError::new)
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sha256 = self.sha256.as_ref().map(|digest| (SHA_256, digest.as_slice()));
        let sha512 = self.sha512.as_ref().map(|digest| (SHA_512, digest.as_slice()));
        for (place, (algorithm, digest)) in sha256.into_iter().chain(sha512).enumerate() {
            let between = if place == 0 { "" } else { ", " };
            write!(f, "{between}{algorithm}=:{}:", BASE64.encode(digest))?;
        }
        Ok(())
    }
}

/// The keys of the registry of RFC 9530 section 7.2.
const SHA_256: &str = "sha-256";
const SHA_512: &str = "sha-512";

/// RFC 9651 section 4.2.7: a parser should accept a byte sequence without padding, and with bits after its end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The registry has nine algorithms.
const MOST_MEMBERS: usize = 16;

fn parse(text: &str) -> Result<ContentDigest, ContentDigestErrorKind> {
    let mut found = ContentDigest { sha256: None, sha512: None };
    let mut names = Vec::new();
    for member in text.split(',') {
        let (name, value) = read_member(member).ok_or(ContentDigestErrorKind::Malformed)?;
        if names.len() == MOST_MEMBERS {
            return Err(ContentDigestErrorKind::Malformed);
        }
        if names.contains(&name) {
            return Err(ContentDigestErrorKind::Repeated);
        }
        names.push(name);
        match name {
            SHA_256 => found.sha256 = Some(exactly(&value)?),
            SHA_512 => found.sha512 = Some(exactly(&value)?),
            _ => {}
        }
    }
    let is_supported = found.sha256.is_some() || found.sha512.is_some();
    if is_supported { Ok(found) } else { Err(ContentDigestErrorKind::Unsupported) }
}

/// Reads `sha-256=:…:`, a member of a dictionary with a byte sequence. Neither part can contain a comma.
fn read_member(member: &str) -> Option<(&str, Vec<u8>)> {
    let (name, value) = member.trim_matches([' ', '\t']).split_once('=')?;
    let encoded = value.strip_prefix(':')?.strip_suffix(':')?;
    let value = BASE64.decode(encoded).ok()?;
    is_key(name).then_some((name, value))
}

/// `key` of RFC 9651 section 3.1.2.
fn is_key(name: &str) -> bool {
    let is_first = |byte: u8| byte.is_ascii_lowercase() || byte == b'*';
    let is_later = |byte: u8| is_first(byte) || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'.');
    name.bytes().next().is_some_and(is_first) && name.bytes().all(is_later)
}

fn exactly<const LEN: usize>(digest: &[u8]) -> Result<[u8; LEN], ContentDigestErrorKind> {
    digest.try_into().map_err(|_| ContentDigestErrorKind::Malformed)
}

fn sha256(body: &[u8]) -> Option<[u8; SHA256_OUTPUT_LEN]> {
    digest(&SHA256, body).as_ref().try_into().ok()
}

fn sha512(body: &[u8]) -> Option<[u8; SHA512_OUTPUT_LEN]> {
    digest(&SHA512, body).as_ref().try_into().ok()
}
