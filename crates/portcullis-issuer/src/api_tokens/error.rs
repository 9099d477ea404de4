//! [`ApiTokenError`]: why something could not be done with a token.

use std::{error::Error, fmt};

use portcullis_core::{ConfigError, revocation::LogError};

use super::{ApiTokenId, RevokedReason};
use crate::{StoreError, tasks::NotDone};

/// Why something could not be done with a token. What only reads fails with a [`StoreError`].
///
/// How a route that people or programs call answers:
///
/// | error | status | code |
/// |---|---|---|
/// | [`Unknown`](Self::Unknown) | 404 | `not_found` |
/// | [`Invalid`](Self::Invalid), [`TooDeep`](Self::TooDeep) | 400 | `invalid_request` |
/// | [`OtherOwner`](Self::OtherOwner), [`Exceeds`](Self::Exceeds) | 403 | `other_owner`, `exceeds_parent` |
/// | [`OwnerGone`](Self::OwnerGone), [`Revoked`](Self::Revoked), [`Ended`](Self::Ended) | 409 | `owner_gone`, `revoked`, `ended` |
/// | [`AlreadyRotated`](Self::AlreadyRotated), [`AnswerOver`](Self::AnswerOver) | 409 | `already_rotated`, `answer_over` |
/// | [`TooMany`](Self::TooMany) | 409 | `too_many` |
/// | [`Unavailable`](Self::Unavailable) | 503 | `unavailable` |
/// | [`TooManyAtOnce`](Self::TooManyAtOnce) | 503 | `too_many_at_once` |
/// | [`NotEverywhere`](Self::NotEverywhere) | 503 | `not_everywhere` |
///
/// A route to which a program presents a text, for [`rotate_presented`](super::ApiTokens::rotate_presented), answers 401 to `Unknown`, `Revoked` and `Ended`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ApiTokenError {
    /// There is no token of this id, or of this text; or it is of another environment, and another was to be made of it.
    Unknown,
    /// A token cannot be made as it is asked for. The error says what to change.
    Invalid(ConfigError),
    /// The token would belong to another owner than the one that it is derived from.
    OtherOwner,
    /// The token would be able to do more than the one that it is derived from.
    Exceeds,
    /// The token would be derived from more than [eight](super::ApiTokenRow::ANCESTOR_LIMIT) others, one from the other.
    TooDeep,
    /// There is no such owner any more.
    OwnerGone,
    /// The owner has as many live tokens as it [may have](super::ApiTokensBuilder::limit_per_owner). Revoke those that no program uses.
    TooMany {
        /// How many live tokens it has.
        live: usize,
        /// How many it may have.
        limit: usize,
    },
    /// The token was revoked: nothing is made of it.
    Revoked(RevokedReason),
    /// The token is over by its time, or one from which it was derived has ended: nothing is made of it.
    Ended,
    /// The token has a successor already, which another request has asked for. If that was not its owner's, the token has leaked: revoke both.
    AlreadyRotated {
        /// The successor.
        by: ApiTokenId,
    },
    /// This request has made a successor, longer ago than its text is told again. Rotate the successor, or make another token.
    AnswerOver {
        /// The successor.
        by: ApiTokenId,
    },
    /// The store, or the application's data about owners, cannot be reached. What was asked for may have been done, or not: ask again.
    Unavailable(StoreError),
    /// Too much is under way in this instance ([`limit_at_once`](super::ApiTokensBuilder::limit_at_once)). Nothing was begun: ask again.
    TooManyAtOnce,
    /// The token is revoked or replaced in the store, but the log of revocations cannot be reached: instances that have just used it may accept it for a minute. Call it
    /// again.
    NotEverywhere(LogError),
}

impl ApiTokenError {
    /// Returns the code for the body of an answer, as in the table above. It is stable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "not_found",
            Self::Invalid(_) | Self::TooDeep => "invalid_request",
            Self::OtherOwner => "other_owner",
            Self::Exceeds => "exceeds_parent",
            Self::OwnerGone => "owner_gone",
            Self::Revoked(_) => "revoked",
            Self::Ended => "ended",
            Self::AlreadyRotated { .. } => "already_rotated",
            Self::AnswerOver { .. } => "answer_over",
            Self::TooMany { .. } => "too_many",
            Self::Unavailable(_) => "unavailable",
            Self::TooManyAtOnce => "too_many_at_once",
            Self::NotEverywhere(_) => "not_everywhere",
        }
    }
}

impl From<NotDone> for ApiTokenError {
    fn from(error: NotDone) -> Self {
        match error {
            NotDone::TooManyAtOnce => Self::TooManyAtOnce,
            NotDone::Panicked(error) => error.into(),
        }
    }
}

impl From<StoreError> for ApiTokenError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl From<ConfigError> for ApiTokenError {
    fn from(error: ConfigError) -> Self {
        Self::Invalid(error)
    }
}

impl fmt::Display for ApiTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("there is no such API token"),
            Self::Invalid(error) => error.fmt(f),
            Self::OtherOwner => f.write_str("the token would belong to another owner than the one that it is derived from"),
            Self::Exceeds => f.write_str("the token would be able to do more than the one that it is derived from"),
            Self::TooDeep => f.write_str("the token would be derived from more than eight others"),
            Self::OwnerGone => f.write_str("the owner of the token does not exist"),
            Self::TooMany { live, limit } => write!(
                f,
                "the owner has {live} live API tokens, and may have {limit}: revoke those that no program uses, or raise `limit_per_owner`"
            ),
            Self::Revoked(reason) => write!(f, "the token was revoked ({})", reason.as_str()),
            Self::Ended => f.write_str("the token, or one from which it was derived, has ended"),
            Self::AlreadyRotated { by } => write!(f, "another request has replaced the token by {by}"),
            Self::AnswerOver { by } => write!(f, "the token was replaced by {by}, too long ago to tell its text again"),
            Self::Unavailable(error) => error.fmt(f),
            Self::TooManyAtOnce => f.write_str("too many rotations or revocations are under way in this instance: try again"),
            Self::NotEverywhere(_) => {
                f.write_str("the token is revoked or replaced, but other instances may accept it for a minute: the log of revocations is unavailable")
            }
        }
    }
}

impl Error for ApiTokenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Invalid(error) => error.source(),
            Self::Unavailable(error) => error.source(),
            Self::NotEverywhere(error) => Some(error),
            _ => None,
        }
    }
}
