//! [`Failure`]: why an account cannot be used. [`Answer`]: what those are told who wait for it.

use std::{error::Error, sync::Arc, time::Duration};

use portcullis_core::{AuthError, Code, floors::FloorError};

use super::KnownAccount;
use crate::{
    accounts::{InsertError, ResolverError},
    chain::{Refusal, RefusalKind},
};

/// How long it is remembered that a look-up found nothing. Short, so that an account that was just made does not wait long.
pub(super) const REMEMBERED: Duration = Duration::from_secs(5);

/// Why an account cannot be used.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// The resolver says that there is no such account.
    Unknown,
    /// Its token cannot be accepted.
    Refused(Refusal),
    /// Its token is older than one that was seen before.
    RolledBack(Refusal),
    Resolver(ResolverError),
    Floors(FloorError),
    /// Too much is being looked up.
    Busy,
    /// The resolver panicked, or the application ends.
    Ended,
}

pub(super) type Answer = Result<Arc<KnownAccount>, Failure>;

impl Failure {
    /// Returns what the client is told. `left` is when to try again, if it could not be decided.
    pub(super) fn told(&self, left: Duration) -> AuthError {
        let undecided = |why: &'static str| {
            let left = left.max(Duration::from_secs(1));
            AuthError::new(Code::IssuerUnavailable).with_explanation(why).with_retry_after(left)
        };
        match self {
            Self::Unknown => unknown().into(),
            Self::Refused(refusal) | Self::RolledBack(refusal) => refusal.clone().into(),
            Self::Resolver(error) => undecided("the account cannot be looked up").with_source(error.clone()),
            Self::Floors(error) => {
                undecided("the floors of accounts cannot be read or raised").with_source(error.clone())
            }
            Self::Busy => undecided("too many accounts are being looked up"),
            Self::Ended => undecided("the look-up of the account has ended without an answer"),
        }
    }

    /// Whether it is remembered for a while.
    pub(super) const fn is_remembered(&self) -> bool {
        !matches!(self, Self::Busy | Self::Ended)
    }

    /// Returns the error for the operator, if there is something to do for one.
    pub(super) fn trouble(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Resolver(error) => Some(error),
            Self::Floors(error) => Some(error),
            Self::Unknown | Self::Refused(_) | Self::RolledBack(_) | Self::Busy | Self::Ended => None,
        }
    }
}

impl From<Failure> for InsertError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::RolledBack(refusal) => Self::rolled_back(refusal),
            Failure::Floors(error) => Self::floors(error),
            Failure::Refused(refusal) => Self::refused(refusal),
            // None of these happens to a token that is at hand.
            Failure::Unknown | Failure::Resolver(_) | Failure::Busy | Failure::Ended => Self::refused(unknown()),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

fn unknown() -> Refusal {
    Refusal::new(RefusalKind::AccountUnknown, "the resolver knows no such account")
}
