//! [`OAuthError`]: the answer of an endpoint that does not do what it was asked for.

use std::{borrow::Cow, error::Error, fmt, sync::Arc, time::Duration};

use portcullis_core::ConfigError;
use serde_json::json;

use crate::{
    MintError, MintErrorKind, StoreError,
    refresh::{Exceeds, NotAccepted, RefreshError},
    tasks::NotDone,
};

/// An endpoint does not do what it was asked for (RFC 6749 section 5.2).
///
/// The client gets a [code](OAuthErrorCode) and a sentence. The reason for the log, which may say more, is [`source`](Error::source).
#[derive(Clone, Debug)]
pub struct OAuthError {
    code: OAuthErrorCode,
    description: Cow<'static, str>,
    challenge: bool,
    retry_after: Option<Duration>,
    ends_session: bool,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// What a client is told, in `error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OAuthErrorCode {
    /// The request is malformed (RFC 6749 section 5.2).
    InvalidRequest,
    /// The client is unknown, or has not proven who it is (RFC 6749 section 5.2).
    InvalidClient,
    /// The code, the refresh token or the assertion is not accepted (RFC 6749 section 5.2).
    InvalidGrant,
    /// The client may not use this grant (RFC 6749 section 5.2).
    UnauthorizedClient,
    /// The server does not have this grant (RFC 6749 section 5.2).
    UnsupportedGrantType,
    /// A scope is unknown, or more than is allowed (RFC 6749 section 5.2).
    InvalidScope,
    /// A resource is unknown, or more than is allowed (RFC 8707 section 2).
    InvalidTarget,
    /// The user, or the server, has said no (RFC 6749 section 4.1.2.1).
    AccessDenied,
    /// The authorization endpoint returns codes alone (RFC 6749 section 4.1.2.1).
    UnsupportedResponseType,
    /// Request objects are not supported (OpenID Connect Core section 3.1.2.6).
    RequestNotSupported,
    /// Request objects by reference are not supported (OpenID Connect Core section 3.1.2.6).
    RequestUriNotSupported,
    /// The user would have to log in, and the client asked for no page (OpenID Connect Core section 3.1.2.6).
    LoginRequired,
    /// The user would have to be asked, and the client asked for no page (OpenID Connect Core section 3.1.2.6).
    ConsentRequired,
    /// The user would have to do something else, and the client asked for no page (OpenID Connect Core section 3.1.2.6).
    InteractionRequired,
    /// The user of a device has not decided yet (RFC 8628 section 3.5).
    AuthorizationPending,
    /// The user of a device has not decided yet, and the device asks too often (RFC 8628 section 3.5).
    SlowDown,
    /// The code of a device has expired (RFC 8628 section 3.5).
    ExpiredToken,
    /// Tokens of this type cannot be revoked (RFC 7009 section 2.2.1).
    UnsupportedTokenType,
    /// Something is wrong with the server (RFC 6749 section 4.1.2.1).
    ServerError,
    /// The server cannot decide at the moment; the client may try again (RFC 6749 section 4.1.2.1).
    TemporarilyUnavailable,
    /// There are too many requests; the client may try again [later](OAuthError::retry_after). No RFC has a name for it in `error`, so its name is
    /// `temporarily_unavailable`.
    TooManyRequests,
}

impl OAuthErrorCode {
    /// Returns its name, the value of `error`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::InteractionRequired => "interaction_required",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::ExpiredToken => "expired_token",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable | Self::TooManyRequests => "temporarily_unavailable",
        }
    }

    /// Returns the HTTP status with which an endpoint answers: 401 for a client that has not proven who it is, 429 for too many requests, 500 and
    /// 503 for faults of the server, otherwise 400.
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidClient => 401,
            Self::TooManyRequests => 429,
            Self::ServerError => 500,
            Self::TemporarilyUnavailable => 503,
            _ => 400,
        }
    }
}

impl OAuthError {
    /// How long a client waits before it tries again, after [`OAuthErrorCode::TemporarilyUnavailable`]: `Retry-After`.
    pub const RETRY_AFTER: Duration = Duration::from_secs(1);

