//! [`Minted`]: a token, and what its issuer has to know about it.

use std::fmt;

use portcullis_core::UnixTime;
use zeroize::Zeroizing;

/// A minted token. `Debug` does not show it.
#[derive(Clone)]
pub struct Minted {
    token: Zeroizing<String>,
    token_id: String,
    issued_at: UnixTime,
    expires_at: UnixTime,
    scope: Option<String>,
}

impl Minted {
    pub(super) fn new(
        token: String,
        token_id: String,
        issued_at: UnixTime,
        expires_at: UnixTime,
        scope: Option<String>,
    ) -> Self {
        Self { token: Zeroizing::new(token), token_id, issued_at, expires_at, scope }
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

    /// Returns how long the token is valid, in seconds: `expires_in` of a token response (RFC 6749 section 5.1).
    pub fn expires_in(&self) -> u64 {
        self.expires_at.as_secs().saturating_sub(self.issued_at.as_secs())
    }

    /// Returns `scope`, if the token has any.
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
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
