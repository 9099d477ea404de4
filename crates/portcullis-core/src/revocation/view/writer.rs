//! `ViewWriter`: changes a view, for the follower of a log.

use std::{
    fmt,
    sync::{PoisonError, atomic::Ordering},
    time::Duration,
};

use super::{Asked, RevocationView, ViewWriterBuilder};
use crate::{
    Clock, UnixTime,
    revocation::{Revocation, RevocationEntry},
};

/// The only writer of a [`RevocationView`], for the follower of a log of revocations.
///
/// It [merges](Self::merge) the entries of the log into the view, and [confirms](Self::confirm) the view whenever the log has nothing
/// newer. If a view is confirmed without this knowledge, it admits revoked tokens. So the writer stays with the code that follows the log
/// and cannot be cloned; all other code gets the [view](Self::view). `Revocations` of the crate `portcullis-store` is that code for every
/// log.
///
/// Dropping the writer [ends](Self::end) the view. [`RevocationView`] has an example.
pub struct ViewWriter(RevocationView);

impl ViewWriter {
    /// Returns the settings of a view for tokens that live no longer than `horizon`.
    pub fn builder(horizon: Duration) -> ViewWriterBuilder {
        ViewWriterBuilder::new(horizon)
    }

    pub(super) fn new(settings: ViewWriterBuilder) -> Self {
        Self(RevocationView::new(settings))
    }

    /// Returns the view that this writes to, which requests are checked against. Clone it for its users.
    pub fn view(&self) -> &RevocationView {
        &self.0
    }

    /// Merges entries. Those that the view already had, or that have expired, change nothing. Returns how many of them revoke another
    /// token.
    pub fn merge<'e>(&self, entries: impl IntoIterator<Item = &'e RevocationEntry>) -> usize {
        let inner = &*self.0.0;
        let now = self.forget_by();
        let horizon = inner.settings.horizon;
        let mut batch = inner.signs.changes.batch();
        for entry in entries {
            if let Some(mark) = inner.ladder.merge(entry, now, horizon) {
                batch.add(entry.revocation().level(), mark);
            }
        }
        // A request that still sees the old epoch came before these entries.
        batch.publish()
    }

    /// Returns the current time on both clocks, for [`confirm`](Self::confirm): call it before you ask a log for new entries.
    pub fn ask(&self) -> Asked {
        let clock = self.clock();
        Asked { uptime: clock.uptime(), calendar: clock.now() }
    }

    /// Records that the log had nothing newer when it was asked: when the question was **sent**, not when the answer arrived.
    pub fn confirm(&self, asked: Asked) {
        self.0.0.signs.confirmation.confirm(asked);
    }

    /// Whether entries were forgotten, or not merged, while the wall clock was wrongly ahead. Such a view is not fresh. The task that
    /// follows the log then calls [`restart`](Self::restart), and reads the log again from its beginning.
    pub fn has_forgotten_too_much(&self) -> bool {
        self.0.0.has_forgotten_too_much(self.0.now())
    }

    /// Withdraws the log's confirmation of this view, because the log is read again from its beginning. Revocations stay in effect; the view
    /// is not fresh until it is [confirmed](Self::confirm) again.
    pub fn restart(&self) {
        self.0.0.signs.confirmation.withdraw();
        self.0.0.signs.forgotten_by.store(0, Ordering::Release);
    }

    /// Declares that no task will follow the log any more: once the view is stale it admits no token, whatever a route's
    /// [`WhenStale`](crate::revocation::WhenStale) says. A view that cannot become fresh again must not be served like one that may.
    ///
    /// Dropping the writer does the same; this is for a task that ends while other code still owns the writer.
    pub fn end(&self) {
        self.0.0.has_ended.store(true, Ordering::Release);
    }

    /// Forgets some of the expired entries; call it about once a second. Each call goes through one part in 256 of all entries, so that
    /// no request waits for long.
    pub fn forget_some(&self) {
        let inner = &*self.0.0;
        let now = self.forget_by();
        let turn = inner.turn.fetch_add(1, Ordering::Relaxed);
        inner.ladder.forget(turn, now);
    }

    /// Returns the entry that a log has to store for a revocation that is made now.
    pub fn entry(&self, revocation: &Revocation) -> RevocationEntry {
        self.entry_at(revocation, self.0.now())
    }

    /// Returns the entry that a log has to store for a revocation that is made when the wall clock shows `now`: for a writer that knows
    /// the time better than this machine.
    pub fn entry_at(&self, revocation: &Revocation, now: UnixTime) -> RevocationEntry {
        revocation.entry(now, self.0.horizon())
    }

    /// Returns entries for revoked keys that the log would forget within half a horizon. Append them again, because keys are revoked
    /// permanently.
    pub fn keys_to_renew(&self) -> Vec<RevocationEntry> {
        let (now, horizon) = (self.0.now(), self.0.horizon());
        self.0.0.ladder.few().keys_to_renew(now.plus(horizon / 2), now, horizon)
    }

    /// Returns the time of the wall clock, without recent jumps ahead: entries are forgotten by this time.
    pub fn trusted_now(&self) -> UnixTime {
        let (now, uptime) = (self.clock().now(), self.clock().uptime());
        self.0.0.forgetting.lock().unwrap_or_else(PoisonError::into_inner).now(now, uptime)
    }

    /// Returns the time of the wall clock with the full resolution of the [`Clock`].
    pub fn precise_now(&self) -> Duration {
        self.clock().precise_now()
    }

    /// Returns the time by which entries can be forgotten, and records it.
    fn forget_by(&self) -> UnixTime {
        let now = self.trusted_now();
        self.0.0.signs.forgotten_by.fetch_max(now.as_secs(), Ordering::AcqRel);
        now
    }

    fn clock(&self) -> &dyn Clock {
        &*self.0.0.settings.clock
    }
}

impl Drop for ViewWriter {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for ViewWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ViewWriter").field(&self.0).finish()
    }
}

impl From<&ViewWriter> for RevocationView {
    fn from(writer: &ViewWriter) -> Self {
        writer.view().clone()
    }
}
