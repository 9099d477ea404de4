//! [`Killed`]: a store, and a log, that kill their process at some point.

use std::{process, time::Duration};

use portcullis_core::revocation::{Cursor, LogError, Page, Revocation, RevocationEntry, RevocationLog, Revoker};
use portcullis_issuer::refresh::{
    EndReason, Family, FamilyId, Millis, Opened, Outcome, RefreshStore, Step, StoreError,
};
use portcullis_store::Revocations;

/// Where an issuer dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    BeforeStep,
    AfterStep,
    BeforeLog,
    BeforeEnd,
    AfterEnd,
    BeforeAnswer,
}

impl Point {
    pub(crate) const ALL: [Self; 6] =
        [Self::BeforeStep, Self::AfterStep, Self::BeforeLog, Self::BeforeEnd, Self::AfterEnd, Self::BeforeAnswer];
}

/// Kills the process if this is its point: nothing is dropped, and no buffer written.
pub(crate) fn reached(dies_at: Option<Point>, point: Point) {
    if dies_at == Some(point) {
        process::abort();
    }
}

#[derive(Debug)]
pub(crate) struct Killed<T> {
    pub(crate) inner: T,
    pub(crate) dies_at: Option<Point>,
}

impl<S: RefreshStore> RefreshStore for Killed<S> {
    async fn now(&self) -> Result<Millis, StoreError> {
        self.inner.now().await
    }

    async fn open(&self, family: Family) -> Result<Opened, StoreError> {
        self.inner.open(family).await
    }

    async fn find(&self, family: FamilyId) -> Result<(Option<Family>, Millis), StoreError> {
        self.inner.find(family).await
    }

    async fn rotate(&self, step: Step<'_>) -> Result<Outcome, StoreError> {
        reached(self.dies_at, Point::BeforeStep);
        let outcome = self.inner.rotate(step).await;
        reached(self.dies_at, Point::AfterStep);
        outcome
    }

    async fn end(&self, family: FamilyId, reason: EndReason) -> Result<(), StoreError> {
        reached(self.dies_at, Point::BeforeEnd);
        let ended = self.inner.end(family, reason).await;
        reached(self.dies_at, Point::AfterEnd);
        ended
    }

    async fn end_all_of(
        &self,
        subject: &str,
        except: Option<FamilyId>,
        reason: EndReason,
    ) -> Result<Vec<FamilyId>, StoreError> {
        self.inner.end_all_of(subject, except, reason).await
    }

    async fn families_of(&self, subject: &str) -> Result<Vec<Family>, StoreError> {
        self.inner.families_of(subject).await
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        self.inner.forget_before(before).await
    }
}

impl Revoker for Killed<Revocations> {
    async fn revoke_all(&self, revocations: Vec<Revocation>) -> Result<(), LogError> {
        reached(self.dies_at, Point::BeforeLog);
        self.inner.revoke_all(revocations).await
    }

    async fn list(&self, cursor: Option<&Cursor>) -> Result<Page, LogError> {
        self.inner.list(cursor).await
    }
}

/// A log of any type, shared with the test.
#[derive(Debug)]
pub(crate) struct Shared<L>(pub(crate) std::sync::Arc<L>);

impl<L: RevocationLog> RevocationLog for Shared<L> {
    async fn append(&self, entries: &[RevocationEntry]) -> Result<(), LogError> {
        self.0.append(entries).await
    }

    async fn read(&self, after: Option<&Cursor>, patience: Duration) -> Result<Page, LogError> {
        self.0.read(after, patience).await
    }

    fn horizon(&self) -> Duration {
        self.0.horizon()
    }
}
