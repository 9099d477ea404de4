//! [`RecordStore`]: keeps records.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use super::{RecordGroup, RecordKey};
use crate::{StoreError, millis::Millis};

/// Keeps records. Implement it to keep them in a new place. The rules:
///
/// * [`swap`](Self::swap) is one atomic step, also between processes: of several callers with the same version, one succeeds.
/// * What it has stored is durable when it returns `Ok`, and every later call by any instance sees it, or a later one.
/// * A version is never used twice for one key, not even after the record was deleted. A store that may be restored from a backup draws it at
///   random: a count would begin again, and an old version would be that of another text.
/// * The time is that of the store, and the same for all instances. A record that has ended is as good as absent, for every method.
/// * A text comes back as it was. It is at most [`MOST_BYTES`](Record::MOST_BYTES) long: a longer one is an error, and changes nothing
///   ([`NewRecord::checked`]).
/// * "We could not find out" is an error, never `None` and never [`Swapped::Conflict`]. So is a row that a later version of the store has
///   written, which is left as it is. After an error, a change may have been made: find the record to know.
pub trait RecordStore: fmt::Debug + Send + Sync + 'static {
    /// Returns the store's time.
    fn now(&self) -> impl Future<Output = Result<Millis, StoreError>> + Send;

    /// Returns a record; `None` if there is none.
    fn find(&self, key: &RecordKey) -> impl Future<Output = Result<Option<Record>, StoreError>> + Send;

    /// Returns all records of a group with their ids, in no particular order. One that is created or deleted during the call may be among them or
    /// not.
    fn list(&self, group: &RecordGroup) -> impl Future<Output = Result<Vec<(String, Record)>, StoreError>> + Send;

    /// Changes a record if its version is still `expected`, or creates it if `expected` is `None` and there is none. `None` as `next` deletes it.
    fn swap(
        &self,
        key: &RecordKey,
        expected: Option<RecordVersion>,
        next: Option<NewRecord>,
    ) -> impl Future<Output = Result<Swapped, StoreError>> + Send;

    /// Forgets records that have ended before `before`, or before now if that is earlier, as far as the store does not do so by itself. Returns
    /// how many.
    fn forget_before(&self, before: Millis) -> impl Future<Output = Result<usize, StoreError>> + Send;
}

/// A record as a store has it. `Debug` does not show the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    text: String,
    version: RecordVersion,
    until: Option<Millis>,
}

impl Record {
    /// How long a text may be, in bytes: 64 KiB.
    pub const MOST_BYTES: usize = 64 * 1024;

    /// Returns a record of this text and version, which ends at `until`.
    pub const fn new(text: String, version: RecordVersion, until: Option<Millis>) -> Self {
        Self { text, version, until }
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the version.
    pub const fn version(&self) -> RecordVersion {
        self.version
    }

    /// Returns when it ends by itself; `None` if it does not.
    pub const fn until(&self) -> Option<Millis> {
        self.until
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("version", &self.version).field("until", &self.until).finish_non_exhaustive()
    }
}

/// A record to store. `Debug` does not show the text.
#[derive(Clone, PartialEq, Eq)]
pub struct NewRecord {
    text: String,
    until: Option<Millis>,
}

impl NewRecord {
    /// The latest end: the last millisecond of the year 9999. Databases have signed numbers, and scripts have numbers of 53 bits.
    pub const LATEST_END: Millis = Millis::new(253_402_300_799_999);

    /// Returns a record of this text, which stays until it is deleted.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), until: None }
    }

    /// Sets when the record ends by itself, on the store's clock. Defaults to never. It is at most [`LATEST_END`](Self::LATEST_END): a later one is
    /// replaced by it.
    #[must_use]
    pub fn until(self, instant: Millis) -> Self {
        Self { until: Some(instant.min(Self::LATEST_END)), ..self }
    }

    /// Returns the record if a store may keep it. Every store calls this before it changes anything.
    ///
    /// # Errors
    ///
    /// If the text is longer than [`Record::MOST_BYTES`].
    pub fn checked(self) -> Result<Self, StoreError> {
        let (size, most) = (self.text.len(), Record::MOST_BYTES);
        if size > most {
            return Err(StoreError::new(format!("the record has {size} bytes, and a store keeps at most {most}")));
        }
        Ok(self)
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns when it ends by itself.
    pub const fn ends_at(&self) -> Option<Millis> {
        self.until
    }
}

impl fmt::Debug for NewRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewRecord").field("until", &self.until).finish_non_exhaustive()
    }
}

/// The version of a record: another number after each change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordVersion(u64);

impl RecordVersion {
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
pub enum Swapped {
    /// It is stored, durably.
    Stored,
    /// Nothing was changed: the record has another version, or is there, or is not there.
    Conflict,
}

impl<T: RecordStore> RecordStore for Arc<T> {
    fn now(&self) -> impl Future<Output = Result<Millis, StoreError>> + Send {
        (**self).now()
    }

    fn find(&self, key: &RecordKey) -> impl Future<Output = Result<Option<Record>, StoreError>> + Send {
        (**self).find(key)
    }

    fn list(&self, group: &RecordGroup) -> impl Future<Output = Result<Vec<(String, Record)>, StoreError>> + Send {
        (**self).list(group)
    }

    fn swap(
        &self,
        key: &RecordKey,
        expected: Option<RecordVersion>,
        next: Option<NewRecord>,
    ) -> impl Future<Output = Result<Swapped, StoreError>> + Send {
        (**self).swap(key, expected, next)
    }

    fn forget_before(&self, before: Millis) -> impl Future<Output = Result<usize, StoreError>> + Send {
        (**self).forget_before(before)
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A store of any type.
pub(crate) trait AnyRecords: fmt::Debug + Send + Sync {
    fn now(&self) -> Answer<'_, Millis>;
    fn find<'a>(&'a self, key: &'a RecordKey) -> Answer<'a, Option<Record>>;
    fn list<'a>(&'a self, group: &'a RecordGroup) -> Answer<'a, Vec<(String, Record)>>;
    fn swap<'a>(
        &'a self,
        key: &'a RecordKey,
        expected: Option<RecordVersion>,
        next: Option<NewRecord>,
    ) -> Answer<'a, Swapped>;
    fn forget_before(&self, before: Millis) -> Answer<'_, usize>;
}

impl<T: RecordStore> AnyRecords for T {
    fn now(&self) -> Answer<'_, Millis> {
        Box::pin(RecordStore::now(self))
    }

    fn find<'a>(&'a self, key: &'a RecordKey) -> Answer<'a, Option<Record>> {
        Box::pin(RecordStore::find(self, key))
    }

    fn list<'a>(&'a self, group: &'a RecordGroup) -> Answer<'a, Vec<(String, Record)>> {
        Box::pin(RecordStore::list(self, group))
    }

    fn swap<'a>(
        &'a self,
        key: &'a RecordKey,
        expected: Option<RecordVersion>,
        next: Option<NewRecord>,
    ) -> Answer<'a, Swapped> {
        Box::pin(RecordStore::swap(self, key, expected, next))
    }

    fn forget_before(&self, before: Millis) -> Answer<'_, usize> {
        Box::pin(RecordStore::forget_before(self, before))
    }
}
