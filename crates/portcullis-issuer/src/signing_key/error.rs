//! [`SigningKeyError`]: why a key cannot sign.

use std::{borrow::Cow, error::Error, fmt};

use portcullis_core::keys::{KeyError, KeyErrorKind};

/// A key cannot be used for signing. The error never contains any part of the key.
#[derive(Clone, Debug)]
pub struct SigningKeyError {
    kind: SigningKeyErrorKind,
    message: Cow<'static, str>,
}

/// The kinds of [`SigningKeyError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SigningKeyErrorKind {
    /// The text does not have the expected form.
    Malformed,
    /// The key is not one for the algorithm.
    Mismatch,
    /// The key is too short, or of a kind that is known to be broken.
    Weak,
    /// Others than the issuer can read or change the file.
    Permissions,
    /// The file cannot be read.
    Unreadable,
}

impl SigningKeyError {
    pub(super) fn new(kind: SigningKeyErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(super) fn malformed(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(SigningKeyErrorKind::Malformed, message)
    }

    pub(super) fn mismatch(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(SigningKeyErrorKind::Mismatch, message)
    }

    /// Says which file it is about.
    pub(super) fn in_file(self, path: &std::path::Path) -> Self {
        Self { message: format!("{}: {}", path.display(), self.message).into(), ..self }
    }

    /// Returns the kind.
    pub fn kind(&self) -> SigningKeyErrorKind {
        self.kind
    }
}

impl fmt::Display for SigningKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for SigningKeyError {}

impl From<KeyError> for SigningKeyError {
    fn from(error: KeyError) -> Self {
        let kind = match error.kind() {
            KeyErrorKind::Weak => SigningKeyErrorKind::Weak,
            KeyErrorKind::Mismatch | KeyErrorKind::Unsupported => SigningKeyErrorKind::Mismatch,
            _ => SigningKeyErrorKind::Malformed,
        };
        Self::new(kind, error.to_string())
    }
}
