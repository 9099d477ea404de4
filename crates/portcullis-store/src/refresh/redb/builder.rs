//! [`RedbRefreshStoreBuilder`]: the settings of a store in a file.

use std::{fmt, path::Path, sync::Arc};

use portcullis_core::{Clock, clock::SystemClock};
use portcullis_issuer::refresh::StoreError;

use super::{RedbRefreshStore, writer::Writer};

/// How much of the file is kept in memory at most, in bytes.
const CACHE: usize = 256 * 1024 * 1024;

/// The least that is useful: the upper levels of the trees, and what one transaction writes.
const LEAST_CACHE: usize = 4 * 1024 * 1024;

/// The settings with which a [`RedbRefreshStore`] is opened. [`RedbRefreshStore::builder`] returns the defaults.
#[derive(Clone)]
pub struct RedbRefreshStoreBuilder {
    clock: Arc<dyn Clock>,
    cache: usize,
}

impl RedbRefreshStoreBuilder {
    pub(super) fn new() -> Self {
        Self { clock: Arc::new(SystemClock), cache: CACHE }
    }

    /// Sets the clock. Defaults to [`SystemClock`].
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Sets how many bytes of the file are kept in memory at most. A small file takes less.
    ///
    /// Defaults to 256 MB. A session takes about 1.1 kB in the file. Steps are fastest while all of it is kept in memory; what is not is read
    /// from the system's cache, or from the disk. At least 4 MB are used.
    #[must_use]
    pub fn cache_bytes(self, bytes: usize) -> Self {
        Self { cache: bytes.max(LEAST_CACHE), ..self }
    }

    /// Opens or creates the store in that file. Its folder must exist.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened: another process has it open, it is not such a file, or it may not be written.
    pub fn open(self, path: impl AsRef<Path>) -> Result<RedbRefreshStore, StoreError> {
        Ok(RedbRefreshStore { writer: Arc::new(Writer::start(path.as_ref(), self.clock, self.cache)?) })
    }
}

impl fmt::Debug for RedbRefreshStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbRefreshStoreBuilder").field("cache_bytes", &self.cache).finish_non_exhaustive()
    }
}
