//! A log in a file, for a service that runs on one machine.
//!
//! The rules:
//!
//! - A file of [redb](https://docs.rs/redb), which only this crate writes. It is made with its first use, readable by nobody but
//!   its owner: it says who is revoked.
//! - An entry that is acknowledged is on the disk (`fsync`): neither `kill -9` nor a loss of power takes it back, if the disk does what
//!   it says.
//! - One process at a time. A second one is refused: if two instances run on one machine, even for the moment of a rolling restart, use a log
//!   with a server.
//! - Not on a network file system: its locks and `fsync`s promise less.
//! - What is written at the same time is written together, so that a disk that takes long makes nobody wait for others.
//! - An entry stays for a day longer than it has to, in case that somebody has set the clock wrong.
//! - A disk that is full or read-only makes writes fail, and loses nothing; when there is room again they work again.

mod connection;
mod layout;

use std::{fmt, path::Path, sync::Arc, time::Duration};

use portcullis_core::{
    Clock,
    clock::SystemClock,
    revocation::{Cursor, LogError, Page, RevocationEntry, RevocationLog},
};
use tokio::{sync::watch, time::timeout};

use self::connection::Writer;

/// A log in a file. Clones are one log.
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
///
/// See the [crate](crate) for which log to use. It survives `kill -9` and loss of power, and only one process can have the file open.
#[derive(Clone)]
pub struct RedbLog {
    writer: Arc<Writer>,
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

    /// The same, forgetting by this clock.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, clock: impl Clock) -> Result<Self, LogError> {
        let writer = Writer::start(path.as_ref(), Arc::new(clock))?;
        Ok(Self { writer: Arc::new(writer), horizon: crate::DEFAULT_HORIZON })
    }

    /// The longest life of a token whose revocation is remembered. Defaults to 24 h.
    #[must_use]
    pub fn horizon(self, horizon: Duration) -> Self {
        Self { horizon, ..self }
    }
}

impl RevocationLog for RedbLog {
    async fn append(&self, entries: &[RevocationEntry]) -> Result<(), LogError> {
        self.writer.append(entries).await
    }

    async fn read(&self, after: Option<&Cursor>, patience: Duration) -> Result<Page, LogError> {
        let mut appended: watch::Receiver<u64> = self.writer.appended();
        let page = self.writer.read(after.copied()).await?;
        if !page.entries.is_empty() || page.unreadable > 0 || page.is_restart || patience.is_zero() {
            return Ok(page);
        }
        let _ = timeout(patience, appended.changed()).await;
        self.writer.read(after.copied()).await
    }

    fn horizon(&self) -> Duration {
        self.horizon
    }
}

impl fmt::Debug for RedbLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbLog").field("path", &self.writer.path()).field("horizon", &self.horizon).finish()
    }
}
