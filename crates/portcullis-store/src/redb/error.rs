//! Explains failures to operators.

use std::{
    io::{self, ErrorKind},
    path::Path,
};

use portcullis_core::revocation::LogError;
use redb::{DatabaseError, StorageError};

/// What a file is for, in the words of its errors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purpose {
    /// What it is.
    pub(crate) name: &'static str,
    /// What happens if it is moved away, and an empty one is made.
    pub(crate) without: &'static str,
    /// What several instances use instead.
    pub(crate) instead: &'static str,
}

pub(super) const OF_REVOCATIONS: Purpose = Purpose {
    name: "log of revocations",
    without: "what was revoked is then not known any more, so revoke by issuer everything that was issued up to now",
    instead: "a log with a server, which several instances can share",
};

pub(crate) fn cannot_open(purpose: Purpose, path: &Path, error: io::Error) -> LogError {
    let (name, path) = (purpose.name, path.display());
    let hint = match error.kind() {
        ErrorKind::NotFound => "its folder does not exist: create it",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "this user may not write there: change that, or the path"
        }
        ErrorKind::IsADirectory => "it is a folder: name a file in it",
        _ => "it cannot be opened",
    };
    LogError::misconfigured(format!("the {name} in {path}: {hint}")).with_source(error)
}

pub(crate) fn explain(purpose: Purpose, path: &Path, error: DatabaseError) -> LogError {
    let Purpose { name, without, instead } = purpose;
    let shown = path.display();
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => LogError::misconfigured(format!(
            "the {name} in {shown} is open in another process, and only one can have it: end that one first, or use {instead}"
        )),
        DatabaseError::UpgradeRequired(version) => LogError::misconfigured(format!(
            "the {name} in {shown} has the format {version} of another version of redb: start with that one"
        )),
        DatabaseError::Storage(StorageError::Io(error)) if error.kind() != ErrorKind::InvalidData => {
            cannot_open(purpose, path, error)
        }
        error => LogError::corrupt(format!(
            "the {name} in {shown} is damaged, or something else. If you move it away, an empty one is made: {without}"
        ))
        .with_source(error),
    }
}

pub(crate) fn failed(purpose: Purpose, error: impl Into<redb::Error>) -> LogError {
    let (name, error) = (purpose.name, error.into());
    let detail = match &error {
        redb::Error::Io(error) if error.kind() == ErrorKind::StorageFull => {
            format!("the disk with the {name} is full: free some space")
        }
        redb::Error::Io(_) => format!("the disk with the {name} fails"),
        redb::Error::Corrupted(_) => return LogError::corrupt(format!("the {name} is damaged")).with_source(error),
        _ => format!("the {name} cannot be used"),
    };
    LogError::unavailable(detail).with_source(error)
}
