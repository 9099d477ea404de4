//! `ViewWriter`: what the follower of a log does to a view.

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

/// The one writer to a [`RevocationView`]; for the follower of a log of revocations.
///
/// It [merges](Self::merge) the entries of the log into the view, and [confirms](Self::confirm) the view whenever the log has nothing newer.
/// A view that is confirmed by code that does not know this lets revoked tokens in, so the writer stays with the code that follows the log
/// and cannot be cloned; everything else gets the [view](Self::view). `Revocations` of the crate `portcullis-store` is that code for every log.
///
/// Dropping the writer [ends](Self::end) the view. An example stands at [`RevocationView`].
pub struct ViewWriter(RevocationView);

impl ViewWriter {
    /// Returns the settings of a view for tokens that live no longer than `horizon`.
    pub fn builder(horizon: Duration) -> ViewWriterBuilder {
        ViewWriterBuilder::new(horizon)
    }

    pub(super) fn new(settings: ViewWriterBuilder) -> Self {
        Self(RevocationView::new(settings))
    }

    /// Returns the view that this writes to: what requests are checked against. Clone it for whatever asks.
    pub fn view(&self) -> &RevocationView {
        &self.0
    }

    /// Takes entries in. Those that the view had, or that are past remembering, change nothing. Returns how many of them revoke a token more.
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
        batch.len() // and it is published: a request that still sees the old epoch has asked before these entries came
    }

    /// Returns the present moment on both clocks, for [`confirm`](Self::confirm): to be taken down before a log is asked for what is new.
    pub fn ask(&self) -> Asked {
        let clock = self.clock();
        Asked { uptime: clock.uptime(), calendar: clock.now() }
    }

    /// Says that the log had nothing newer when it was asked: when the question was **sent**, not when the answer came.
    pub fn confirm(&self, asked: Asked) {
        self.0.0.signs.confirmation.confirm(asked);
    }

    /// Whether entries were forgotten, or not taken in, while the wall clock was wrongly ahead. Such a view is not fresh. The task that
    /// follows the log then calls [`begin_anew`](Self::begin_anew), and reads the log from its beginning.
    pub fn has_forgotten_too_much(&self) -> bool {
        self.0.0.has_forgotten_too_much(self.0.now())
    }

    /// Takes back that the log has confirmed this view. (What is revoked stays so.)
    pub fn begin_anew(&self) {
        self.0.0.signs.confirmation.withdraw();
        self.0.0.signs.forgotten_by.store(0, Ordering::Release);
    }

    /// Says that no task follows the log any more, and none will: once the view is stale it admits no token, whatever a route's
    /// [`WhenStale`](crate::revocation::WhenStale) says. A view that cannot become fresh again must not be served as one that may at any moment.
    ///
    /// Dropping the writer does the same; this is for a task that follows the log and ends while others still hold the writer.
    pub fn end(&self) {
        self.0.0.has_ended.store(true, Ordering::Release);
    }

    /// Forgets a part of what needs no remembering any more; to be called every second or so. A call takes a two hundred and fifty-sixth of all
    /// entries, so that no request waits for long.
    pub fn forget_some(&self) {
        let inner = &*self.0.0;
        let now = self.forget_by();
        let turn = inner.turn.fetch_add(1, Ordering::Relaxed);
        inner.ladder.forget(turn, now);
    }

    /// Returns the entry that a log has to keep for a revocation that is made now.
    pub fn entry(&self, revocation: &Revocation) -> RevocationEntry {
        self.entry_at(revocation, self.0.now())
    }

    /// Returns the entry that a log has to keep for a revocation that is made when the calendar shows `now`: for a writer that knows the time
    /// better than this machine.
    pub fn entry_at(&self, revocation: &Revocation, now: UnixTime) -> RevocationEntry {
        revocation.entry(now, self.0.horizon())
    }

    /// Returns entries for revoked keys that the log would forget within half a horizon: to be appended once more, because keys are revoked for
    /// good.
    pub fn keys_to_renew(&self) -> Vec<RevocationEntry> {
        let (now, horizon) = (self.0.now(), self.0.horizon());
        self.0.0.ladder.few().keys_to_renew(now.plus(horizon / 2), now, horizon)
    }

    /// Returns what the calendar shows, unless it has jumped ahead a moment ago: by which time entries are forgotten.
    pub fn trusted_now(&self) -> UnixTime {
        let (now, uptime) = (self.clock().now(), self.clock().uptime());
        self.0.0.forgetting.lock().unwrap_or_else(PoisonError::into_inner).now(now, uptime)
    }

    /// Returns what the calendar shows as finely as the [`Clock`] knows it.
    pub fn precise_now(&self) -> Duration {
        self.clock().precise_now()
    }

    /// By which time entries can go, noted.
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
