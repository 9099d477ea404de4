//! [`Shared`]: what the handle and its tasks share.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use portcullis_core::revocation::{LogError, RevocationEntry, RevocationView, ViewState, ViewWriter};
use tokio::{
    runtime::Handle,
    sync::{Notify, broadcast, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout_at},
};

use super::{
    APPEND_TIMEOUT, ATTEMPT_TIMEOUT, BATCH, RevocationEvent,
    canary::is_canary,
    feed::back_off,
    health::Status,
    lag::Lag,
    own::{AppendId, Own},
    shared_log::SharedLog,
    too_slow,
};
use crate::telemetry;

pub(super) struct Shared {
    /// Writes to the view. Only the code here and its tasks have it; other code only gets the view.
    pub(super) view_writer: ViewWriter,
    pub(super) log: SharedLog,
    pub(super) runtime: Handle,
    pub(super) own: Mutex<Own>,
    pub(super) lag: Mutex<Lag>,
    /// A gauge may keep this alive after everything else.
    pub(super) status: Arc<Mutex<Status>>,
    pub(super) events: broadcast::Sender<RevocationEvent>,
    /// Changes whenever more is revoked.
    pub(super) changes: watch::Sender<u64>,
    pub(super) is_synced: watch::Sender<bool>,
    /// Wakes the writer.
    pub(super) wake: Notify,
}

impl Shared {
    pub(super) fn view(&self) -> &RevocationView {
        self.view_writer.view()
    }

    /// Adds entries to the view, and sends events about the new ones.
    pub(super) fn apply(&self, entries: &[RevocationEntry]) {
        let entries = entries.iter().filter(|entry| !is_canary(entry));
        // Entries before the end of the log are not news.
        let changes = if self.events.receiver_count() == 0 || !*self.is_synced.borrow() {
            self.view_writer.merge(entries)
        } else {
            let news = entries.filter(|entry| self.view_writer.merge([*entry]) > 0);
            // There may be no receiver left: this is not an error.
            news.inspect(|entry| drop(self.events.send(RevocationEvent::Revoked((*entry).clone())))).count()
        };
        if changes > 0 {
            self.changes.send_modify(|change| *change = change.wrapping_add(1));
        }
    }

    /// Records what a caller revokes. Returns what has to be appended: everything that the log is not known to contain,
    /// according to a fresh view.
    pub(super) fn begin(&self, entries: &[RevocationEntry]) -> Result<(AppendId, Vec<RevocationEntry>), LogError> {
        let (id, mut to_append) = (self.own().next_append(), Vec::new());
        // In parts, so that the task that reads need not wait.
        for batch in entries.chunks(BATCH) {
            let is_fresh = self.view().state() == ViewState::Fresh;
            let begun = self.own().begin(id, batch, is_fresh);
            match begun {
                Ok(more) => to_append.extend(more),
                Err(error) => {
                    self.give_up(id, &to_append);
                    telemetry::not_kept(entries, &error);
                    return Err(error);
                }
            }
        }
        Ok((id, to_append))
    }

    /// Appends, and retries for a while. What could not be appended by then is left to the writer.
    pub(super) async fn append(&self, id: AppendId, entries: &[RevocationEntry]) -> Result<(), LogError> {
        let deadline = Instant::now() + APPEND_TIMEOUT;
        let mut outcome = Ok(());
        let mut left = entries;
        while outcome.is_ok() && !left.is_empty() {
            let (batch, rest) = left.split_at(left.len().min(BATCH));
            outcome = self.append_batch(id, batch, deadline).await;
            left = if outcome.is_ok() { rest } else { left };
        }
        self.give_up(id, left);
        telemetry::revoked(entries, outcome.as_ref().copied());
        outcome
    }

    async fn append_batch(&self, id: AppendId, batch: &[RevocationEntry], deadline: Instant) -> Result<(), LogError> {
        let mut failures = 0;
        loop {
            let outcome = timeout_at(deadline, self.attempt(batch)).await;
            let Err(error) = outcome.unwrap_or_else(|_| Err(too_slow())) else { break };
            failures += 1;
            let pause = back_off(failures);
            if Instant::now() + pause >= deadline {
                return Err(error);
            }
            sleep(pause).await;
        }
        self.own().acknowledged(id, batch);
        Ok(())
    }

    /// Appends once. A panic in the log's code counts as a failure.
    pub(super) async fn attempt(&self, batch: &[RevocationEntry]) -> Result<(), LogError> {
        let deadline = Instant::now() + ATTEMPT_TIMEOUT;
        let mut task = JoinSet::new();
        task.spawn_on(self.log.append(batch.into()), &self.runtime);
        match timeout_at(deadline, task.join_next()).await {
            Ok(Some(Ok(outcome))) => outcome,
            Ok(_) => Err(LogError::unavailable("the implementation of the log panicked")),
            Err(_) => Err(too_slow()),
        }
    }

    /// Records for a gauge what only the tasks know.
    pub(super) fn note_numbers(&self) {
        let unacknowledged = self.own().unacknowledged();
        let (lag, lag_of_others) = {
            let lag = self.lag();
            (lag.latest(), lag.latest_of_others())
        };
        let mut status = self.status();
        (status.lag, status.lag_of_others, status.unacknowledged) = (lag, lag_of_others, unacknowledged);
    }

    fn give_up(&self, id: AppendId, entries: &[RevocationEntry]) {
        for batch in entries.chunks(BATCH) {
            self.own().failed(id, batch);
        }
        if !entries.is_empty() {
            self.wake.notify_one();
        }
    }

    pub(super) fn own(&self) -> MutexGuard<'_, Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lag(&self) -> MutexGuard<'_, Lag> {
        self.lag.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.note_numbers();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_stale = matches!(self.view().state(), ViewState::Stale { .. });
        f.debug_struct("Shared").field("view", self.view()).field("is_stale", &is_stale).finish_non_exhaustive()
    }
}
