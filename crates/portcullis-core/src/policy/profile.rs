//! Which kind of token is accepted.

use crate::token::TokenType;

/// The kind of token that an issuer's row accepts, told by the header's `typ` (RFC 8725 section 3.11).
///
/// ID tokens, logout tokens, `DPoP` proofs and security events are signed with the same keys by the same issuers; `typ`
/// and `aud` are what keeps them from being taken for access tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// `typ` is absent, `JWT` or `at+jwt`. The default, because many issuers mark their access tokens `JWT` or not at
    /// all.
    #[default]
    Jwt,
    /// RFC 9068: `typ` is `at+jwt`; `sub`, `client_id`, `iat` and `jti` are required. Choose it where the issuer
    /// supports it: nothing else can then pass for an access token.
    AccessToken,
}

impl Profile {
    pub(crate) fn accepts_type(self, token_type: TokenType) -> bool {
        match self {
            Self::Jwt => token_type != TokenType::Other,
            Self::AccessToken => token_type == TokenType::AccessToken,
        }
    }
}
