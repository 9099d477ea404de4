//! [`InsertError`]: why an account was not taken.

use std::{error::Error, fmt};

use portcullis_core::floors::FloorError;

use crate::chain::Refusal;

/// The token of an account was not taken. It never contains the token.
#[derive(Clone, Debug)]
pub struct InsertError {
    kind: InsertErrorKind,
    cause: Cause,
}

/// The kinds of [`InsertError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InsertErrorKind {
    /// It is not the token of an account that a trusted operator has admitted, or not valid now.
    Refused,
    /// It is older than one that was seen before.
    RolledBack,
    /// The floors cannot be read or raised. Trying again may help.
    Floors,
}

#[derive(Clone, Debug)]
enum Cause {
    Refusal(Refusal),
    Floors(FloorError),
}

impl InsertError {
    pub(super) fn refused(refusal: Refusal) -> Self {
        Self { kind: InsertErrorKind::Refused, cause: Cause::Refusal(refusal) }
    }

    pub(super) fn rolled_back(refusal: Refusal) -> Self {
        Self { kind: InsertErrorKind::RolledBack, cause: Cause::Refusal(refusal) }
    }

    pub(super) fn floors(error: FloorError) -> Self {
        Self { kind: InsertErrorKind::Floors, cause: Cause::Floors(error) }
    }

    /// Returns the kind of the error, for branching.
    pub const fn kind(&self) -> InsertErrorKind {
        self.kind
    }
}

impl fmt::Display for InsertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            InsertErrorKind::Refused => "the token is not that of an account that can be used",
            InsertErrorKind::RolledBack => "the token of the account is older than one that was seen before",
            InsertErrorKind::Floors => "the time of the newest token of the account cannot be read or stored",
        })
    }
}

impl Error for InsertError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            Cause::Refusal(refusal) => Some(refusal),
            Cause::Floors(error) => Some(error),
        }
    }
}
