//! [`PublicKey`]: a public nkey of any role.

use std::{fmt, hash, str, str::FromStr};

use portcullis_core::keys::VerifyingKey;

use super::{
    NkeyError, NkeyErrorKind, Role,
    text::{KEY_LEN, PUBLIC_LEN, read_public, write_public},
};

/// A public nkey of any role. Small enough to be copied.
///
/// ```
/// use portcullis_nats::nkey::{NkeyErrorKind, PublicKey, Role};
///
/// let key: PublicKey = "UDK56DVUT3PRGVWOXBWFGVTZNSS3RIGKKULHYMTFQICCO3FLIQSYGSYL".parse()?;
/// assert_eq!(key.role(), Role::User);
///
/// let mistyped = "UDK56DVUT3PRGVWOXBWFGVTZNSS3RIGKKULHYMTFQICCO3FLIQSYGSYM".parse::<PublicKey>();
/// assert_eq!(mistyped.unwrap_err().kind(), NkeyErrorKind::Checksum);
/// # Ok::<(), portcullis_nats::nkey::NkeyError>(())
/// ```
#[derive(Clone, Copy)]
pub struct PublicKey {
    role: Role,
    bytes: [u8; KEY_LEN],
    text: [u8; PUBLIC_LEN],
}

impl PublicKey {
    /// Returns the key of these 32 bytes.
    ///
    /// # Errors
    ///
    /// [`NkeyErrorKind::Weak`] if it is no Ed25519 key, or one of small order. (A [`Role::Curve`] key is X25519, and not checked.)
    pub fn new(role: Role, bytes: [u8; 32]) -> Result<Self, NkeyError> {
        let key = Self { role, bytes, text: write_public(role, &bytes) };
        if role != Role::Curve {
            key.verifying_key()?;
        }
        Ok(key)
    }

    /// Returns the role.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Returns the 32 bytes of the key.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        // It is base32, so this cannot fail.
        str::from_utf8(&self.text).unwrap_or_default()
    }

    /// Returns the key, prepared for checking signatures. Its id is the text.
    ///
    /// # Errors
    ///
    /// [`NkeyErrorKind::Weak`] for a key that cannot verify.
    pub fn verifying_key(&self) -> Result<VerifyingKey, NkeyError> {
        if self.role == Role::Curve {
            return Err(NkeyErrorKind::Weak.into());
        }
        let key = VerifyingKey::ed25519(&self.bytes).and_then(|key| key.with_id(self.as_str()));
        key.map_err(|_| NkeyErrorKind::Weak.into())
    }
}

impl FromStr for PublicKey {
    type Err = NkeyError;

    fn from_str(text: &str) -> Result<Self, NkeyError> {
        let (role, bytes) = read_public(text)?;
        Self::new(role, bytes)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        (self.role, &self.bytes) == (other.role, &other.bytes)
    }
}

impl Eq for PublicKey {}

impl hash::Hash for PublicKey {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        (self.role, &self.bytes).hash(state);
    }
}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PublicKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
