//! [`RedbSigningKeys`]: the document in the file of the sessions.

use std::{fmt, sync::Arc};

use portcullis_issuer::{
    StoreError,
    key_ring::{DocumentVersion, Replaced, SigningKeys, StoredDocument},
};

use super::new_version;
use crate::{RedbRefreshStore, refresh::redb::writer::Writer};

/// The document of a key ring in the file of a [`RedbRefreshStore`], by its [`signing_keys`](RedbRefreshStore::signing_keys). What it has
/// stored is on the disk (`fsync`). Clones share it.
#[derive(Clone)]
pub struct RedbSigningKeys {
    writer: Arc<Writer>,
}

impl RedbRefreshStore {
    /// Returns the place for a key ring in the same file.
    pub fn signing_keys(&self) -> RedbSigningKeys {
        RedbSigningKeys { writer: Arc::clone(&self.writer) }
    }
}

impl SigningKeys for RedbSigningKeys {
    async fn load(&self) -> Result<Option<StoredDocument>, StoreError> {
        let document = self.writer.ask(|tables, _| Ok(Ok(tables.document()?))).await?;
        Ok(document.map(|(version, text)| StoredDocument::new(text, DocumentVersion::new(version))))
    }

    async fn replace(&self, expected: Option<DocumentVersion>, text: &str) -> Result<Replaced, StoreError> {
        let text = text.to_owned();
        let work = move |tables: &mut crate::refresh::redb::tables::Tables<'_>, _| {
            let current = tables.document()?.map(|(version, _)| version);
            if current != expected.map(DocumentVersion::number) {
                return Ok(Ok(Replaced::Conflict));
            }
            let version = new_version();
            tables.put_document(version, &text)?;
            Ok(Ok(Replaced::Stored(DocumentVersion::new(version))))
        };
        self.writer.ask(work).await
    }
}

/// Shows where the file is.
impl fmt::Debug for RedbSigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbSigningKeys").field("path", &self.writer.path()).finish()
    }
}
