//! [`MemoryRecordStore`]: records in memory.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use portcullis_core::{Clock, clock::SystemClock};

use super::{NewRecord, Record, RecordGroup, RecordKey, RecordStore, RecordVersion, Swapped};
use crate::{StoreError, millis::Millis};

/// Records in memory, for tests: they end with the process. Clones share them.
#[derive(Clone)]
pub struct MemoryRecordStore(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    records: Mutex<Records>,
}

#[derive(Default)]
struct Records {
    by_group: HashMap<RecordGroup, HashMap<String, Record>>,
    latest: u64,
}

impl MemoryRecordStore {
    /// Returns an empty store with the system's clock.
    pub fn new() -> Self {
        Self::with_clock(SystemClock)
    }

    /// Returns an empty store with this clock.
    pub fn with_clock(clock: impl Clock) -> Self {
        Self(Arc::new(Shared { clock: Arc::new(clock), records: Mutex::default() }))
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.0.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn time(&self) -> Millis {
        self.0.clock.precise_now().into()
    }
}

impl Default for MemoryRecordStore {
    fn default() -> Self {
        Self::new()
    }
}

fn has_ended(record: &Record, now: Millis) -> bool {
    record.until().is_some_and(|until| until <= now)
}

impl RecordStore for MemoryRecordStore {
    async fn now(&self) -> Result<Millis, StoreError> {
        Ok(self.time())
    }

    async fn find(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        let (records, now) = (self.records(), self.time());
        let record = records.by_group.get(key.group()).and_then(|group| group.get(key.id()));
        Ok(record.filter(|record| !has_ended(record, now)).cloned())
    }

    async fn list(&self, group: &RecordGroup) -> Result<Vec<(String, Record)>, StoreError> {
        let (records, now) = (self.records(), self.time());
        let all = records.by_group.get(group).into_iter().flatten();
        let live = all.filter(|(_, record)| !has_ended(record, now));
        Ok(live.map(|(id, record)| (id.clone(), record.clone())).collect())
    }

    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<RecordVersion>,
        next: Option<NewRecord>,
    ) -> Result<Swapped, StoreError> {
        let next = next.map(NewRecord::checked).transpose()?;
        let (mut records, now) = (self.records(), self.time());
        let found = records.by_group.get(key.group()).and_then(|group| group.get(key.id()));
        let version = found.filter(|record| !has_ended(record, now)).map(Record::version);
        if version != expected {
            return Ok(Swapped::Conflict);
        }
        records.latest += 1;
        let version = RecordVersion::new(records.latest);
        let group = records.by_group.entry(key.group().clone()).or_default();
        if let Some(next) = next {
            group.insert(key.id().to_owned(), Record::new(next.text().to_owned(), version, next.ends_at()));
        } else {
            group.remove(key.id());
            if group.is_empty() {
                records.by_group.remove(key.group());
            }
        }
        Ok(Swapped::Stored)
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        let mut records = self.records();
        let before = before.min(self.time());
        let mut forgotten = 0;
        for group in records.by_group.values_mut() {
            let all = group.len();
            group.retain(|_, record| !has_ended(record, before));
            forgotten += all - group.len();
        }
        records.by_group.retain(|_, group| !group.is_empty());
        Ok(forgotten)
    }
}

/// Shows how many groups there are.
impl fmt::Debug for MemoryRecordStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRecordStore").field("groups", &self.records().by_group.len()).finish_non_exhaustive()
    }
}
