//! [`ApiTokenId`]: the public id of a token.

use std::{fmt, str::FromStr};

use portcullis_core::ConfigError;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::{StoreError, refresh::Millis};

/// The id of a token, which is not secret: 48 bits of the time in milliseconds, so that ids sort by age, and 80 random bits. As text, it is a ULID: 26
/// characters of Crockford's base32. Access tokens have it as `jti`, and revocations name it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiTokenId([u8; 16]);

/// Crockford's base32: without I, L, O and U, which are mistaken for others.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

const CHARACTERS: usize = 26;

impl ApiTokenId {
    /// Returns the id with these bytes, as a store has kept them.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns a new id.
    pub(super) fn generate(now: Millis) -> Result<Self, StoreError> {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes[6..])
            .map_err(|_| StoreError::new("the operating system has no randomness"))?;
        bytes[..6].copy_from_slice(&now.get().to_be_bytes()[2..]);
        Ok(Self(bytes))
    }

    /// Returns the bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for ApiTokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = u128::from_be_bytes(self.0);
        let mut text = String::with_capacity(CHARACTERS);
        for at in (0..CHARACTERS).rev() {
            let digit = (number >> (5 * at)) & 31;
            text.push(char::from(ALPHABET[usize::from(digit.to_le_bytes()[0])]));
        }
        f.pad(&text)
    }
}

impl fmt::Debug for ApiTokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiTokenId({self})")
    }
}

impl FromStr for ApiTokenId {
    type Err = ConfigError;

    /// Reads the text of [`Display`](fmt::Display), in that form alone: upper case, 26 characters.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let wrong = || {
            ConfigError::new("not the id of an API token, which has 26 characters such as 01J9ZK8C3QV6T5W4X2Y1R0ABCD")
        };
        if text.len() != CHARACTERS {
            return Err(wrong());
        }
        let mut number: u128 = 0;
        for byte in text.bytes() {
            let digit = ALPHABET.iter().position(|letter| *letter == byte).ok_or_else(wrong)?;
            let digit = u128::try_from(digit).map_err(|_| wrong())?;
            number = number.checked_mul(32).ok_or_else(wrong)? | digit;
        }
        Ok(Self(number.to_be_bytes()))
    }
}

impl Serialize for ApiTokenId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ApiTokenId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_from_its_own_text_and_no_other() {
        for bytes in [[0; 16], [255; 16], *b"0123456789abcdef"] {
            let id = ApiTokenId::from_bytes(bytes);
            let text = id.to_string();
            assert_eq!(text.len(), 26);
            assert_eq!(text.parse::<ApiTokenId>().unwrap(), id);
            if text.to_lowercase() != text {
                assert!(text.to_lowercase().parse::<ApiTokenId>().is_err());
            }
        }
        // One more than 128 bits can be, and characters that are not of the alphabet.
        for wrong in ["80000000000000000000000000", "0000000000000000000000000U", "", "0"] {
            assert!(wrong.parse::<ApiTokenId>().is_err(), "{wrong}");
        }
    }
}
