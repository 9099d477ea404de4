//! Recognises a public key or a certificate in place of an HMAC secret, in all common formats. Its bytes may be public, so everyone could
//! sign.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ParsedPublicKey};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use memchr::memmem;
use serde::de::IgnoredAny;
use spki::der::{Decode, Reader, SliceReader, Tag, Tagged, asn1::AnyRef};
use zeroize::Zeroizing;

use super::{KeyError, KeyErrorKind};

/// How many nested encodings are decoded: that of an environment variable, and that of the file in it.
const MAX_WRAPPINGS: usize = 2;

/// Refuses bytes that are key material of another kind.
///
/// A raw Ed25519 key (32 bytes), a compressed curve point and the bare modulus of an RSA key cannot be distinguished from a secret.
pub(super) fn check(octets: &[u8]) -> Result<(), KeyError> {
    match recognise(octets, MAX_WRAPPINGS) {
        Some(message) => Err(KeyError::new(KeyErrorKind::NotASecret, message)),
        None => Ok(()),
    }
}

fn recognise(octets: &[u8], wrappings: usize) -> Option<&'static str> {
    binary(octets).or_else(|| {
        // Without the zeros, UTF-16 text reads like UTF-8.
        let text: Zeroizing<Vec<u8>> = Zeroizing::new(octets.iter().copied().filter(|&byte| byte != 0).collect());
        let text = trim(&text);
        pem(text).or_else(|| json(text)).or_else(|| ssh(text)).or_else(|| {
            let within = |octets: Option<Zeroizing<Vec<u8>>>| recognise(&octets?, wrappings.checked_sub(1)?);
            within(hexadecimal(text)).or_else(|| within(percent(text))).or_else(|| within(base64(text)))
        })
    })
}

