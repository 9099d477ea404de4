//! [`NatsRecordStore`]: records in a bucket of NATS.

mod keys;
mod looks;
mod rows;

use portcullis_issuer::{
    StoreError,
    records::{NewRecord, Record, RecordGroup, RecordKey, RecordKind, RecordStore, RecordVersion, Swapped},
    refresh::Millis,
};

use self::{keys::Keys, looks::Looks, rows::Rows};
use crate::NatsRefreshStore;

/// Records in a key-value bucket of NATS, beside the one of a [`NatsRefreshStore`], by its [`records`](NatsRefreshStore::records). It has a
/// connection of its own.
///
/// # The rules
///
/// - **The time is that of the instance**, not that of the server: NATS cannot decide on its own clock. Keep the clocks of all instances
///   synchronised, to a second or so. A record lives longer or shorter by the difference between two of them.
/// - A change reads the record from the leader of the stream, compares its version, and writes if no other writer was faster (compare-and-swap
///   on the revision of the key). What was deleted leaves a marker, which has a revision, too.
/// - Records that have ended, and markers, stay in the bucket until [`forget_before`](RecordStore::forget_before) is called. It lists all keys, and
///   reads records that are new to it, that have ended since, or that it has not read for a day: at most 100 000 of a kind in one call. Call it once an
///   hour, on the same instance: it remembers 16 bytes for each record. What was deleted by another instance may stay for a day longer.
/// - A server that was cut off from the rest of its cluster may for about ten seconds still believe that it is the leader. It writes nothing,
///   but may meanwhile find a record that was deleted elsewhere.
/// - If there is no bucket, it is created. An existing one is used if it never deletes records by itself; otherwise it is refused, and the error
///   says what to change.
///
/// # What is on the server
///
/// A bucket `portcullis_refresh_records` (the name of the [bucket](NatsRefreshStore::bucket) of the sessions, and `_records`), stored in files.
/// The key of a record is `<kind>.x<group>.x<id>`, where group and id are in base64url without padding.
///
/// # Rights
///
/// With permissions, the user needs to publish on the following subjects, where `B` is the name of the bucket, and to subscribe to `_INBOX.>`:
///
/// ```text
/// $KV.B.>    $JS.API.STREAM.INFO.KV_B    $JS.API.STREAM.CREATE.KV_B    $JS.API.STREAM.MSG.GET.KV_B    $JS.API.STREAM.PURGE.KV_B
/// ```
#[derive(Debug)]
pub struct NatsRecordStore {
    store: NatsRefreshStore,
    looks: Looks,
}

impl NatsRefreshStore {
    /// Returns the place for records on the same servers, in the bucket whose name has `_records` at its end.
    pub fn records(&self) -> NatsRecordStore {
        NatsRecordStore { store: self.apart(), looks: Looks::default() }
    }
}

impl NatsRecordStore {
    /// Returns what an operator should know about the bucket's settings and the connection: a sentence each. Empty before the first call.
    pub fn warnings(&self) -> Vec<String> {
        self.store.warnings()
    }

    async fn rows(&self) -> Result<Rows<'_>, StoreError> {
        let (layout, connection) = (self.store.layout(), self.store.connection().await?);
        Ok(Rows { connection, layout, keys: Keys(&layout.bucket), store: &self.store, looks: &self.looks })
    }
}

impl RecordStore for NatsRecordStore {
    /// Returns the time of the [clock](NatsRefreshStore::clock), without asking the server.
    async fn now(&self) -> Result<Millis, StoreError> {
        Ok(self.store.time())
    }

    async fn find(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        self.store.within(Box::pin(async { self.rows().await?.find(key).await })).await
    }

    async fn list(&self, group: &RecordGroup) -> Result<Vec<(String, Record)>, StoreError> {
        self.store.within(Box::pin(async { self.rows().await?.list(group).await })).await
    }

    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<RecordVersion>,
        next: Option<NewRecord>,
    ) -> Result<Swapped, StoreError> {
        let next = next.map(NewRecord::checked).transpose()?;
        self.store.within(Box::pin(async { self.rows().await?.swap(key, expected, next.as_ref()).await })).await
    }

    /// Also removes the markers of records that were deleted. The first call takes as long as it takes to read all records; each request to the server
    /// has a limit of its own.
    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        let rows = self.rows().await?;
        let mut forgotten = 0;
        for kind in RecordKind::ALL {
            forgotten += rows.forget(kind, before).await?;
        }
        Ok(forgotten)
    }
}
