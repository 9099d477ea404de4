//! [`ContentDigestError`]: why a `Content-Digest` cannot be used.

use std::{error::Error, fmt};

/// The value of a `Content-Digest` cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentDigestError {
    kind: ContentDigestErrorKind,
}

impl ContentDigestError {
    pub(super) const fn new(kind: ContentDigestErrorKind) -> Self {
        Self { kind }
    }

    /// Returns the kind of the error, for branching.
    pub const fn kind(self) -> ContentDigestErrorKind {
        self.kind
    }
}

/// The kinds of [`ContentDigestError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentDigestErrorKind {
    /// It is not a dictionary of byte sequences, has parameters, has more than 16 members, or has a digest of the wrong length.
    Malformed,
    /// An algorithm is named twice.
    Repeated,
    /// It has no digest by an algorithm that is supported.
    Unsupported,
}

impl fmt::Display for ContentDigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ContentDigestErrorKind::Malformed => {
                "the content digest is malformed: write `sha-256=:…:`, with the digest in base64"
            }
            ContentDigestErrorKind::Repeated => "the content digest names an algorithm twice: name each once",
            ContentDigestErrorKind::Unsupported => "the content digest has neither `sha-256` nor `sha-512`: add one",
        })
    }
}

impl Error for ContentDigestError {}
