//! [`StoredSecret`]: the digest of a secret, as it is stored.

use serde::{Deserialize, Serialize};

use crate::server::{
    ClientSecret,
    client::secret::{parse_digest, write_digest},
};

/// The digest of a secret, and its end in seconds since 1970, as they are stored.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredSecret {
    digest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<u64>,
}

impl StoredSecret {
    pub(super) fn of(secret: &ClientSecret) -> Self {
        Self { digest: write_digest(&secret.digest), until: secret.until }
    }

    /// Returns the secret; `None` if the row is damaged.
    pub(super) fn secret(self) -> Option<ClientSecret> {
        Some(ClientSecret { digest: parse_digest(&self.digest)?, until: self.until })
    }
}
