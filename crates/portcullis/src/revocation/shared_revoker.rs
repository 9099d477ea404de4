//! [`SharedRevoker`]: a revoker of any type.

use std::{fmt, pin::Pin, sync::Arc};

use portcullis_core::revocation::{Cursor, LogError, Page, Revocation, Revoker};

/// Any [`Revoker`], shared.
#[derive(Clone)]
pub(super) struct SharedRevoker(Arc<dyn ErasedRevoker>);

type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, LogError>> + Send + 'a>>;

trait ErasedRevoker: fmt::Debug + Send + Sync {
    fn revoke_all(&self, revocations: Vec<Revocation>) -> Pending<'_, ()>;

    fn list<'a>(&'a self, after: Option<&'a Cursor>) -> Pending<'a, Page>;
}

impl<R: Revoker> ErasedRevoker for R {
    fn revoke_all(&self, revocations: Vec<Revocation>) -> Pending<'_, ()> {
        Box::pin(Revoker::revoke_all(self, revocations))
    }

    fn list<'a>(&'a self, after: Option<&'a Cursor>) -> Pending<'a, Page> {
        Box::pin(Revoker::list(self, after))
    }
}

impl SharedRevoker {
    pub(super) fn new(revoker: impl Revoker) -> Self {
        Self(Arc::new(revoker))
    }

    /// Returns once the revocations are durable.
    pub(super) async fn revoke_all(&self, revocations: Vec<Revocation>) -> Result<(), LogError> {
        self.0.revoke_all(revocations).await
    }

    pub(super) async fn list(&self, after: Option<&Cursor>) -> Result<Page, LogError> {
        self.0.list(after).await
    }
}

impl fmt::Debug for SharedRevoker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
