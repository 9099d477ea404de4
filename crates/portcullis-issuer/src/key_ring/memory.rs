//! [`MemorySigningKeys`]: a document in memory.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{DocumentVersion, Replaced, SigningKeys, StoredDocument};
use crate::store_error::StoreError;

/// A document in memory, for tests: the keys end with the process. Clones share it.
#[derive(Clone, Default)]
pub struct MemorySigningKeys(Arc<Mutex<Memory>>);

#[derive(Default)]
struct Memory {
    document: Option<StoredDocument>,
    changes: u64,
}

impl MemorySigningKeys {
    /// Returns an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the document without a check, as restoring a backup does; `None` removes it.
    pub fn restore(&self, text: Option<&str>) {
        let mut memory = self.memory();
        memory.changes += 1;
        let version = DocumentVersion::new(memory.changes);
        memory.document = text.map(|text| StoredDocument::new(text.to_owned(), version));
    }

    /// Returns the text of the document.
    pub fn dump(&self) -> Option<String> {
        self.memory().document.as_ref().map(|document| document.text().to_owned())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SigningKeys for MemorySigningKeys {
    async fn load(&self) -> Result<Option<StoredDocument>, StoreError> {
        Ok(self.memory().document.clone())
    }

    async fn replace(&self, expected: Option<DocumentVersion>, text: &str) -> Result<Replaced, StoreError> {
        let mut memory = self.memory();
        if memory.document.as_ref().map(StoredDocument::version) != expected {
            return Ok(Replaced::Conflict);
        }
        memory.changes += 1;
        let version = DocumentVersion::new(memory.changes);
        memory.document = Some(StoredDocument::new(text.to_owned(), version));
        Ok(Replaced::Stored(version))
    }
}

impl fmt::Debug for MemorySigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySigningKeys").field("document", &self.memory().document).finish_non_exhaustive()
    }
}
