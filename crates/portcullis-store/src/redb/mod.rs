//! [`RedbLog`]: a log in a file. Its documentation has the rules.

pub(crate) mod access;
mod append;
mod connection;
pub(crate) mod error;
mod follow;
mod layout;
mod read;
mod survey;

use std::{fmt, path::Path, sync::Arc, time::Duration};

use portcullis_core::{
    Clock,
    clock::SystemClock,
    revocation::{Cursor, LogError, Page, RevocationEntry, RevocationLog},
};

use self::connection::Connection;

/// A log in a file, for a service that runs on one machine. Clones share one log. See the [crate](crate) for which log
/// to use.
///
/// # The rules
///
/// - It is a file of [redb](https://docs.rs/redb) that only this crate writes. It is created at the first use, and only
///   its owner can read it, because it says who is revoked.
/// - An acknowledged entry is on the disk (`fsync`).
/// - Only one process at a time can use it. A second one is refused. If two instances run on one machine, even only
///   during a rolling restart, use a log with a server.
/// - It must not be on a network file system, because locks and `fsync` are less reliable there.
/// - Appends at the same time are written together, so that a slow disk does not make them wait for each other.
/// - An entry stays for a day longer than necessary, in case the clock was set wrong.
/// - If the disk is full or read-only, writes fail, but nothing is lost. Once there is space again, they work again.
///
/// # What a crash can lose
///
/// `kill -9` of the service loses nothing. Neither does a power failure, unless the disk (perhaps a virtual one)
/// acknowledges writes before they are durable; then it can lose the newest entries.
///
/// # Example
///
/// ```
/// use portcullis_store::{RedbLog, Revocations};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("revocations.redb");
/// let log = RedbLog::open(path)?; // such as /var/lib/orders/revocations.redb
/// let revocations = Revocations::builder(log).start()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedbLog {
    connection: Arc<Connection>,
    horizon: Duration,
}

impl RedbLog {
    /// Opens or creates the log in that file. Its folder must exist.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened: another process has it open, it is not such a file, or it may not be written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LogError> {
        Self::open_with(path, SystemClock)
    }

    /// Opens or creates the log in that file, and deletes old entries by this clock.
    ///
    /// # Errors
    ///
    /// Like [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, clock: impl Clock) -> Result<Self, LogError> {
        let connection = Connection::open(path.as_ref(), Arc::new(clock))?;
        Ok(Self { connection: Arc::new(connection), horizon: crate::DEFAULT_HORIZON })
    }

    /// Sets the longest lifetime of tokens whose revocations are remembered. Defaults to 24 hours.
    #[must_use]
    pub fn horizon(self, horizon: Duration) -> Self {
        Self { horizon, ..self }
    }
}

impl RevocationLog for RedbLog {
    async fn append(&self, entries: &[RevocationEntry]) -> Result<(), LogError> {
        self.connection.append(entries).await
    }

    async fn read(&self, after: Option<&Cursor>, patience: Duration) -> Result<Page, LogError> {
        let mut news = self.connection.news();
        let page = self.connection.read(after.copied()).await?;
        if !page.entries.is_empty() || page.unreadable > 0 || page.is_restart || patience.is_zero() {
            return Ok(page);
        }
        news.within(patience).await;
        self.connection.read(after.copied()).await
    }

    fn horizon(&self) -> Duration {
        self.horizon
    }
}

impl fmt::Debug for RedbLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbLog").field("path", &self.connection.path()).field("horizon", &self.horizon).finish()
    }
}
