//! [`ApiTokenDigest`]: what a store has of a token.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The digest of a token's text: HMAC-SHA-256 with a pepper, which the store does not have. A copy of the store yields no token, and who
/// adds a row to it needs the digest of a text that the issuer has made.
///
/// Two are compared in constant time.
#[derive(Clone, Copy, Debug, Eq)]
pub struct ApiTokenDigest([u8; 32]);

impl PartialEq for ApiTokenDigest {
    fn eq(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Hash for ApiTokenDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl ApiTokenDigest {
    /// Returns the digest with these bytes, as a store has kept them.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, for a store to keep.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The bytes in base64url, as a row has them.
impl fmt::Display for ApiTokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl Serialize for ApiTokenDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ApiTokenDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| D::Error::custom("the digest does not have 32 bytes in base64url"))
    }
}

/// The id of a pepper: one letter or digit, which stands in each token that was made with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "char")]
pub struct PepperId(u8);

impl PepperId {
    /// Returns the id of this letter or digit; `None` for any other character.
    pub const fn new(id: char) -> Option<Self> {
        if id.is_ascii_alphanumeric() { Some(Self(id as u8)) } else { None }
    }

    /// Returns the letter or digit.
    pub const fn as_char(self) -> char {
        self.0 as char
    }

    /// Returns the name by which the pepper is [revoked](portcullis_core::revocation::Revocation::key), and all tokens with it: `pepper:1`. No key of a
    /// JSON Web Token is called so, because a key of the issuer is named by its thumbprint, which has no colon.
    pub fn key_id(self) -> String {
        format!("pepper:{self}")
    }
}

impl TryFrom<char> for PepperId {
    type Error = &'static str;

    fn try_from(id: char) -> Result<Self, Self::Error> {
        Self::new(id).ok_or("the id of a pepper is not a letter or digit")
    }
}

impl Serialize for PepperId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_char(self.as_char())
    }
}

impl fmt::Debug for PepperId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PepperId({})", self.as_char())
    }
}

impl fmt::Display for PepperId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_char())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_that_differs_in_one_byte_is_another_one() {
        let digest = ApiTokenDigest::from_bytes([7; 32]);
        assert_eq!(digest, ApiTokenDigest::from_bytes([7; 32]));
        for at in 0..32 {
            let mut bytes = [7; 32];
            bytes[at] = 8;
            assert_ne!(digest, ApiTokenDigest::from_bytes(bytes), "{at}");
        }
    }

    /// Only a measurement shows more: `benches/benches/api_tokens/timing.rs`.
    #[test]
    fn pitfall_8_digests_and_tags_are_compared_by_the_function_that_takes_constant_time() {
        let of_bytes = concat!("verify_slices_are_equal(&self.0, ", "&other.0).is_ok()");
        let of_texts = "verify_slices_are_equal(expected.as_bytes(), tag.as_bytes())";
        let compared = [
            (of_bytes, include_str!("digest.rs")),
            (of_bytes, include_str!("manage/import.rs")),
            (of_texts, include_str!("format/text/mod.rs")),
        ];
        for (how, source) in compared {
            let (code, _) = source.split_once("#[cfg(test)]").unwrap_or((source, ""));
            assert_eq!(code.matches(how).count(), 1, "{how}");
        }
    }
}
