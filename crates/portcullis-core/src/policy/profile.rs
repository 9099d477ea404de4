//! Which kind of token is accepted.

use super::listed;
use crate::token::{TokenType, short_type};

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
    /// Whether tokens of that type are accepted; `own` are those that are named for the issuer.
    pub(crate) fn accepts_type(self, token_type: &TokenType, own: &[String]) -> bool {
        match (self, token_type) {
            (Self::Jwt, TokenType::Absent | TokenType::Jwt)
            | (Self::Jwt | Self::AccessToken, TokenType::AccessToken)
            | (Self::LogoutToken, TokenType::Absent | TokenType::Jwt | TokenType::LogoutToken) => true,
            (Self::Jwt | Self::AccessToken, TokenType::Other(name)) => own.iter().any(|own| short_type(own) == **name),
            _ => false,
        }
    }

    /// What `typ` has to be, for the log.
    pub(crate) fn wanted_type(self, own: &[String]) -> String {
        let (types, name) = match self {
            Self::Jwt => ("absent, JWT or at+jwt", "Jwt"),
            Self::AccessToken => ("at+jwt", "AccessToken"),
            Self::LogoutToken => ("logout+jwt, JWT or absent", "LogoutToken"),
        };
        let mut wanted = format!("typ has to be {types} (Profile::{name})");
        if !own.is_empty() && self != Self::LogoutToken {
            wanted.push_str(" or, by TrustedIssuer::token_type, ");
            wanted.push_str(&listed(own.iter().map(String::as_str)));
        }
        wanted
    }
}
