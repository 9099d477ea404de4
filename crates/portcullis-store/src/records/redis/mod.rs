//! [`RedisRecordStore`]: records in keys beside the sessions.

use std::sync::LazyLock;

use portcullis_issuer::{
    StoreError,
    records::{NewRecord, Record, RecordGroup, RecordKey, RecordStore, RecordVersion, Swapped},
    refresh::Millis,
};
use redis::Script;

use super::{row, unreadable};
use crate::RedisRefreshStore;

/// Records on the server of a [`RedisRefreshStore`], by its [`records`](RedisRefreshStore::records). It has a connection of its own, to a server
/// that is checked in the same way.
///
/// # The rules
///
/// - A change is one script, on the server's clock, that writes only if the version is the one that was expected.
/// - The server forgets a record when it ends. [`forget_before`](RecordStore::forget_before) has nothing to do, and returns 0.
/// - A group's list may name records that are gone, but never lacks one that is there.
///
/// # What is on the server
///
/// - `{portcullis}:record:<kind>:<length of the group>:<group>:<id>`, a string, has a record.
/// - `{portcullis}:records:<kind>:<group>`, a sorted set, has the ids of a group, by when they end.
///
/// # What a crash can lose
///
/// With `appendonly yes` and `appendfsync always`, nothing that was acknowledged. With less, a code that was redeemed may come back: the store
/// [warns](RedisRefreshStore::warnings). With replicas, set [`acknowledged_by`](RedisRefreshStore::acknowledged_by).
#[derive(Debug)]
pub struct RedisRecordStore(RedisRefreshStore);

/// How many records are read by one script: other callers wait for it, and each row may have 64 KiB.
const READ_AT_ONCE: usize = 100;

static NOW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/now.lua")));
static SWAP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/swap.lua")));
static IDS: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/ids.lua")));
static ROWS: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/rows.lua")));

impl RedisRefreshStore {
    /// Returns the place for records on the same server.
    pub fn records(&self) -> RedisRecordStore {
        RedisRecordStore(self.apart())
    }
}

impl RecordStore for RedisRecordStore {
    async fn now(&self) -> Result<Millis, StoreError> {
        let now: u64 = self.0.read(&NOW.key(self.0.layout().records())).await?;
        Ok(Millis::new(now))
    }

    async fn find(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        Ok(self.live(&[key.id()], key.group()).await?.pop().map(|(_, record)| record))
    }

    async fn list(&self, group: &RecordGroup) -> Result<Vec<(String, Record)>, StoreError> {
        let ids: Vec<String> = self.0.read(&IDS.key(self.0.layout().records_of(group))).await?;
        let mut listed = Vec::new();
        for ids in ids.chunks(READ_AT_ONCE) {
            listed.extend(self.live(ids, group).await?);
        }
        Ok(listed)
    }

    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<RecordVersion>,
        next: Option<NewRecord>,
    ) -> Result<Swapped, StoreError> {
        let next = next.map(NewRecord::checked).transpose()?;
        let layout = self.0.layout();
        let mut swap = SWAP.key(layout.record(key.group(), key.id()));
        swap.key(layout.records_of(key.group())).arg(key.id());
        swap.arg(expected.map(|version| version.number().to_string()).unwrap_or_default());
        swap.arg(next.as_ref().map(row::new).unwrap_or_default());
        swap.arg(next.and_then(|next| next.ends_at()).map(|until| until.get().to_string()).unwrap_or_default());
        match self.0.write::<i8>(&swap).await? {
            1 => Ok(Swapped::Stored),
            0 => Ok(Swapped::Conflict),
            _ => Err(unreadable()),
        }
    }

    /// Does nothing: the server forgets by itself.
    async fn forget_before(&self, _: Millis) -> Result<usize, StoreError> {
        Ok(0)
    }
}

impl RedisRecordStore {
    /// Returns those of these records of a group that are there.
    async fn live<I: AsRef<str>>(&self, ids: &[I], group: &RecordGroup) -> Result<Vec<(String, Record)>, StoreError> {
        let mut rows = ROWS.prepare_invoke();
        for id in ids {
            rows.key(self.0.layout().record(group, id.as_ref()));
        }
        let (now, rows): (u64, Vec<Option<Vec<u8>>>) = self.0.read(&rows).await?;
        let found = ids.iter().zip(rows).filter_map(|(id, row)| Some((id.as_ref(), row?)));
        let live =
            |(id, row): (&str, Vec<u8>)| Ok(row::live(&row, Millis::new(now))?.map(|record| (id.to_owned(), record)));
        found.map(live).filter_map(Result::transpose).collect()
    }
}
