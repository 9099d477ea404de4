//! Explains failures to operators.

use portcullis_core::revocation::LogError;
use portcullis_issuer::refresh::{Family, FamilyId, StoreError};

/// A family's row is there, and this version cannot read it.
pub(super) fn unreadable(family: FamilyId) -> StoreError {
    StoreError::new(format!(
        "the row of the session {} cannot be read: a later version of Portcullis wrote it, or it is damaged; update this instance, or delete the \
         key f.{} to log its user out",
        family.session_id(),
        family.session_id()
    ))
}

/// Other writers were faster each time.
pub(super) fn crowded(family: FamilyId) -> StoreError {
    StoreError::new(format!("others keep changing the session {} at the same time: try again", family.session_id()))
}

pub(super) fn subject_too_long(limit: usize) -> StoreError {
    StoreError::new(format!("the subject has more than {limit} bytes: use a shorter id for the user"))
}

pub(super) fn too_large(family: &Family, limit: usize) -> StoreError {
    let size = family.to_json().len();
    StoreError::new(format!("the session is {size} bytes as a value, and NATS takes {limit}: grant fewer scopes"))
}

/// The bucket would forget the session before its end.
pub(super) fn too_long_a_session(limit_secs: u64) -> StoreError {
    StoreError::new(format!(
        "the session may last longer than the {limit_secs} s that the bucket is for: raise `longest_session`, or shorten the sessions of this client"
    ))
}

/// It may have been done, or not. The caller may try again: a step that was taken is found by its outcome.
pub(super) fn too_slow() -> LogError {
    LogError::unavailable("NATS takes too long")
}
