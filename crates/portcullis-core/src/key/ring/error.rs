//! [`RingError`]: why a rotation step is refused.

use super::KeyState;
use crate::key::error::quoted;

/// A rotation step would break verification, or names a key that does not exist. Nothing was changed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct RingError {
    kind: RingErrorKind,
    message: String,
}

impl RingError {
    pub(super) fn missing_id() -> Self {
        Self::new(RingErrorKind::MissingId, "a key of a ring needs an id: add one with with_id")
    }

    pub(super) fn unknown(id: &str) -> Self {
        Self::new(RingErrorKind::UnknownId, format!("the ring has no key {}", quoted(id)))
    }

    pub(super) fn duplicate(id: &str, state: KeyState) -> Self {
        let message = format!("the ring has a key {} already, which is {state}: an id is never used again", quoted(id));
        Self::new(RingErrorKind::DuplicateId, message)
    }

    pub(super) fn step(kind: RingErrorKind, id: &str, state: KeyState, why: &str) -> Self {
        Self::new(kind, format!("key {} is {state}: {why}", quoted(id)))
    }

    fn new(kind: RingErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// Returns the kind of the error, for branching.
    pub fn kind(&self) -> RingErrorKind {
        self.kind
    }
}

/// The kinds of [`RingError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RingErrorKind {
    /// The key has no id.
    MissingId,
    /// No key of the ring has this id.
    UnknownId,
    /// A key of the ring already has this id, even if it is revoked.
    DuplicateId,
    /// The step is not possible with the active key: activate its successor first, or revoke it.
    Active,
    /// The step is not possible with a retiring key: tokens that it signed are still valid.
    Retiring,
    /// The key is revoked, which is permanent.
    Revoked,
}
