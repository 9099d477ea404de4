//! [`Profile`]: which kind of token is accepted.

use super::listed;
use crate::token::{TokenType, short_type};

/// The kind of token that is accepted from an issuer, distinguished by the header's `typ` (RFC 8725 section 3.11).
///
/// The same issuers sign ID tokens, logout tokens, `DPoP` proofs and security events with the same keys; `typ` and `aud` keep them from
/// being accepted as access tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// `typ` is absent, `JWT` or `at+jwt`. The default, because many issuers mark their access tokens with `JWT` or not at all.
    #[default]
    Jwt,
    /// RFC 9068: `typ` is `at+jwt`; `sub`, `client_id`, `iat` and `jti` are required. Choose it if the issuer supports it: no other token
    /// can then pass for an access token.
    AccessToken,
    /// OpenID Connect Back-Channel Logout 1.0: a token that a provider sends when a user has logged out there. `typ` is `logout+jwt`,
    /// `JWT` or absent (section 2.4 only recommends the first); `iat`, `jti`, and `sub` or `sid` are required, `events` has to name the
    /// event, and there must be no `nonce` (section 2.6). Its audience is your client id at the provider.
    ///
    /// Only for the receiver of such tokens. No other profile accepts them.
    LogoutToken,
    /// RFC 7523 section 3: the assertion with which a client authenticates to an authorization server (`private_key_jwt`). `typ` is
    /// `client-authentication+jwt`, `JWT` or absent; `sub` and `jti` are required. Its issuer is the client, and so is its subject: require that by
    /// [`require_claim_value`](crate::TrustedIssuer::require_claim_value).
    ///
    /// Only for an authorization server. No other profile accepts the first type, and this one accepts no access token.
    ClientAssertion,
}

impl Profile {
    /// Whether tokens of that type are accepted; `own` are the types that were added for the issuer.
    pub(crate) fn accepts_type(self, token_type: &TokenType, own: &[String]) -> bool {
        match (self, token_type) {
            (Self::Jwt | Self::ClientAssertion, TokenType::Absent | TokenType::Jwt)
            | (Self::Jwt | Self::AccessToken, TokenType::AccessToken)
            | (Self::LogoutToken, TokenType::Absent | TokenType::Jwt | TokenType::LogoutToken) => true,
            (Self::ClientAssertion, TokenType::Other(name)) => **name == *CLIENT_ASSERTION,
            (Self::Jwt | Self::AccessToken, TokenType::Other(name)) => own.iter().any(|own| short_type(own) == **name),
            _ => false,
        }
    }

    /// Returns the accepted values of `typ`, for the log.
    pub(crate) fn wanted_type(self, own: &[String]) -> String {
        let (types, name) = match self {
            Self::Jwt => ("absent, JWT or at+jwt", "Jwt"),
            Self::AccessToken => ("at+jwt", "AccessToken"),
            Self::LogoutToken => ("logout+jwt, JWT or absent", "LogoutToken"),
            Self::ClientAssertion => ("client-authentication+jwt, JWT or absent", "ClientAssertion"),
        };
        let mut wanted = format!("typ has to be {types} (Profile::{name})");
        if !own.is_empty() && matches!(self, Self::Jwt | Self::AccessToken) {
            wanted.push_str(" or, by TrustedIssuer::token_type, ");
            wanted.push_str(&listed(own.iter().map(String::as_str)));
        }
        wanted
    }
}

const CLIENT_ASSERTION: &str = "client-authentication+jwt";