/// Removes a byte order mark, white space and quotation marks around it, which files and shells add.
fn trim(mut text: &[u8]) -> &[u8] {
    const MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
    let is_around = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`');
    loop {
        let before = text.len();
        text = MARKS.iter().find_map(|mark| text.strip_prefix(*mark)).unwrap_or(text);
        text = text.split_first().filter(|(first, _)| is_around(first)).map_or(text, |(_, rest)| rest);
        text = text.split_last().filter(|(last, _)| is_around(last)).map_or(text, |(_, rest)| rest);
        if text.len() == before {
            return text;
        }
    }
}

/// RFC 7468, RFC 4716 and similar private formats, on any number of lines.
fn pem(text: &[u8]) -> Option<&'static str> {
    let has = |part: &str| memmem::find(text, part.as_bytes()).is_some();
    if !has("---- BEGIN ") && !has("-----BEGIN ") {
        return None;
    }
    Some(if has("PRIVATE KEY") {
        "this is a PEM private key, and no shared secret: a service that verifies needs its public key alone, by \
         `VerifyingKey::from_pem` (`openssl pkey -in private.pem -pubout`)"
    } else if has("CERTIFICATE") {
        "this is a PEM certificate, and no secret: take its key (`openssl x509 -in certificate.pem -noout -pubkey`) and use \
         `VerifyingKey::from_pem`"
    } else if has("PUBLIC KEY") && has("-----BEGIN ") {
        "this is a PEM public key: use `VerifyingKey::from_pem`; as a secret, anyone who has the public key could sign"
    } else if has("SSH2") {
        SSH
    } else {
        "this is PEM, and no secret: use `VerifyingKey::from_pem` for a public key"
    })
}

fn json(text: &[u8]) -> Option<&'static str> {
    if !matches!(text.first(), Some(b'{' | b'[')) {
        return None;
    }
    let is_about_keys = [r#""kty""#, r#""keys""#].iter().any(|name| memmem::find(text, name.as_bytes()).is_some());
    let is_json = is_about_keys || serde_json::from_slice::<IgnoredAny>(text).is_ok();
    is_json.then_some(
        "this is the text of a JWK or another JSON document, and no secret: use `VerifyingKey::from_jwk` for a public key, \
         `KeySet::from_jwks` for a set of them, and `KeySet::from_jwks_with_secrets` for secrets (kty oct)",
    )
}

/// A line of `authorized_keys` or of a `.pub` file; the key may be preceded by options.
fn ssh(text: &[u8]) -> Option<&'static str> {
    const TYPES: [&str; 7] =
        ["ssh-rsa AAAA", "ssh-dss AAAA", "ssh-ed25519", "ecdsa-sha2-nistp", "sk-ssh-", "sk-ecdsa-", "ssh-rsa-cert"];
    TYPES.iter().any(|name| memmem::find(text, name.as_bytes()).is_some()).then_some(SSH)
}

const SSH: &str = "this is an SSH key, and no secret: write its public key as PEM (`ssh-keygen -e -m pkcs8 -f key.pub`) and use \
                   `VerifyingKey::from_pem`";

const DER: &str = "this is a key or a certificate in DER, and no secret: write a public key as PEM (`openssl pkey -pubin -inform \
                   der`) and use `VerifyingKey::from_pem`";

fn binary(octets: &[u8]) -> Option<&'static str> {
    if is_der(octets) || is_point(octets) {
        return Some(DER);
    }
    is_ssh_wire(octets).then_some(SSH)
}

/// A `SubjectPublicKeyInfo`, a certificate, PKCS #1, PKCS #8 or SEC 1: a sequence that fills the bytes exactly, whose elements fill it
/// exactly, the first two of the right kinds. Random bytes look like this once in 2^35.
fn is_der(octets: &[u8]) -> bool {
    let Some(elements) = AnyRef::from_der(octets).ok().filter(|any| any.tag() == Tag::Sequence).and_then(tags) else {
        return false;
    };
    matches!(
        elements.as_slice(),
        [Tag::Sequence, Tag::BitString]
            | [Tag::Sequence, Tag::Sequence, Tag::BitString]
            | [Tag::Integer, Tag::Integer | Tag::OctetString | Tag::Sequence, ..]
    )
}

/// Returns the tags of a sequence's elements; `None` if they do not fill it.
fn tags(sequence: AnyRef<'_>) -> Option<Vec<Tag>> {
    let mut reader = SliceReader::new(sequence.value()).ok()?;
    let mut tags = Vec::new();
    while !reader.is_finished() {
        tags.push(AnyRef::decode(&mut reader).ok()?.tag());
    }
    Some(tags)
}

/// A raw public key on one of the curves (SEC 1 section 2.3.3).
fn is_point(octets: &[u8]) -> bool {
    [&ECDSA_P256_SHA256_FIXED, &ECDSA_P384_SHA384_FIXED]
        .into_iter()
        .any(|curve| octets.first() == Some(&4) && ParsedPublicKey::new(curve, octets).is_ok())
}

/// RFC 4253 section 6.6: the length of the type's name, and the name.
fn is_ssh_wire(octets: &[u8]) -> bool {
    let Some((&[0, 0, 0, len], rest)) = octets.split_first_chunk::<4>() else { return false };
    rest.get(..usize::from(len)).is_some_and(|name| {
        [&b"ssh-"[..], b"ecdsa-sha2-", b"sk-ssh-", b"sk-ecdsa-"].iter().any(|prefix| name.starts_with(prefix))
    })
}

/// Decodes pairs of hexadecimal digits, which may have white space or colons between them.
fn hexadecimal(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let is_digit = |byte: &&u8| !byte.is_ascii_whitespace() && **byte != b':';
    let digits: Zeroizing<Vec<u8>> = Zeroizing::new(text.iter().filter(is_digit).copied().collect());
    let pairs = digits.chunks(2).map(|pair| octet(*pair.first_chunk()?));
    pairs.collect::<Option<Vec<u8>>>().map(Zeroizing::new)
}

/// Decodes percent-encoding; `None` if there is none.
fn percent(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let escaped = after.first_chunk().filter(|_| first == b'%').and_then(|digits| octet(*digits));
        decoded.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    (decoded.len() < text.len()).then_some(decoded)
}

fn octet(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()));
    Some(high? * 16 + low?)
}

/// Decodes base64 in either alphabet, on any number of lines.
fn base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text: Zeroizing<Vec<u8>> =
        Zeroizing::new(text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect());
    let padding = text.iter().rev().take_while(|&&byte| byte == b'=').count();
    let text = &text[..text.len() - padding];
    STANDARD_NO_PAD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok().map(Zeroizing::new)
}
