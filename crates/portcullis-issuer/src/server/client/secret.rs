//! [`ClientSecret`]: the digest of a client's secret.

use std::fmt;

use aws_lc_rs::{constant_time, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::{ConfigError, UnixTime};
use zeroize::Zeroizing;

/// What is kept of a client's secret: a digest (SHA-256), and until when the secret is valid. With it, no one can act as the client.
///
/// A fast digest is enough because secrets are random: one of a person's choosing is refused by its length, and must be hashed slowly.
///
/// ```
/// use portcullis_issuer::server::ClientSecret;
///
/// let (kept, text) = ClientSecret::generate()?; // give `text` to the client
/// let written = kept.digest(); // for your configuration
/// assert!(written.starts_with("sha256:"));
/// assert_eq!(ClientSecret::from_digest(&written)?, ClientSecret::from_secret(&text)?);
/// assert!(ClientSecret::from_secret(&written).is_err());
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret {
    pub(in crate::server::client) digest: [u8; 32],
    pub(in crate::server::client) until: Option<u64>,
}

/// What the text of a digest begins with, so that it is not taken for a secret.
const PREFIX: &str = "sha256:";

/// What precedes the end of a secret in that text, in seconds since 1970.
const UNTIL: &str = ";until=";

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
        Ok((Self::from_secret(&text)?, text))
    }

    /// Returns what to keep of this secret.
    ///
    /// # Errors
    ///
    /// If it is shorter than [`LEAST_CHARACTERS`](Self::LEAST_CHARACTERS), so that it could be guessed; or if it is the text of a
    /// [digest](Self::digest).
    pub fn from_secret(secret: &str) -> Result<Self, ConfigError> {
        if secret.starts_with(PREFIX) {
            return Err(ConfigError::new(
                "a client's secret is the text of a digest: read it by `ClientSecret::from_digest`",
            ));
        }
        let characters = secret.chars().count();
        if characters < Self::LEAST_CHARACTERS {
            return Err(ConfigError::new(format!(
                "a client's secret has {characters} characters, and needs {}: make one with `ClientSecret::generate` or `openssl rand -hex 32`",
                Self::LEAST_CHARACTERS
            )));
        }
        Ok(Self { digest: digest_of(secret), until: None })
    }

    /// Returns the secret with this digest, as [`digest`](Self::digest) has written it, with its end if it has one.
    ///
    /// # Errors
    ///
    /// If it is not the text of a digest.
    pub fn from_digest(text: &str) -> Result<Self, ConfigError> {
        let parsed = text.strip_prefix(PREFIX).and_then(|text| {
            let (digest, until) = match text.split_once(UNTIL) {
                Some((digest, until)) => (digest, Some(until.parse().ok()?)),
                None => (text, None),
            };
            Some(Self { digest: parse_digest(digest)?, until })
        });
        parsed.ok_or_else(|| {
            ConfigError::new(
                "the digest of a client's secret is not `sha256:` and 32 bytes in base64url: see `ClientSecret::digest`",
            )
        })
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

    /// Returns the digest as text, for a configuration: `sha256:`, 32 bytes in base64url and, if the secret has an [end](Self::until), `;until=` with
    /// the seconds since 1970.
    pub fn digest(&self) -> String {
        let until = self.until.map(|until| format!("{UNTIL}{until}")).unwrap_or_default();
        format!("{PREFIX}{}{until}", write_digest(&self.digest))
    }

    /// Whether it is this secret, and still valid. Takes the same time for every text of the same length.
    pub(in crate::server) fn is(&self, secret: &str, now: UnixTime) -> bool {
        let is_same = constant_time::verify_slices_are_equal(&digest_of(secret), &self.digest).is_ok();
        is_same && self.until.is_none_or(|until| now.as_secs() < until)
    }
}

/// Writes a digest in base64url.
pub(in crate::server::client) fn write_digest(digest: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(digest)
}

/// Reads a digest; `None` if it is not one.
pub(in crate::server::client) fn parse_digest(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
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
