//! [`GrantType`] and [`ClientAuthentication`]: what a token endpoint can do.

use serde::Serialize;

/// How a client gets tokens (RFC 8414 section 2, `grant_types_supported`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GrantType {
    /// With the code that the authorization endpoint has sent (RFC 6749 section 4.1). Needs an authorization endpoint.
    AuthorizationCode,
    /// With a refresh token (RFC 6749 section 6).
    RefreshToken,
    /// For itself (RFC 6749 section 4.4).
    ClientCredentials,
    /// With the code of a device, which its user has allowed on another one (RFC 8628). Needs a device authorization endpoint.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    /// With an access token that is exchanged (RFC 8693).
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
}

impl GrantType {
    /// All grants.
    const ALL: [Self; 5] =
        [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials, Self::DeviceCode, Self::TokenExchange];

    /// Returns its name, the value of `grant_type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
        }
    }

    /// Returns the grant of this [name](Self::name).
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.name() == name)
    }
}

/// How a client proves to the token endpoint who it is (RFC 8414 section 2, `token_endpoint_auth_methods_supported`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// Not at all: a public client, which names itself by `client_id`.
    None,
    /// With a secret, in the `Authorization` header (RFC 6749 section 2.3.1).
    ClientSecretBasic,
    /// With a secret, in the body (RFC 6749 section 2.3.1), where logs of bodies keep it.
    ClientSecretPost,
    /// With an assertion that it has signed, by any algorithm with a public key (RFC 7523): the metadata names those that Portcullis verifies.
    PrivateKeyJwt,
}
