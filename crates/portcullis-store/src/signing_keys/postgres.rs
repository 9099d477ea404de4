//! [`PostgresSigningKeys`]: the document in a table beside the sessions.

use portcullis_issuer::{
    StoreError,
    key_ring::{DocumentVersion, Replaced, SigningKeys, StoredDocument},
};
use tokio_postgres::types::Type;

use super::new_version;
use crate::{
    PostgresRefreshStore,
    postgres::{
        connection::{Parameters, Work},
        error::explain,
    },
};

/// The document of a key ring in the database of a [`PostgresRefreshStore`], by its
/// [`signing_keys`](PostgresRefreshStore::signing_keys). It has one connection of its own, as a ring asks for one thing at a time. What it has stored is committed.
#[derive(Debug)]
pub struct PostgresSigningKeys(PostgresRefreshStore);

impl PostgresRefreshStore {
    /// Returns the place for a key ring in the same schema, in the table `signing_keys`.
    pub fn signing_keys(&self) -> PostgresSigningKeys {
        PostgresSigningKeys(self.apart(1))
    }
}

impl SigningKeys for PostgresSigningKeys {
    async fn load(&self) -> Result<Option<StoredDocument>, StoreError> {
        let rows = self.0.ask(Work::Reads, &self.0.layout().load_keys(), &[]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let failed = |error| StoreError::from(explain(error));
        let (version, text): (i64, String) =
            (row.try_get("version").map_err(failed)?, row.try_get("document").map_err(failed)?);
        Ok(Some(StoredDocument::new(text, DocumentVersion::new(version.unsigned_abs()))))
    }

    async fn replace(&self, expected: Option<DocumentVersion>, text: &str) -> Result<Replaced, StoreError> {
        let version = new_version();
        let (new, before) = (version.cast_signed(), expected.map_or(0, DocumentVersion::number).cast_signed());
        let parameters: Parameters<'_> = &[(&new, Type::INT8), (&text, Type::TEXT), (&before, Type::INT8)];
        let (query, parameters) = match expected {
            Some(_) => (self.0.layout().replace_keys(), parameters),
            None => (self.0.layout().create_keys(), &parameters[..2]),
        };
        let stored = self.0.ask(Work::Writes, &query, parameters).await?;
        Ok(if stored.is_empty() { Replaced::Conflict } else { Replaced::Stored(DocumentVersion::new(version)) })
    }
}
