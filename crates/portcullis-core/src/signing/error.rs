//! [`SignError`]: why there is no signature.

use std::{borrow::Cow, error::Error, fmt, sync::Arc};

/// There is no signature. The error says why, and never contains what was to be signed.
#[derive(Clone, Debug)]
pub struct SignError {
    kind: SignErrorKind,
    detail: Cow<'static, str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// The kinds of [`SignError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignErrorKind {
    /// The key cannot be reached, or is busy. Trying again may help.
    Unavailable,
    /// The key cannot sign this, or may not. Trying again does not help.
    Refused,
    /// There is a signature, but not of the form that the algorithm prescribes: the signer's own mistake.
    Malformed,
}

impl SignError {
    /// Returns an error of this kind. `detail` says what happened, for the operator's log, without secrets.
    pub fn new(kind: SignErrorKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), source: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(self, source: impl Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// Returns the kind.
    pub fn kind(&self) -> SignErrorKind {
        self.kind
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            SignErrorKind::Unavailable => "the signing key is unavailable",
            SignErrorKind::Refused => "the signing key refuses to sign",
            SignErrorKind::Malformed => "the signer returned a malformed signature",
        };
        write!(f, "{what}: {}", self.detail)
    }
}

impl Error for SignError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
