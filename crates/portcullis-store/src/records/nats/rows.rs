//! [`Rows`]: reads records, and changes them by compare-and-swap.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use portcullis_issuer::{
    StoreError,
    records::{NewRecord, Record, RecordGroup, RecordKey, RecordKind, RecordVersion, Swapped},
    refresh::Millis,
};

use super::{keys::Keys, looks::Looks};
use crate::{
    NatsRefreshStore,
    records::row,
    refresh::nats::{connection::Connection, layout::Layout},
};

/// How often a change is tried. Each failure means that another writer has changed the record meanwhile, so that it usually has another version;
/// only records that are deleted and created again and again take more than two.
const ATTEMPTS: usize = 10;

/// How many records are read at the same time.
const AT_ONCE: usize = 32;

/// The rows in a bucket.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    pub(super) connection: Arc<Connection>,
    pub(super) layout: &'a Layout,
    pub(super) keys: Keys<'a>,
    /// Has the clock.
    pub(super) store: &'a NatsRefreshStore,
    pub(super) looks: &'a Looks,
}

impl Rows<'_> {
    pub(super) async fn find(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        self.live(&self.keys.of(key)).await
    }

    async fn live(&self, key: &str) -> Result<Option<Record>, StoreError> {
        let found = self.connection.entry(key).await?;
        found.value.map_or(Ok(None), |row| row::live(&row, self.store.time()))
    }

    pub(super) async fn list(&self, group: &RecordGroup) -> Result<Vec<(String, Record)>, StoreError> {
        let keys = self.connection.keys(self.layout, &self.keys.of_group(group)).await?;
        let named = async |key: &String| {
            let Some(record) = self.live(key).await? else { return Ok(None) };
            let id = Keys::id(key)
                .ok_or_else(|| StoreError::new("a key in the bucket of records is not one of a record"))?;
            Ok(Some((id, record)))
        };
        let found: Vec<_> = stream::iter(&keys).map(named).buffer_unordered(AT_ONCE).collect().await;
        found.into_iter().filter_map(Result::transpose).collect()
    }

    pub(super) async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<RecordVersion>,
        next: Option<&NewRecord>,
    ) -> Result<Swapped, StoreError> {
        let (kind, key) = (key.group().kind(), self.keys.of(key));
        self.looks.changed(kind, &key);
        for _ in 0..ATTEMPTS {
            let found = self.connection.entry(&key).await?;
            let live = found.value.as_deref().map_or(Ok(None), |row| row::live(row, self.store.time()))?;
            if live.map(|record| record.version()) != expected {
                return Ok(Swapped::Conflict);
            }
            // The revision is that of what was compared, even if it is a marker, or has ended.
            let is_stored = match next {
                Some(next) => self.connection.replace(key.clone(), row::new(next), found.revision).await?,
                None if expected.is_none() => true,
                None => self.connection.delete(key.clone(), found.revision).await?,
            };
            if is_stored {
                return Ok(Swapped::Stored);
            }
        }
        Err(StoreError::new("others keep changing the same record at the same time: try again"))
    }

    /// Removes the rows of this kind that have ended, and the markers, as far as they are due for a look. Returns how many rows.
    pub(super) async fn forget(&self, kind: RecordKind, before: Millis) -> Result<usize, StoreError> {
        let keys = self.connection.keys(self.layout, &self.keys.of_kind(kind)).await?;
        let due = self.looks.due(kind, keys, before.min(self.store.time()));
        let forget = async |key: &String| self.forget_one(kind, key, before.min(self.store.time())).await;
        let forgotten: Vec<_> = stream::iter(&due).map(forget).buffer_unordered(AT_ONCE).collect().await;
        let forgotten: Vec<bool> = forgotten.into_iter().collect::<Result<_, _>>()?;
        Ok(forgotten.into_iter().filter(|is_forgotten| *is_forgotten).count())
    }

    /// Purges only what has been read: what is written meanwhile has a higher number, and stays.
    async fn forget_one(&self, kind: RecordKind, key: &str, before: Millis) -> Result<bool, StoreError> {
        let found = self.connection.entry(key).await?;
        let is_marker = found.value.is_none() && found.revision > 0;
        // One that cannot be read stays: a later version knows what to do with it.
        let record = found.value.and_then(|row| row::read(&row).ok());
        let is_row = record.as_ref().is_some_and(|record| row::has_ended(record, before));
        if is_marker || is_row {
            self.connection.purge(key, found.revision).await?;
        } else {
            self.looks.seen(kind, key, record.and_then(|record| record.until()), self.store.time());
        }
        Ok(is_row)
    }
}
