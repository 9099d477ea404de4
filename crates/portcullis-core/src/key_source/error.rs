//! Why a key source could not answer.

use std::{error::Error, fmt, sync::Arc, time::Duration};

/// The key source could not find out which key is the right one.
///
/// For the operator; the client only learns that the service is unavailable (HTTP 503). Not a verdict about any token.
#[derive(Clone, Debug)]
pub struct KeySourceError {
    kind: KeySourceErrorKind,
    detail: Arc<str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
    retry_after: Option<Duration>,
}

impl KeySourceError {
    /// An error of this kind; `detail` says what happened, for the log. It must hold no secret.
    pub fn new(kind: KeySourceErrorKind, detail: impl Into<Arc<str>>) -> Self {
        Self { kind, detail: detail.into(), source: None, retry_after: None }
    }

    /// Adds what caused it, for [`Error::source`]. Defaults to none.
    #[must_use]
    pub fn with_source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Adds when asking again makes sense. Defaults to none: nobody knows.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// What went wrong, to branch on.
    pub fn kind(&self) -> KeySourceErrorKind {
        self.kind
    }

    /// When asking again makes sense, if the source knows.
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
    /// No key set has been obtained yet, or the place it is kept in does not answer.
    Unavailable,
    /// The last key set obtained is too old to be used.
    TooOld,
}
