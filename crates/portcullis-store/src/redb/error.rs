//! Explains failures to operators.

use std::{
    io::{self, ErrorKind},
    path::Path,
};

use portcullis_core::revocation::LogError;
use redb::{DatabaseError, StorageError};

pub(super) fn cannot_open(path: &Path, error: io::Error) -> LogError {
    let path = path.display();
    let hint = match error.kind() {
        ErrorKind::NotFound => "its folder does not exist: create it",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "this user may not write there: change that, or the path"
        }
        ErrorKind::IsADirectory => "it is a folder: name a file in it",
        _ => "it cannot be opened",
    };
    LogError::misconfigured(format!("the log of revocations in {path}: {hint}")).with_source(error)
}

pub(super) fn explain(path: &Path, error: DatabaseError) -> LogError {
    let shown = path.display();
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => LogError::misconfigured(format!(
            "the log of revocations in {shown} is open in another process, and only one can have it: end that one first, or use a log \
             with a server, which several instances can share"
        )),
        DatabaseError::UpgradeRequired(version) => LogError::misconfigured(format!(
            "the log of revocations in {shown} has the format {version} of another version of redb: start with that one"
        )),
        DatabaseError::Storage(StorageError::Io(error)) if error.kind() != ErrorKind::InvalidData => cannot_open(path, error),
        error => LogError::corrupt(format!(
            "the log of revocations in {shown} is damaged, or something else. If you move it away, an empty one is made: what was revoked \
             is then not known any more, so revoke by issuer everything that was issued up to now"
        ))
        .with_source(error),
    }
}

pub(super) fn failed(error: impl Into<redb::Error>) -> LogError {
    let error = error.into();
    let detail = match &error {
        redb::Error::Io(error) if error.kind() == ErrorKind::StorageFull => {
            "the disk with the log of revocations is full: free some space"
        }
        redb::Error::Io(_) => "the disk with the log of revocations fails",
        redb::Error::Corrupted(_) => return LogError::corrupt("the log of revocations is damaged").with_source(error),
        _ => "the log of revocations cannot be used",
    };
    LogError::unavailable(detail).with_source(error)
}
