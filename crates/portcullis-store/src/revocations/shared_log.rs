//! [`SharedLog`]: a log of any type.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use portcullis_core::revocation::{Cursor, LogError, Page, RevocationEntry, RevocationLog};

/// Any [`RevocationLog`], shared.
#[derive(Clone)]
pub(crate) struct SharedLog(Arc<dyn ErasedLog>);

type Pending<T> = Pin<Box<dyn Future<Output = Result<T, LogError>> + Send>>;

/// Its futures borrow nothing, so they can run in their own tasks.
trait ErasedLog: fmt::Debug + Send + Sync {
    fn append(self: Arc<Self>, entries: Arc<[RevocationEntry]>) -> Pending<()>;

    fn read(self: Arc<Self>, after: Option<Cursor>, patience: Duration) -> Pending<Page>;

    fn horizon(&self) -> Duration;

    fn warnings(&self) -> Vec<String>;
}

impl<L: RevocationLog> ErasedLog for L {
    fn append(self: Arc<Self>, entries: Arc<[RevocationEntry]>) -> Pending<()> {
        Box::pin(async move { RevocationLog::append(&*self, &entries).await })
    }

    fn read(self: Arc<Self>, after: Option<Cursor>, patience: Duration) -> Pending<Page> {
        Box::pin(async move { RevocationLog::read(&*self, after.as_ref(), patience).await })
    }

    fn horizon(&self) -> Duration {
        RevocationLog::horizon(self)
    }

    fn warnings(&self) -> Vec<String> {
        RevocationLog::warnings(self)
    }
}

impl SharedLog {
    pub(crate) fn new(log: impl RevocationLog) -> Self {
        Self(Arc::new(log))
    }

    pub(crate) fn append(&self, entries: Arc<[RevocationEntry]>) -> Pending<()> {
        Arc::clone(&self.0).append(entries)
    }

    pub(crate) fn read(&self, after: Option<Cursor>, patience: Duration) -> Pending<Page> {
        Arc::clone(&self.0).read(after, patience)
    }

    pub(crate) fn horizon(&self) -> Duration {
        self.0.horizon()
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        self.0.warnings()
    }
}

impl fmt::Debug for SharedLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
