//! [`SigningKeys`]: keeps the document of a key ring.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use zeroize::Zeroizing;

use crate::store_error::StoreError;

/// Keeps the document of a key ring: one text with a version, such as one row of a table. Implement it to keep the keys in a new place. The rules:
///
/// * [`replace`](Self::replace) is one atomic step, also between processes: of several callers with the same version, one succeeds.
/// * What it has stored is durable when it returns, and every later [`load`](Self::load) by any instance returns it, or a later one.
/// * A text comes back as it was. It is ASCII or UTF-8, and at most 512 KiB long.
/// * "We could not find out" is an error, never `None` and never [`Replaced::Conflict`]: a ring that finds no document makes new keys.
/// * Only the issuer can read it.
pub trait SigningKeys: fmt::Debug + Send + Sync + 'static {
    /// Returns the document with its version; `None` if there is none yet.
    fn load(&self) -> impl Future<Output = Result<Option<StoredDocument>, StoreError>> + Send;

    /// Replaces the document if its version is still `expected`, or creates it if `expected` is `None` and there is none.
    fn replace(
        &self,
        expected: Option<DocumentVersion>,
        text: &str,
    ) -> impl Future<Output = Result<Replaced, StoreError>> + Send;
}

/// A document with its version. `Debug` does not show the text, which may have private keys.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredDocument {
    text: Zeroizing<String>,
    version: DocumentVersion,
}

impl StoredDocument {
    /// Returns a document of this text and version.
    pub fn new(text: impl Into<Zeroizing<String>>, version: DocumentVersion) -> Self {
        Self { text: text.into(), version }
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the version.
    pub fn version(&self) -> DocumentVersion {
        self.version
    }
}

impl fmt::Debug for StoredDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredDocument").field("version", &self.version).finish_non_exhaustive()
    }
}

/// The version of a document in its store: a number that is another one after each change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DocumentVersion(u64);

impl DocumentVersion {
    /// Returns the version of this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third: whether it was stored is known, or it is an error")]
pub enum Replaced {
    /// It is stored, durably, with this version.
    Stored(DocumentVersion),
    /// Nothing was changed: the document has another version.
    Conflict,
}

impl<T: SigningKeys> SigningKeys for Arc<T> {
    fn load(&self) -> impl Future<Output = Result<Option<StoredDocument>, StoreError>> + Send {
        (**self).load()
    }

    fn replace(
        &self,
        expected: Option<DocumentVersion>,
        text: &str,
    ) -> impl Future<Output = Result<Replaced, StoreError>> + Send {
        (**self).replace(expected, text)
    }
}

type Outcome<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A store of any type.
pub(super) trait AnyKeys: fmt::Debug + Send + Sync {
    fn load(&self) -> Outcome<'_, Option<StoredDocument>>;
    fn replace<'a>(&'a self, expected: Option<DocumentVersion>, text: &'a str) -> Outcome<'a, Replaced>;
}

impl<T: SigningKeys> AnyKeys for T {
    fn load(&self) -> Outcome<'_, Option<StoredDocument>> {
        Box::pin(SigningKeys::load(self))
    }

    fn replace<'a>(&'a self, expected: Option<DocumentVersion>, text: &'a str) -> Outcome<'a, Replaced> {
        Box::pin(SigningKeys::replace(self, expected, text))
    }
}
