//! [`KeySourceError`]: why a key source could not answer.

use std::{error::Error, fmt, sync::Arc, time::Duration};

/// The key source could not find out which key is the right one.
///
/// For the operator; the client only learns that the service is unavailable (HTTP 503). It says nothing about the token.
#[derive(Clone, Debug)]
pub struct KeySourceError {
    kind: KeySourceErrorKind,
    detail: Arc<str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
    retry_after: Option<Duration>,
}

impl KeySourceError {
    /// Returns an error of this kind; `detail` says what happened, for the log. It must not contain a secret.
    pub fn new(kind: KeySourceErrorKind, detail: impl Into<Arc<str>>) -> Self {
        Self { kind, detail: detail.into(), source: None, retry_after: None }
    }

    /// Adds what caused it, for [`Error::source`]. Defaults to none.
    #[must_use]
    pub fn with_source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Adds when to ask again. Defaults to none, if this is unknown.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Returns the kind of the error, for branching.
    pub fn kind(&self) -> KeySourceErrorKind {
        self.kind
    }

    /// Returns when to ask again, if the source knows.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for KeySourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            KeySourceErrorKind::Unavailable => "keys unavailable",
            KeySourceErrorKind::TooOld => "keys too old",
        };
        write!(f, "{what}: {}", self.detail)
    }
}

impl Error for KeySourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// The kinds of [`KeySourceError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeySourceErrorKind {
    /// There is no key set yet, or the place where it is stored does not answer.
    Unavailable,
    /// The latest key set is too old to be used.
    TooOld,
}
