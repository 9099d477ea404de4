//! [`SkippedKey`] and [`KeySetError`]: unusable keys of a set, and unusable sets.

use std::fmt;

use crate::key::{KeyError, error::quoted};

/// One key of a JWK Set that cannot be used, and why.
#[derive(Clone, Debug)]
pub struct SkippedKey {
    index: usize,
    id: Option<String>,
    reason: KeyError,
}

impl SkippedKey {
    pub(super) fn new(index: usize, id: Option<String>, reason: KeyError) -> Self {
        Self { index, id, reason }
    }

    /// Returns its position in the set; the first is 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Returns its `kid`, if it could be read. Untrusted text, because the set may come from elsewhere.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Returns why it cannot be used.
    pub fn reason(&self) -> &KeyError {
        &self.reason
    }
}

impl fmt::Display for SkippedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {}", self.index)?;
        if let Some(id) = &self.id {
            write!(f, " ({})", quoted(id))?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// A text cannot be used as a key set. For the developer or operator; lists all problems.
#[derive(Clone, Debug)]
pub struct KeySetError {
    kind: KeySetErrorKind,
    detail: String,
    problems: Vec<SkippedKey>,
}

impl KeySetError {
    pub(super) fn new(kind: KeySetErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), problems: Vec::new() }
    }

    pub(super) fn bad_keys(problems: Vec<SkippedKey>) -> Self {
        Self { problems, ..Self::new(KeySetErrorKind::BadKeys, "not every key of the set can be used") }
    }

    /// Returns the kind of the error, for branching.
    pub fn kind(&self) -> KeySetErrorKind {
        self.kind
    }

    /// Returns the unusable keys, for [`KeySetErrorKind::BadKeys`]; otherwise none.
    pub fn problems(&self) -> &[SkippedKey] {
        &self.problems
    }
}

impl fmt::Display for KeySetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)?;
        for (at, problem) in self.problems.iter().enumerate() {
            let separator = if at == 0 { ": " } else { "; " };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for KeySetError {}

/// The kinds of [`KeySetError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeySetErrorKind {
    /// Not a JSON object with an array `keys`.
    NotAKeySet,
    /// More than 512 KiB of text or more than 100 keys.
    TooLarge,
    /// A strict set without any key.
    Empty,
    /// A strict set with keys that cannot be used: see [`KeySetError::problems`].
    BadKeys,
}