    /// Returns an error with this code. `description` is for the developer of the client: without secrets, and in ASCII without `"` and `\`.
    pub fn new(code: OAuthErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            description: description.into(),
            challenge: false,
            retry_after: None,
            ends_session: false,
            source: None,
        }
    }

    /// Adds the reason, for the log.
    #[must_use]
    pub fn with_source(self, source: impl Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// Adds a challenge, for a client that has used the `Authorization` header (RFC 6749 section 5.2).
    #[must_use]
    pub(super) fn with_challenge(self) -> Self {
        Self { challenge: true, ..self }
    }

    pub(super) fn with_retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    pub(super) fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(OAuthErrorCode::InvalidRequest, description)
    }

    pub(super) fn invalid_client() -> Self {
        Self::new(OAuthErrorCode::InvalidClient, "the client is unknown, or has not proven who it is")
    }

    pub(super) fn invalid_grant(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(OAuthErrorCode::InvalidGrant, description)
    }

    pub(super) fn invalid_scope(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(OAuthErrorCode::InvalidScope, description)
    }

    pub(super) fn invalid_target(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(OAuthErrorCode::InvalidTarget, description)
    }

    /// Returns the code.
    pub const fn code(&self) -> OAuthErrorCode {
        self.code
    }

    /// Returns the sentence for the developer of the client.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns how long the client waits before it tries again, in whole seconds: `Retry-After`. `None` if trying again is of no use.
    pub fn retry_after(&self) -> Option<Duration> {
        let is_temporary = self.code == OAuthErrorCode::TemporarilyUnavailable;
        self.retry_after.or(is_temporary.then_some(Self::RETRY_AFTER))
    }

    /// Returns whether the session of the refresh token has ended for certain, so that a page that keeps the token may forget it: it was revoked or ended, or the
    /// token was used twice. Otherwise another tab may have got a newer token of the session, or the client may try again.
    pub const fn ends_session(&self) -> bool {
        self.ends_session
    }

    /// Returns the value of `WWW-Authenticate`, if there is one.
    pub const fn challenge(&self) -> Option<&'static str> {
        if self.challenge { Some("Basic realm=\"oauth\", charset=\"UTF-8\"") } else { None }
    }

    /// Returns the body (`application/json`). Send it with `Cache-Control: no-store`.
    pub fn to_json(&self) -> String {
        json!({ "error": self.code.name(), "error_description": self.description }).to_string()
    }
}

impl From<StoreError> for OAuthError {
    fn from(error: StoreError) -> Self {
        Self::new(OAuthErrorCode::TemporarilyUnavailable, "the server cannot decide at the moment").with_source(error)
    }
}

/// For names that cannot be kept, which are checked before, so that this does not occur.
impl From<ConfigError> for OAuthError {
    fn from(error: ConfigError) -> Self {
        Self::new(OAuthErrorCode::ServerError, "something is wrong with the server").with_source(error)
    }
}

impl From<MintError> for OAuthError {
    fn from(error: MintError) -> Self {
        let (code, description) = match error.kind() {
            MintErrorKind::SignerUnavailable => {
                (OAuthErrorCode::TemporarilyUnavailable, "the server cannot decide at the moment")
            }
            _ => (OAuthErrorCode::ServerError, "the token could not be made"),
        };
        Self::new(code, description).with_source(error)
    }
}

impl From<NotDone> for OAuthError {
    fn from(error: NotDone) -> Self {
        RefreshError::from(error).into()
    }
}

impl From<RefreshError> for OAuthError {
    fn from(error: RefreshError) -> Self {
        let (code, description) = match &error {
            // Why is for the log: an answer that tells reasons apart would help an attacker who guesses.
            // What can be wrong with a log-in is checked before there is a code: what is left has changed since then, as the user's version may.
            RefreshError::InvalidGrant(_) | RefreshError::LogIn(_) => {
                (OAuthErrorCode::InvalidGrant, "the token is not accepted")
            }
            RefreshError::Exceeds(Exceeds::Scope) => {
                (OAuthErrorCode::InvalidScope, "the session does not have all of these scopes")
            }
            RefreshError::Exceeds(Exceeds::Audience) => {
                (OAuthErrorCode::InvalidTarget, "the session is not for all of these resources")
            }
            RefreshError::Exceeds(Exceeds::SeveralAudiences) => {
                (OAuthErrorCode::InvalidTarget, "the session is for several resources: name one by `resource`")
            }
            RefreshError::Unavailable(_) => {
                (OAuthErrorCode::TemporarilyUnavailable, "the server cannot decide at the moment")
            }
            RefreshError::Mint(_) => (OAuthErrorCode::ServerError, "the token could not be made"),
        };
        let ends_session = matches!(
            error,
            RefreshError::InvalidGrant(NotAccepted::Revoked | NotAccepted::Reuse | NotAccepted::Ended(_))
        );
        Self { ends_session, ..Self::new(code, description).with_source(error) }
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.description)
    }
}

impl Error for OAuthError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
