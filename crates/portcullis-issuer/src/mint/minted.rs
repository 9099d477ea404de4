//! [`Minted`]: a token, and what its issuer has to know about it.

use std::fmt;

use portcullis_core::UnixTime;
use zeroize::Zeroizing;

/// A minted token. `Debug` does not show it.
#[derive(Clone)]
pub struct Minted {
    token: Zeroizing<String>,
    token_id: String,
    expires_at: UnixTime,
}

impl Minted {
    pub(super) fn new(token: String, token_id: String, expires_at: UnixTime) -> Self {
        Self { token: Zeroizing::new(token), token_id, expires_at }
    }

    /// Returns the token: anyone who has it can act as its subject.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Returns `jti`, with which this one token can be revoked.
    pub fn token_id(&self) -> &str {
        &self.token_id
    }

    /// Returns `exp`.
    pub fn expires_at(&self) -> UnixTime {
        self.expires_at
    }
}

impl fmt::Debug for Minted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minted")
            .field("token_id", &self.token_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
