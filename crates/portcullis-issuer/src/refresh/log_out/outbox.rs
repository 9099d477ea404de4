//! [`Outbox`]: the log-outs that clients are to be told of.

use std::sync::Arc;

use portcullis_core::{ConfigError, revocation::Revoker};
use tokio::sync::Notify;

use super::notice::Notice;
use crate::{
    StoreError,
    records::{AnyRecords, NewRecord, RecordKey, RecordKind, RecordStore},
    refresh::{EndReason, Family, FamilyId, RefreshStore, Sessions, Subjects},
};

/// The log-outs that clients are to be told of, by session.
#[derive(Clone, Debug)]
pub(in crate::refresh) struct Outbox {
    pub(super) records: Arc<dyn AnyRecords>,
    /// Wakes the worker of this instance.
    pub(super) news: Arc<Notify>,
}

/// Those that wait.
pub(super) const WAITING: &str = "waiting";

/// Those that were told or given up, so that a session that is ended again is not told again.
const TOLD: &str = "told";

impl<S: RefreshStore, R: Revoker, J: Subjects> Sessions<S, R, J> {
    /// Tells clients when a session has ended, at the URI of its log-in ([`LogIn::back_channel_logout_uri`](crate::refresh::LogIn::back_channel_logout_uri)): a notice is kept in
    /// `records` before the session ends, and `LogOutDelivery` delivers it (feature `log-out-delivery`).
    ///
    /// That a session has ended by its time is not told. One that the log of revocations names, whatever has put it there, ends when it is next
    /// refreshed, and its client is told then; to have it told at once, call [`end_revoked`](Self::end_revoked).
    ///
    /// # Errors
    ///
    /// If the sessions are already in use: configure them first.
    pub fn tell_clients(self, records: impl RecordStore) -> Result<Self, ConfigError> {
        self.configure(|inner| inner.outbox = Some(Outbox { records: Arc::new(records), news: Arc::default() }))
    }

    /// Keeps that a client is to be told, if it wants to be, before the session ends.
    pub(in crate::refresh) async fn note_end(&self, session: FamilyId, reason: EndReason) -> Result<(), StoreError> {
        if self.0.outbox.is_none() {
            return Ok(());
        }
        let (family, _) = self.0.store.find(session).await?;
        self.note_ends(family.as_slice(), reason).await
    }

    /// Makes the worker of this instance look at once, after sessions have ended.
    pub(in crate::refresh) fn wake_delivery(&self) {
        if let Some(outbox) = &self.0.outbox {
            outbox.news.notify_one();
        }
    }

    /// Keeps the same for several sessions. Each is noted even if another one failed.
    pub(in crate::refresh) async fn note_ends(&self, families: &[Family], reason: EndReason) -> Result<(), StoreError> {
        let Some(outbox) = &self.0.outbox else { return Ok(()) };
        let mut outcome = Ok(());
        for family in families {
            outcome = outcome.and(outbox.note(family, reason).await);
        }
        outcome
    }
}

impl Outbox {
    async fn note(&self, family: &Family, reason: EndReason) -> Result<(), StoreError> {
        if family.log_in.log_out_at.is_none() {
            return Ok(());
        }
        if self.records.find(&told(family.id)?).await?.is_some() {
            return Ok(());
        }
        let Some(notice) = Notice::of(family, reason, self.records.now().await?) else { return Ok(()) };
        let record = NewRecord::new(notice.to_json()).until(notice.kept_until());
        // Otherwise, it was noted before.
        let _is_new = self.records.swap(&waiting(family.id)?, None, Some(record)).await?;
        Ok(())
    }

    /// Keeps that the client was told, or could not be.
    #[cfg(feature = "log-out-delivery")]
    pub(super) async fn keep_told(&self, session: FamilyId, notice: &Notice) -> Result<(), StoreError> {
        let record = NewRecord::new("").until(notice.forgotten_at);
        let _is_new = self.records.swap(&told(session)?, None, Some(record)).await?;
        Ok(())
    }
}

pub(super) fn waiting(session: FamilyId) -> Result<RecordKey, StoreError> {
    key(WAITING, session)
}

fn told(session: FamilyId) -> Result<RecordKey, StoreError> {
    key(TOLD, session)
}

fn key(group: &str, session: FamilyId) -> Result<RecordKey, StoreError> {
    let key = RecordKey::new(RecordKind::LogOut, group, session.session_id());
    key.map_err(|error| StoreError::new(error.to_string()))
}
