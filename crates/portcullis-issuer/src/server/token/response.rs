//! [`TokenResponse`]: the answer of the token endpoint.

use std::fmt;

use serde::Serialize;
use zeroize::Zeroizing;

use super::exchange::ACCESS_TOKEN;
use crate::{Minted, documents::GrantType, refresh::Tokens, server::Client};

/// The answer of the token endpoint (RFC 6749 section 5.1). `Debug` does not show the tokens.
#[derive(Clone)]
pub struct TokenResponse {
    access: Minted,
    refresh_token: Option<Zeroizing<String>>,
    issued_token_type: Option<&'static str>,
}

#[derive(Serialize)]
struct Body<'a> {
    access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
    token_type: &'static str,
    expires_in: u64,
    /// Also if it is empty: without it, a client takes it that it has got all that it asked for.
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
}

impl TokenResponse {
    /// The answer with the tokens of a session. The client gets the refresh token if it may use it.
    pub(in crate::server) fn of_session(tokens: &Tokens, client: &Client) -> Self {
        let is_given = client.may_use(GrantType::RefreshToken);
        let refresh_token = is_given.then(|| Zeroizing::new(tokens.refresh_token().to_owned()));
        Self { access: tokens.access().clone(), refresh_token, issued_token_type: None }
    }

    /// The answer with an access token alone.
    pub(super) fn of_token(access: Minted) -> Self {
        Self { access, refresh_token: None, issued_token_type: None }
    }

    /// The answer to an exchange of tokens (RFC 8693 section 2.2.1).
    pub(super) fn of_exchange(access: Minted) -> Self {
        Self { issued_token_type: Some(ACCESS_TOKEN), ..Self::of_token(access) }
    }

    /// Returns the refresh token apart from the rest.
    #[cfg(feature = "axum")]
    pub(crate) fn apart(mut self) -> (Option<Zeroizing<String>>, Self) {
        (self.refresh_token.take(), self)
    }

    /// Returns the access token.
    pub fn access(&self) -> &Minted {
        &self.access
    }

    /// Returns the refresh token, if there is one.
    pub fn refresh_token(&self) -> Option<&str> {
        self.refresh_token.as_deref().map(String::as_str)
    }

    /// Returns the body (`application/json`). Send it with `Cache-Control: no-store`.
    pub fn to_json(&self) -> Zeroizing<String> {
        let body = Body {
            access_token: self.access.token(),
            issued_token_type: self.issued_token_type,
            token_type: "Bearer",
            expires_in: self.access.expires_in(),
            scope: self.access.scope().unwrap_or_default(),
            refresh_token: self.refresh_token(),
        };
        // A struct of strings and a number can be written.
        Zeroizing::new(serde_json::to_string(&body).unwrap_or_default())
    }
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse").field("access", &self.access).finish_non_exhaustive()
    }
}
