//! A store of records that a test watches: how often it is called, what happens meanwhile, and whether it is there.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use portcullis_issuer::{
    StoreError,
    records::{MemoryRecordStore, NewRecord, Record, RecordGroup, RecordKey, RecordStore, RecordVersion, Swapped},
    refresh::Millis,
};
use tokio::task::yield_now;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Records in memory. Other tasks go on before each call.
#[derive(Clone)]
pub(crate) struct WatchedRecords(Arc<Watched>);

struct Watched {
    records: MemoryRecordStore,
    calls: AtomicUsize,
    is_down: AtomicBool,
    before_swap: Mutex<Option<Work>>,
}

impl WatchedRecords {
    pub(crate) fn new(records: &MemoryRecordStore) -> Self {
        let records = records.clone();
        let (calls, is_down, before_swap) = Default::default();
        Self(Arc::new(Watched { records, calls, is_down, before_swap }))
    }

    /// How often it was called since the last time that this was asked.
    pub(crate) fn calls(&self) -> usize {
        self.0.calls.swap(0, Ordering::SeqCst)
    }

    /// Makes every call fail from now on, or no more.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.0.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Does something before the next change.
    pub(crate) fn before_swap(&self, work: impl Future<Output = ()> + Send + 'static) {
        *self.0.before_swap.lock().unwrap() = Some(Box::pin(work));
    }

    async fn call(&self) -> Result<&MemoryRecordStore, StoreError> {
        yield_now().await;
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        if self.0.is_down.load(Ordering::SeqCst) {
            Err(StoreError::new("the disk is full"))
        } else {
            Ok(&self.0.records)
        }
    }
}

impl RecordStore for WatchedRecords {
    async fn now(&self) -> Result<Millis, StoreError> {
        RecordStore::now(self.call().await?).await
    }

    async fn find(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        self.call().await?.find(key).await
    }

    async fn list(&self, group: &RecordGroup) -> Result<Vec<(String, Record)>, StoreError> {
        self.call().await?.list(group).await
    }

    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<RecordVersion>,
        next: Option<NewRecord>,
    ) -> Result<Swapped, StoreError> {
        let work = self.0.before_swap.lock().unwrap().take();
        if let Some(work) = work {
            work.await;
        }
        self.call().await?.swap(key, expected, next).await
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        self.call().await?.forget_before(before).await
    }
}

impl fmt::Debug for WatchedRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchedRecords").finish_non_exhaustive()
    }
}
