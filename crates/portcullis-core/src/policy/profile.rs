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
    /// OpenID Connect Back-Channel Logout 1.0: what a provider sends when somebody has logged out there. `typ` is `logout+jwt`, `JWT`
    /// or absent (section 2.4 recommends the first only); `iat`, `jti`, and `sub` or `sid` are required, `events` has to name the event,
    /// and there must be no `nonce` (section 2.6). That it is for you says the audience: your client id at the provider.
    ///
    /// For the receiver of such tokens alone. No other profile takes one.
    LogoutToken,
}

impl Profile {
    pub(crate) fn accepts_type(self, token_type: TokenType) -> bool {
        match self {
            Self::Jwt => matches!(token_type, TokenType::Absent | TokenType::Jwt | TokenType::AccessToken),
            Self::AccessToken => token_type == TokenType::AccessToken,
            Self::LogoutToken => matches!(token_type, TokenType::Absent | TokenType::Jwt | TokenType::LogoutToken),
        }
    }
}
