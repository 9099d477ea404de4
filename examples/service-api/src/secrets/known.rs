//! A secret that this instance has got to know.

use std::fmt;

use portcullis::{Algorithm, ConfigError, Secret, clock::UnixTime};
use zeroize::Zeroizing;

use super::{
    Signer,
    listed::{ListedSecret, Material, random},
};

/// The bytes of a secret, and when it came.
pub(super) struct Known {
    id: String,
    bytes: Zeroizing<Vec<u8>>,
    is_random: bool,
    since: UnixTime,
}

impl Known {
    /// Gets to know a listed secret at `now`. A random one is made here.
    pub(super) fn new(listed: &ListedSecret, now: UnixTime) -> Result<Self, ConfigError> {
        let (bytes, is_random) = match &listed.material {
            Material::Given(bytes) => (bytes.clone(), false),
            Material::Random => {
                let bytes = random().map_err(|error| ConfigError::new(format!("no random secret: {error}")))?;
                (bytes, true)
            }
        };
        Ok(Self { id: listed.id.clone(), bytes, is_random, since: now })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn since(&self) -> UnixTime {
        self.since
    }

    /// Whether that is this secret. Both are the operator's, so there is nothing to be found out by timing.
    pub(super) fn is(&self, material: &Material) -> bool {
        match material {
            Material::Given(bytes) => !self.is_random && self.bytes == *bytes,
            Material::Random => self.is_random,
        }
    }

    /// Verifies with it.
    pub(super) fn verifying(&self) -> Result<Secret, ConfigError> {
        let secret = Secret::new(self.id(), Algorithm::Hs256, self.bytes.to_vec());
        secret.map_err(|error| ConfigError::new(format!("secret `{}`: {error}", self.id.escape_debug())))
    }

    /// Signs with it.
    pub(super) fn signing(&self) -> Result<Signer, ConfigError> {
        let signer = Signer::new(&self.id, &self.bytes);
        signer.map_err(|error| ConfigError::new(format!("secret `{}`: {error}", self.id.escape_debug())))
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").field("id", &self.id).field("since", &self.since).finish_non_exhaustive()
    }
}
