//! What an issuer seals with its keys of refresh tokens: the MAC, and a reader that compares with the one spelling.

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_issuer::refresh::RefreshKeys;

/// The key to write with, and an earlier one.
pub(crate) const KEYS: [(u8, [u8; 32]); 2] = [(7, [1; 32]), (3, [2; 32])];

/// The same for an issuer.
pub(crate) fn keys() -> RefreshKeys {
    let [(id, key_now), (earlier, key_then)] = KEYS;
    RefreshKeys::new(id, key_now).unwrap().also_reads(earlier, key_then).unwrap()
}

/// The key that the second octet names; the current one if it names none.
pub(crate) fn key_for(octets: &[u8]) -> &'static [u8; 32] {
    key_of(octets).unwrap_or(&KEYS[0].1)
}

fn key_of(octets: &[u8]) -> Option<&'static [u8; 32]> {
    KEYS.iter().find(|(id, _)| octets.get(1) == Some(id)).map(|(_, key)| key)
}

/// A form of sealed text.
#[derive(Clone, Copy)]
pub(crate) struct Form {
    pub(crate) prefix: &'static str,
    pub(crate) version: u8,
    pub(crate) context: &'static [u8],
}

impl Form {
    pub(crate) fn seal(self, octets: &[u8], key: &[u8; 32]) -> String {
        let signed = [self.context, octets].concat();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &signed);
        format!("{}{}", self.prefix, URL_SAFE_NO_PAD.encode([octets, &tag.as_ref()[..16]].concat()))
    }

    /// What is under the MAC, with version and key id; `None` for any text that the issuer would not write.
    pub(crate) fn open(self, text: &str) -> Option<Vec<u8>> {
        let octets = base64url(text.strip_prefix(self.prefix)?)?;
        let (signed, _) = octets.split_last_chunk::<16>()?;
        let is_it = signed.first() == Some(&self.version) && self.seal(signed, key_of(signed)?) == text;
        is_it.then(|| signed.to_vec())
    }
}

/// A slow decoder, bit by bit. That the text is the only spelling of its octets is compared later.
pub(crate) fn base64url(text: &str) -> Option<Vec<u8>> {
    let value = |character: u8| match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    };
    let values: Option<Vec<u8>> = text.bytes().map(value).collect();
    let bits: Vec<u8> = values?.iter().flat_map(|six| (0..6).rev().map(move |at| six >> at & 1)).collect();
    Some(bits.chunks_exact(8).map(|octet| octet.iter().fold(0, |sum, bit| sum << 1 | bit)).collect())
}
