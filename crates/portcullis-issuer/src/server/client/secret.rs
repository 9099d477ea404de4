//! [`ClientSecret`]: the digest of a client's secret.

use std::fmt;

use aws_lc_rs::{constant_time, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::{ConfigError, UnixTime};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What is kept of a client's secret: a digest (SHA-256), and until when it holds. With it, no one can act as the client.
///
/// A fast digest is enough because secrets are random: one of a person's choosing is refused by its length, and would have to be stretched.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecret {
    #[serde(with = "text")]
    digest: [u8; 32],
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<u64>,
}

impl ClientSecret {
    /// How long a secret is, at least: 32 characters.
    pub const LEAST_CHARACTERS: usize = 32;

    /// Makes a new secret of 256 random bits. Returns what to keep, and the text to give to the client: it is shown once.
    ///
    /// # Errors
    ///
    /// If the operating system has no randomness.
    pub fn generate() -> Result<(Self, Zeroizing<String>), ConfigError> {
        let mut octets = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(&mut *octets)
            .map_err(|_| ConfigError::new("the operating system has no randomness for a client's secret"))?;
        let text = Zeroizing::new(format!("pcs_{}", URL_SAFE_NO_PAD.encode(*octets)));
        Ok((Self::of(&text)?, text))
    }

    /// Returns what to keep of this secret.
    ///
    /// # Errors
    ///
    /// If it is shorter than [`LEAST_CHARACTERS`](Self::LEAST_CHARACTERS): it could be guessed.
    pub fn of(secret: &str) -> Result<Self, ConfigError> {
        let characters = secret.chars().count();
        if characters < Self::LEAST_CHARACTERS {
            return Err(ConfigError::new(format!(
                "a client's secret has {characters} characters, and needs {}: make one with `ClientSecret::generate` or `openssl rand -hex 32`",
                Self::LEAST_CHARACTERS
            )));
        }
        Ok(Self { digest: digest_of(secret), until: None })
    }

    /// Returns the secret with this digest, as [`to_text`](Self::to_text) has written it.
    ///
    /// # Errors
    ///
    /// If it is not the text of a digest.
    pub fn from_text(digest: &str) -> Result<Self, ConfigError> {
        let octets = URL_SAFE_NO_PAD.decode(digest).ok().and_then(|octets| octets.try_into().ok());
        let digest = octets.ok_or_else(|| {
            ConfigError::new(
                "the digest of a client's secret is not 32 bytes in base64url: see `ClientSecret::to_text`",
            )
        })?;
        Ok(Self { digest, until: None })
    }

    /// Ends the secret at `instant`, as when it is replaced: for a while, the client has two. Defaults to never.
    #[must_use]
    pub fn until(self, instant: UnixTime) -> Self {
        Self { until: Some(instant.as_secs()), ..self }
    }

    /// One that no text is the secret of.
    pub(in crate::server) const fn decoy() -> Self {
        Self { digest: [0; 32], until: Some(0) }
    }

    /// Returns the digest as text, for a configuration.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.digest)
    }

    /// Whether it is this secret, and still holds. Takes the same time for every text of the same length.
    pub(in crate::server) fn is(&self, secret: &str, now: UnixTime) -> bool {
        let is_same = constant_time::verify_slices_are_equal(&digest_of(secret), &self.digest).is_ok();
        is_same && self.until.is_none_or(|until| now.as_secs() < until)
    }
}

fn digest_of(text: &str) -> [u8; 32] {
    let mut octets = [0; 32];
    octets.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    octets
}

/// Shows when it ends, and not the digest.
impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecret").field("until", &self.until).finish_non_exhaustive()
    }
}

mod text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::{Engine, URL_SAFE_NO_PAD};

    pub(super) fn serialize<S: Serializer>(digest: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(digest))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(deserializer)?;
        let octets = URL_SAFE_NO_PAD.decode(text).ok().and_then(|octets| octets.try_into().ok());
        octets.ok_or_else(|| D::Error::custom("not 32 bytes in base64url"))
    }
}
