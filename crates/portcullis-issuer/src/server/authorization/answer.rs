//! [`AuthorizationAnswer`]: where the user's browser goes with the answer.

use std::{error::Error, fmt};

use zeroize::Zeroizing;

use super::AuthorizationRequest;
use crate::server::{OAuthError, OAuthErrorCode};

/// The answer to a client, as the URL to which the user's browser is redirected.
///
/// Send it with status 303, `Cache-Control: no-store` and `Referrer-Policy: no-referrer`: the URL may have a code. `Debug` does not show it.
#[derive(Clone)]
#[must_use = "the client waits for the answer"]
pub struct AuthorizationAnswer {
    location: Zeroizing<String>,
}

impl AuthorizationAnswer {
    /// Returns the answer with these parameters, the state and the issuer (RFC 9207), added to those that the redirect URI has.
    fn new(redirect_uri: &str, state: Option<&str>, issuer: &str, parameters: &[(&str, &str)]) -> Self {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        if let Some(state) = state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", issuer);
        let separator = if redirect_uri.contains('?') { '&' } else { '?' };
        Self { location: Zeroizing::new(format!("{redirect_uri}{separator}{}", query.finish())) }
    }

    pub(super) fn error(redirect_uri: &str, state: Option<&str>, issuer: &str, error: &OAuthError) -> Self {
        let parameters = [("error", error.code().name()), ("error_description", error.description())];
        Self::new(redirect_uri, state, issuer, &parameters)
    }

    /// Returns the URL, the value of `Location`.
    pub fn location(&self) -> &str {
        &self.location
    }
}

impl fmt::Debug for AuthorizationAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationAnswer").finish_non_exhaustive()
    }
}

impl AuthorizationRequest {
    pub(super) fn answer_of(&self, code: OAuthErrorCode, description: &'static str) -> AuthorizationAnswer {
        let (issuer, error) = (self.server.spec().issuer(), OAuthError::new(code, description));
        AuthorizationAnswer::error(&self.redirect_uri, self.state.as_deref(), issuer, &error)
    }

    pub(super) fn answer_with_code(&self, code: &str) -> AuthorizationAnswer {
        let issuer = self.server.spec().issuer();
        AuthorizationAnswer::new(&self.redirect_uri, self.state.as_deref(), issuer, &[("code", code)])
    }
}

/// Why a client gets nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Denial {
    /// The user has said no, or may not allow it.
    Denied,
    /// The client wants no page ([`Prompt::None`](super::Prompt::None)), and the user would have to log in.
    LoginRequired,
    /// The client wants no page, and the user would have to be asked.
    ConsentRequired,
    /// The client wants no page, and the user would have to do something else.
    InteractionRequired,
    /// The application cannot decide at the moment.
    TemporarilyUnavailable,
}

impl Denial {
    pub(super) const fn code(self) -> OAuthErrorCode {
        match self {
            Self::Denied => OAuthErrorCode::AccessDenied,
            Self::LoginRequired => OAuthErrorCode::LoginRequired,
            Self::ConsentRequired => OAuthErrorCode::ConsentRequired,
            Self::InteractionRequired => OAuthErrorCode::InteractionRequired,
            Self::TemporarilyUnavailable => OAuthErrorCode::TemporarilyUnavailable,
        }
    }

    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::Denied => "the request was denied",
            Self::LoginRequired => "the user has to log in",
            Self::ConsentRequired => "the user has to be asked",
            Self::InteractionRequired => "the user has to do something",
            Self::TemporarilyUnavailable => "the server cannot decide at the moment",
        }
    }
}

/// A request to the authorization endpoint that cannot be answered by a user.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AuthorizationError {
    /// Show the user a page that says so, with the [status](OAuthErrorCode::status) of the error. **Do not redirect**: it is not known to be the
    /// client's address (RFC 6749 section 4.1.2.1).
    Page(OAuthError),
    /// Redirect the browser: the client is told.
    Redirect(AuthorizationAnswer),
}

impl<E: Into<OAuthError>> From<E> for AuthorizationError {
    fn from(error: E) -> Self {
        Self::Page(error.into())
    }
}

impl fmt::Display for AuthorizationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page(error) => error.fmt(f),
            Self::Redirect(_) => f.write_str("the client is told what is wrong with its request"),
        }
    }
}

impl Error for AuthorizationError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Page(error) => error.source(),
            Self::Redirect(_) => None,
        }
    }
}
