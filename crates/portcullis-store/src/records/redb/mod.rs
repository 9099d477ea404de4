//! [`RedbRecordStore`]: records in the file of the sessions.

pub(crate) mod tables;

use std::{fmt, sync::Arc};

use portcullis_issuer::{
    StoreError,
    records::{NewRecord, Record, RecordGroup, RecordKey, RecordStore, RecordVersion, Swapped},
    refresh::Millis,
};
use redb::StorageError;

use self::tables::RecordTables;
use super::row;
use crate::{RedbRefreshStore, refresh::redb::writer::Writer};

/// Records in the file of a [`RedbRefreshStore`], by its [`records`](RedbRefreshStore::records). Clones share it.
///
/// # The rules
///
/// - What it has stored is on the disk (`fsync`). A change that is refused writes nothing.
/// - A change is decided in the transaction that makes it, which is the only one at that time.
/// - The time is that of the process. If it is set back, records live longer by that.
/// - Records that have ended stay in the file until [`forget_before`](RecordStore::forget_before) is called. Call it once an hour.
#[derive(Clone)]
pub struct RedbRecordStore {
    writer: Arc<Writer>,
}

/// How many records are forgotten in one transaction: other callers wait for it.
const FORGOTTEN_AT_ONCE: usize = 1000;

impl RedbRefreshStore {
    /// Returns the place for records in the same file.
    pub fn records(&self) -> RedbRecordStore {
        RedbRecordStore { writer: Arc::clone(&self.writer) }
    }
}

impl RecordStore for RedbRecordStore {
    async fn now(&self) -> Result<Millis, StoreError> {
        Ok(self.writer.now())
    }

    async fn find(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        let key = key.clone();
        let find = move |records: &mut RecordTables<'_>, now| {
            Ok(records.get(&key)?.map_or(Ok(None), |row| row::live(&row, now)))
        };
        self.ask(find).await
    }

    async fn list(&self, group: &RecordGroup) -> Result<Vec<(String, Record)>, StoreError> {
        let group = group.clone();
        let list = move |records: &mut RecordTables<'_>, now| {
            let live = |(id, row): (String, Vec<u8>)| Ok(row::live(&row, now)?.map(|record| (id, record)));
            Ok(records.of_group(&group)?.into_iter().map(live).filter_map(Result::transpose).collect())
        };
        self.ask(list).await
    }

    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<RecordVersion>,
        next: Option<NewRecord>,
    ) -> Result<Swapped, StoreError> {
        let (key, next) = (key.clone(), next.map(NewRecord::checked).transpose()?);
        self.ask(move |records, now| swap(records, &key, expected, next.as_ref(), now)).await
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        let before = before.min(self.writer.now());
        let mut forgotten = 0;
        loop {
            let some = self.ask(move |records, _| forget(records, before)).await?;
            forgotten += some;
            if some < FORGOTTEN_AT_ONCE {
                return Ok(forgotten);
            }
        }
    }
}

impl RedbRecordStore {
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut RecordTables<'_>, Millis) -> Answer<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.ask(move |tables, now| work(tables.records(), now)).await
    }
}

/// What the caller gets. The outer error is the file's, and fails all callers of the transaction.
type Answer<T> = Result<Result<T, StoreError>, StorageError>;

fn swap(
    records: &mut RecordTables<'_>,
    key: &RecordKey,
    expected: Option<RecordVersion>,
    next: Option<&NewRecord>,
    now: Millis,
) -> Answer<Swapped> {
    let found = match records.get(key)?.map(|row| row::read(&row)).transpose() {
        Ok(found) => found,
        Err(unreadable) => return Ok(Err(unreadable)),
    };
    let live = found.as_ref().filter(|record| !row::has_ended(record, now));
    if live.map(Record::version) != expected {
        return Ok(Ok(Swapped::Conflict));
    }
    if let Some(found) = &found {
        records.remove(key, found.until())?;
    }
    if let Some(next) = next {
        records.insert(key, &row::new(next), next.ends_at())?;
    }
    Ok(Ok(Swapped::Stored))
}

fn forget(records: &mut RecordTables<'_>, before: Millis) -> Answer<usize> {
    let mut forgotten = 0;
    for (ended_at, key) in records.ended(before, FORGOTTEN_AT_ONCE)? {
        // One that cannot be read stays: a later version knows what to do with it.
        let Some(Ok(_)) = records.get_named(&key)?.map(|row| row::read(&row)) else { continue };
        records.remove_named(&key, Some(ended_at))?;
        forgotten += 1;
    }
    Ok(Ok(forgotten))
}

/// Shows where the file is.
impl fmt::Debug for RedbRecordStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbRecordStore").field("path", &self.writer.path()).finish()
    }
}
