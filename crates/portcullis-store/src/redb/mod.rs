//! A log in a file. The rules are at [`RedbLog`], where users find them.

mod access;
mod append;
mod connection;
mod error;
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

/// A log in a file, for a service that runs on one machine. Clones are one log. See the [crate](crate) for which log to use.
///
/// # The rules
///
/// - A file of [redb](https://docs.rs/redb), which only this crate writes. It is made with its first use, readable by nobody but
///   its owner: it says who is revoked.
/// - An entry that is acknowledged is on the disk (`fsync`): neither `kill -9` nor a loss of power takes it back, if the disk does what
///   it says.
/// - One process at a time. A second one is refused: if two instances run on one machine, even for the moment of a rolling restart, use a log
///   with a server.
/// - Not on a network file system: its locks and `fsync`s promise less.
/// - What is written at the same time is written together, so that a disk that takes long makes nobody wait for others.
/// - An entry stays for a day longer than it has to, in case that somebody has set the clock wrong.
/// - A disk that is full or read-only makes writes fail, and loses nothing; when there is room again they work again.
///
/// # What survives what
///
/// | | `kill -9` of the service | loss of power |
/// |---|---|---|
/// | a disk that does what it says | loses nothing | loses nothing |
/// | a disk, or a virtual one, that acknowledges before it writes | loses nothing | can lose what came last |
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
    /// Opens the log in that file, or makes it. Its folder has to be there.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened: another process has it open, it is no such file, or may not be written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LogError> {
        Self::open_with(path, SystemClock)
    }

    /// Opens the log in that file, or makes it, and forgets old entries by this clock.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, clock: impl Clock) -> Result<Self, LogError> {
        let connection = Connection::open(path.as_ref(), Arc::new(clock))?;
        Ok(Self { connection: Arc::new(connection), horizon: crate::DEFAULT_HORIZON })
    }

    /// The longest life of a token whose revocation is remembered. Defaults to 24 h.
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
