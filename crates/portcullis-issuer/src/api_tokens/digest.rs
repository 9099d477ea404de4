//! [`ApiTokenDigest`]: what a store has of a token.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The digest of a token's text: HMAC-SHA-256 with a pepper, which the store does not have. A copy of the store yields no token, and who
/// adds a row to it needs the digest of a text that the issuer has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ApiTokenDigest([u8; 32]);

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
