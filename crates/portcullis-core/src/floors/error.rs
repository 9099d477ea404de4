//! [`FloorError`]: why floors cannot be read or raised.

use std::{error::Error, fmt, sync::Arc};

use super::MAX_NAME_LEN;

/// Floors could not be read or raised. For the operator; never shown to a client.
#[derive(Clone, Debug)]
pub struct FloorError {
    kind: FloorErrorKind,
    detail: Arc<str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// The kinds of [`FloorError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FloorErrorKind {
    /// The store cannot be reached, or failed for now. Trying again may help.
    Unavailable,
    /// The store has as many names as it may have. An operator has to raise its limit.
    Full,
    /// The store contains something invalid: it was damaged, or is not ours. An operator has to look at it.
    Corrupt,
    /// The name is empty or too long.
    BadName,
}

impl FloorError {
    /// The store cannot be reached, or failed for now.
    pub fn unavailable(detail: impl Into<Arc<str>>) -> Self {
        Self::new(FloorErrorKind::Unavailable, detail)
    }

    /// The store has `limit` names, as many as it may have.
    pub fn full(limit: usize) -> Self {
        Self::new(
            FloorErrorKind::Full,
            format!(
                "there are floors for {limit} names, and no more are kept: raise the limit of the store if that many are expected"
            ),
        )
    }

    /// The store contains something invalid. The sentence says what, and what to do.
    pub fn corrupt(detail: impl Into<Arc<str>>) -> Self {
        Self::new(FloorErrorKind::Corrupt, detail)
    }

    /// The name has `len` bytes.
    pub(super) fn bad_name(len: usize) -> Self {
        Self::new(
            FloorErrorKind::BadName,
            format!("a name for a floor has {len} bytes: 1 to {MAX_NAME_LEN} are allowed"),
        )
    }

    fn new(kind: FloorErrorKind, detail: impl Into<Arc<str>>) -> Self {
        Self { kind, detail: detail.into(), source: None }
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn with_source(self, source: impl Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// Returns the kind of the error, for branching.
    pub fn kind(&self) -> FloorErrorKind {
        self.kind
    }
}

impl fmt::Display for FloorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl Error for FloorError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
