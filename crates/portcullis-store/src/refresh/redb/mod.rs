//! [`RedbRefreshStore`]: sessions in a file. Its documentation has the rules.

mod builder;
mod families;
pub(crate) mod tables;
pub(crate) mod writer;

use std::{fmt, path::Path, sync::Arc};

use portcullis_core::Clock;
use portcullis_issuer::refresh::{
    EndReason, Family, FamilyId, Millis, Opened, Outcome, RefreshStore, Step, StoreError,
};

pub use self::builder::RedbRefreshStoreBuilder;
use self::{tables::Tables, writer::Writer};
use super::surplus::surplus;

/// The sessions of an issuer in a file, for an issuer that runs on one machine. Clones share one store.
///
/// # The rules
///
/// - It is a file of [redb](https://docs.rs/redb) that only this crate writes. It is created at the first use, and only its owner can
///   read it. It says who is logged in, and with which client; it mints no token.
/// - What is acknowledged is on the disk (`fsync`). A refresh that replaces no token writes nothing.
/// - Calls at the same time share one write to the disk.
/// - Only one process at a time can use it. A second one is refused. If two instances run on one machine, even only during a rolling
///   restart, use a store with a server.
/// - It must not be on a network file system, because locks and `fsync` are less reliable there.
/// - The time is that of the process. It need not be right, but if it is set back, sessions live longer by that.
/// - A session that cannot be read, because a later version wrote it, is left out of a list. It cannot be ended here, and a log-out everywhere
///   fails after it has ended all others.
/// - Sessions that are over stay until [`Sessions::forget_ended`](portcullis_issuer::refresh::Sessions::forget_ended) is called. Call it once an hour.
/// - Up to 256 MB of the file are kept in memory ([`cache_bytes`](RedbRefreshStoreBuilder::cache_bytes)).
/// - If the disk is full or read-only, writes fail, and nothing is lost. Once there is space again, they work again.
///
/// # What a crash can lose
///
/// `kill -9` of the service loses nothing. Neither does a power failure, unless the disk (perhaps a virtual one) acknowledges writes
/// before they are durable.
///
/// # Example
///
/// ```
/// use portcullis_issuer::refresh::RefreshStore;
/// use portcullis_store::RedbRefreshStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("sessions.redb");
/// let store = RedbRefreshStore::open(path)?; // such as /var/lib/orders/sessions.redb
/// assert!(store.families_of("alice").await?.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedbRefreshStore {
    pub(crate) writer: Arc<Writer>,
}

/// How many families are forgotten in one transaction: other callers wait for it.
const FORGOTTEN_AT_ONCE: usize = 1000;

impl RedbRefreshStore {
    /// Opens or creates the store in that file. Its folder must exist.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened: another process has it open, it is not such a file, or it may not be written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::builder().open(path)
    }

    /// Opens or creates the store in that file, and reads the time from this clock.
    ///
    /// # Errors
    ///
    /// Like [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, clock: impl Clock) -> Result<Self, StoreError> {
        Self::builder().clock(clock).open(path)
    }

    /// Returns the default settings, to change and then [open](RedbRefreshStoreBuilder::open) a store with.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use portcullis_store::RedbRefreshStore;
    ///
    /// let store = RedbRefreshStore::builder().cache_bytes(1 << 30).open("/var/lib/orders/sessions.redb")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> RedbRefreshStoreBuilder {
        RedbRefreshStoreBuilder::new()
    }
}

impl RefreshStore for RedbRefreshStore {
    async fn now(&self) -> Result<Millis, StoreError> {
        Ok(self.writer.now())
    }

    async fn open(&self, family: Family) -> Result<Opened, StoreError> {
        self.writer.ask(move |tables, _| families::open(tables, &family)).await
    }

    async fn find(&self, family: FamilyId) -> Result<(Option<Family>, Millis), StoreError> {
        self.writer.ask(move |tables, now| families::find(tables, family, now)).await
    }

    async fn rotate(&self, step: Step<'_>) -> Result<Outcome, StoreError> {
        // The job outlives the caller, and so has its own client's name.
        let client_id = step.client_id.to_owned();
        let step = step.by("");
        self.writer.ask(move |tables, now| families::rotate(tables, &step.by(&client_id), now)).await
    }

    async fn end(&self, family: FamilyId, reason: EndReason) -> Result<(), StoreError> {
        self.writer.ask(move |tables, _| families::end(tables, family, reason)).await
    }

    async fn end_all_of(
        &self,
        subject: &str,
        except: Option<FamilyId>,
        reason: EndReason,
    ) -> Result<Vec<FamilyId>, StoreError> {
        let subject = subject.to_owned();
        self.writer.ask(move |tables, now| families::end_all_of(tables, &subject, except, reason, now)).await
    }

    async fn families_of(&self, subject: &str) -> Result<Vec<Family>, StoreError> {
        Ok(self.readable_of(subject).await?.0)
    }

    async fn readable_of(&self, subject: &str) -> Result<(Vec<Family>, usize), StoreError> {
        let subject = subject.to_owned();
        let list = move |tables: &mut Tables<'_>, now| families::live_of(tables, &subject, now);
        let (families, unreadable) = self.writer.ask(list).await?;
        self.writer.unlisted.tell(unreadable);
        Ok((families, unreadable))
    }

    async fn surplus_of(&self, subject: &str, most: usize) -> Result<Vec<FamilyId>, StoreError> {
        let subject = subject.to_owned();
        let live = self.writer.ask(move |tables, now| families::live_beyond(tables, &subject, most, now)).await?;
        Ok(surplus(live, most))
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        let before = before.min(self.writer.now());
        let mut forgotten = 0;
        loop {
            let some = self.writer.ask(move |tables, _| families::forget(tables, before, FORGOTTEN_AT_ONCE)).await?;
            forgotten += some;
            if some < FORGOTTEN_AT_ONCE {
                return Ok(forgotten);
            }
        }
    }
}

/// Shows where the file is.
impl fmt::Debug for RedbRefreshStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbRefreshStore").field("path", &self.writer.path()).finish()
    }
}
