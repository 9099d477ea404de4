//! Of which kind a credential was.

use std::fmt;

/// The kind of credential that an identity comes from: what [`Facts::credential`](crate::verified::Facts::credential) returns.
///
/// For guards that accept some kinds only, for audit and for metrics. The authenticator says it
/// ([`Facts::with_credential`](crate::verified::Facts::with_credential)); nothing in a token can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialKind {
    /// A JSON Web Token whose signature was verified here.
    Jwt,
    /// An opaque token that was looked up in the store of its issuer.
    ApiToken,
    /// A token that its issuer was asked about (RFC 7662).
    Introspected,
    /// A NATS user's JWT with its chain of trust.
    NatsUser,
    /// The cookie of a session.
    Session,
    /// None of these: the caller of [`Facts::assertion`](crate::verified::Facts::assertion) vouches for it. A test, as a rule.
    Asserted,
}

impl CredentialKind {
    /// Returns its name for logs and metrics: `jwt`, `api_token`, `introspected`, `nats_user`, `session` or `asserted`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::ApiToken => "api_token",
            Self::Introspected => "introspected",
            Self::NatsUser => "nats_user",
            Self::Session => "session",
            Self::Asserted => "asserted",
        }
    }
}

impl fmt::Display for CredentialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
