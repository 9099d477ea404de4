//! [`RefreshError`]: why a refresh token was not accepted.

use std::{error::Error, fmt};

use portcullis_core::{ConfigError, revocation::LogError};

use super::{EndReason, Exceeds, StoreError};
use crate::{MintError, MintErrorKind, tasks::NotDone};

/// There are no new tokens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RefreshError {
    /// The refresh token is not accepted: `invalid_grant` (RFC 6749 section 5.2). The client has to log the user in again. The reason is for
    /// the log, and not for the client.
    InvalidGrant(NotAccepted),
    /// It could not be decided: the store, the log of revocations, the signing key or the application's own data cannot be reached. The client may try again with
    /// the same token, and gets the same successor within the grace.
    Unavailable(Unavailable),
    /// The access token cannot be minted, and trying again does not help: see [`MintError`].
    Mint(MintError),
    /// The application names a user or a client that no log-in can have, because it cannot be kept, or its log-in cannot be opened as it is. The
    /// error says what to change.
    LogIn(ConfigError),
    /// The client asked for more than its session allows. Nothing has changed, and it may ask for less with the same token.
    Exceeds(Exceeds),
}

/// Why a refresh token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotAccepted {
    /// This issuer has not made it.
    NotOurs,
    /// Nothing is known about its session, which may have been forgotten after its end.
    Unknown,
    /// Its session has ended by its time.
    Expired,
    /// Its session was ended.
    Ended(EndReason),
    /// Its session was revoked in the log of revocations.
    Revoked,
    /// It was replaced earlier, and the session has ended now.
    Reuse,
    /// It was replaced by the current token, and came again after the grace; the session goes on ([`LateRetry::RefuseOnly`](super::LateRetry)).
    Late,
    /// Another client presents it.
    ClientMismatch,
    /// The application says that the subject may not go on, and the session has ended now.
    SubjectRefused,
    /// It has a right MAC and a wrong share: **the key of refresh tokens has leaked**.
    Forged,
}

/// What could not be reached.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Unavailable {
    /// The store of refresh tokens.
    Store(StoreError),
    /// The log of revocations.
    Log(LogError),
    /// The view of revocations is stale.
    StaleView,
    /// The application's own data about subjects.
    Subjects(StoreError),
    /// The system whose refresh tokens are accepted during a migration.
    Foreign(StoreError),
    /// The key that signs access tokens, or the document of its key ring.
    Signer(MintError),
    /// Too much is under way in this instance ([`Sessions::most_at_once`](super::Sessions::most_at_once)). Nothing was begun.
    TooManyAtOnce,
}

impl From<NotAccepted> for RefreshError {
    fn from(reason: NotAccepted) -> Self {
        Self::InvalidGrant(reason)
    }
}

impl From<Exceeds> for RefreshError {
    fn from(what: Exceeds) -> Self {
        Self::Exceeds(what)
    }
}

impl From<StoreError> for RefreshError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(Unavailable::Store(error))
    }
}

impl From<ConfigError> for RefreshError {
    fn from(error: ConfigError) -> Self {
        Self::LogIn(error)
    }
}

impl From<NotDone> for RefreshError {
    fn from(error: NotDone) -> Self {
        match error {
            NotDone::TooManyAtOnce => Self::Unavailable(Unavailable::TooManyAtOnce),
            NotDone::Panicked(error) => error.into(),
        }
    }
}

impl From<MintError> for RefreshError {
    fn from(error: MintError) -> Self {
        match error.kind() {
            MintErrorKind::SignerUnavailable => Self::Unavailable(Unavailable::Signer(error)),
            // Between the step and the minting.
            MintErrorKind::Ended => Self::InvalidGrant(NotAccepted::Expired),
            _ => Self::Mint(error),
        }
    }
}

impl fmt::Display for RefreshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidGrant(reason) => write!(f, "the refresh token is not accepted: {reason}"),
            Self::Unavailable(what) => what.fmt(f),
            Self::Mint(_) => f.write_str("the access token could not be minted"),
            Self::LogIn(error) => error.fmt(f),
            Self::Exceeds(what) => what.fmt(f),
        }
    }
}

impl fmt::Display for NotAccepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOurs => "this issuer has not made it",
            Self::Unknown => "nothing is known about its session",
            Self::Expired => "its session has ended by its time",
            Self::Ended(_) => "its session was ended",
            Self::Revoked => "its session was revoked",
            Self::Reuse => "it was replaced earlier, so the session has been ended",
            Self::Late => "it was replaced, and came again after the grace",
            Self::ClientMismatch => "another client presents it",
            Self::SubjectRefused => "its subject may not go on",
            Self::Forged => "it has a right MAC and a wrong share: the key of refresh tokens has leaked, replace it",
        })
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Log(_) => f.write_str("the log of revocations is unavailable"),
            Self::StaleView => f.write_str("the view of revocations is stale"),
            Self::Subjects(_) => f.write_str("the application's data about subjects is unavailable"),
            Self::Foreign(_) => f.write_str("the system whose refresh tokens are accepted is unavailable"),
            Self::Signer(_) => f.write_str("the key that signs access tokens is unavailable"),
            Self::TooManyAtOnce => {
                f.write_str("too many refreshes, log-ins or log-outs are under way in this instance: try again")
            }
        }
    }
}

impl Error for RefreshError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::InvalidGrant(_)
            | Self::Exceeds(_)
            | Self::Unavailable(Unavailable::StaleView | Unavailable::TooManyAtOnce) => None,
            Self::Unavailable(Unavailable::Store(error)) => error.source(),
            Self::Unavailable(Unavailable::Log(error)) => Some(error),
            Self::Unavailable(Unavailable::Subjects(error) | Unavailable::Foreign(error)) => Some(error),
            // Its own text says only that nothing was signed.
            Self::Unavailable(Unavailable::Signer(error)) => error.source(),
            Self::Mint(error) => Some(error),
            Self::LogIn(error) => error.source(),
        }
    }
}
