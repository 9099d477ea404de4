//! The handle of the revocations of a service: what applications revoke with.

mod builder;
mod ended;
mod events;
mod feed;
mod health;
mod own;
mod shared_log;
mod upkeep;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_core::{
    AnyVerified, Cursor, Leeway, LogError, Page, Revocation, RevocationEntry, RevocationLog, RevocationView, Revoker,
    ViewState,
};
use tokio::{
    runtime::Handle,
    sync::{Notify, broadcast, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout, timeout_at},
};

pub use self::{
    builder::RevocationsBuilder,
    ended::{EndOfIdentity, Ended},
    events::{Events, RevocationEvent},
    health::RevocationHealth,
};
use self::{health::Status, own::Own, shared_log::SharedLog};
use crate::telemetry;

/// The revocations of a service: follows their log, and revokes.
///
/// Cheap to clone. When the last clone goes, the log is followed no more, and the view of it grows stale: nobody is let in by
/// a view that nobody looks after.
#[derive(Clone)]
pub struct Revocations {
    shared: Arc<Shared>,
    /// Ends with the last clone.
    _task: Arc<JoinSet<()>>,
}

/// What the handle and its task have in common.
struct Shared {
    view: RevocationView,
    log: SharedLog,
    runtime: Handle,
    own: Mutex<Own>,
    status: Mutex<Status>,
    events: broadcast::Sender<RevocationEvent>,
    /// Moves whenever something more is revoked.
    changes: watch::Sender<u64>,
    is_synced: watch::Sender<bool>,
    /// Wakes the task when there is something to append.
    wake: Notify,
}

/// How long it is tried to append, if the log fails; then the caller is told.
const APPEND_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a log may take for one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// How far a cut-off may lie ahead: as far as the largest leeway lets `iat` lie ahead in tokens that are accepted.
const LATEST_CUT_OFF: Duration = Leeway::MAX.as_duration();

/// How many entries are appended at once: by a call that every log answers within the time for an attempt.
const BATCH: usize = 500;

impl Revocations {
    /// Revocations that stand in `log`.
    pub fn builder(log: impl RevocationLog) -> RevocationsBuilder {
        RevocationsBuilder::new(SharedLog::new(log))
    }

    /// Waits until it is known what is revoked: until the log was read to its end for the first time.
    ///
    /// # Errors
    ///
    /// The log's last error, if that is not the case within `timeout`.
    pub async fn require(&self, timeout: Duration) -> Result<(), LogError> {
        let mut is_synced = self.shared.is_synced.subscribe();
        let synced = tokio::time::timeout(timeout, is_synced.wait_for(|is_synced| *is_synced)).await;
        if matches!(synced, Ok(Ok(_))) {
            return Ok(());
        }
        let last_error = self.shared.status().last_error.clone();
        Err(last_error.unwrap_or_else(|| {
            LogError::unavailable(format!(
                "the log of revocations was not read to its end within {} s",
                timeout.as_secs_f32()
            ))
        }))
    }

    /// Revokes.
    ///
    /// It holds on this instance at once, and is durable in the log when this returns. The other instances enforce it as soon as they have
    /// read it. To revoke the same again changes nothing, and appends nothing. A cut-off has to be now or before, but for five minutes by
    /// which clocks may differ. A caller that goes away meanwhile interrupts nothing.
    ///
    /// # Errors
    ///
    /// [`Refused`](portcullis_core::LogErrorKind::Refused) if it would have no effect, or a cut-off lies further ahead. Nothing is revoked
    /// then.
    ///
    /// The log's, if it could not be written for 5 s. It may then hold everywhere or on this instance only, which goes on trying for as
    /// long as it lives: try again, or alarm somebody.
    pub async fn revoke(&self, revocation: Revocation) -> Result<(), LogError> {
        self.revoke_all([revocation]).await
    }

    /// Revokes several things: in few writes, 500 in each.
    ///
    /// # Errors
    ///
    /// As for [`revoke`](Self::revoke); all of them hold on this instance, and some may hold everywhere.
    pub async fn revoke_all(&self, revocations: impl IntoIterator<Item = Revocation> + Send) -> Result<(), LogError> {
        let view = &self.shared.view;
        let mut entries: Vec<_> = revocations.into_iter().map(|revocation| view.entry(&revocation)).collect();
        let latest = view.now().plus(LATEST_CUT_OFF);
        if entries.iter().any(|entry| entry.revocation().cut_off().is_some_and(|cut_off| cut_off > latest)) {
            return Err(LogError::refused(
                "a cut-off lies ahead: it would be forgotten before the tokens that it is to hit have expired; revoke up to now, and \
                 again later",
            ));
        }
        if let Some(problem) = entries.iter().find_map(|entry| view.problem_with(entry.revocation())) {
            return Err(LogError::refused(problem));
        }
        // What all know already grows no log, however often somebody asks for it.
        entries.retain(|entry| !view.has(entry) || self.shared.own().is_at_risk(entry));
        if entries.is_empty() {
            return Ok(());
        }
        self.shared.take(&entries);
        self.shared.own().add(&entries);
        let shared = Arc::clone(&self.shared);
        let mut task = JoinSet::new();
        // In a task of its own, and detached: whoever asked may be gone, and with them the request that this stands in.
        task.spawn_on(async move { shared.append(&entries).await }, &self.shared.runtime);
        let outcome = Detached(task).join().await;
        outcome.unwrap_or_else(|| Err(LogError::unavailable("the log of revocations was given up")))
    }

    /// What is revoked, a page at a time, as it stands in the log: from the beginning, or after the page that ended at that cursor, until a
    /// page [is the last](Page::is_last). The same may stand there several times; a page may be empty, because what is past
    /// remembering is left out.
    ///
    /// # Errors
    ///
    /// The log's.
    pub async fn list(&self, after: Option<&Cursor>) -> Result<Page, LogError> {
        let read = timeout(ATTEMPT_TIMEOUT, self.shared.log.read(after.copied(), Duration::ZERO)).await;
        let mut page = read.unwrap_or_else(|_| Err(too_slow()))?;
        let now = self.shared.view.now();
        page.entries.retain(|entry| entry.until() > now && !own::is_canary(entry));
        Ok(page)
    }

    /// What is revoked from now on, on whatever instance: from the moment on at which the log was read to its end for the first time.
    pub fn events(&self) -> Events {
        Events::new(self.shared.events.subscribe())
    }

    /// When an identity ends: a future for handlers that last long (WebSockets, server-sent events). It resolves when the token expires or
    /// is revoked, at once if that is so already.
    pub fn end_of(&self, verified: impl Into<AnyVerified>) -> EndOfIdentity {
        EndOfIdentity::new(Arc::clone(&self.shared), verified.into())
    }

    /// The view that requests are checked against.
    pub fn view(&self) -> &RevocationView {
        &self.shared.view
    }

    /// How it is doing, for readiness probes and dashboards.
    pub fn health(&self) -> RevocationHealth {
        RevocationHealth::of(&self.shared)
    }
}

impl Revoker for Revocations {
    async fn revoke_all(&self, revocations: Vec<Revocation>) -> Result<(), LogError> {
        Self::revoke_all(self, revocations).await
    }

    async fn list(&self, after: Option<&Cursor>) -> Result<Page, LogError> {
        Self::list(self, after).await
    }
}

impl From<&Revocations> for RevocationView {
    fn from(revocations: &Revocations) -> Self {
        revocations.shared.view.clone()
    }
}

/// A task that goes on when nobody waits for it any more.
struct Detached(JoinSet<Result<(), LogError>>);

impl Detached {
    async fn join(mut self) -> Option<Result<(), LogError>> {
        self.0.join_next().await.and_then(Result::ok)
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        self.0.detach_all();
    }
}

impl Shared {
    /// Takes entries in, and tells whoever wants to know about those that are new.
    fn take(&self, entries: &[RevocationEntry]) {
        let entries = entries.iter().filter(|entry| !own::is_canary(entry));
        // What comes before the end of the log is no news.
        let changes = if self.events.receiver_count() == 0 || !*self.is_synced.borrow() {
            self.view.merge(entries)
        } else {
            let news = entries.filter(|entry| self.view.merge([*entry]) > 0);
            // Nobody may be left to hear it: that is no error.
            news.inspect(|entry| drop(self.events.send(RevocationEvent::Revoked((*entry).clone())))).count()
        };
        if changes > 0 {
            self.changes.send_modify(|change| *change = change.wrapping_add(1));
        }
    }

    /// Appends, and tries again for a while.
    async fn append(&self, entries: &[RevocationEntry]) -> Result<(), LogError> {
        let outcome = self.append_until(entries, Instant::now() + APPEND_TIMEOUT).await;
        telemetry::revoked(entries, outcome.as_ref().copied());
        if outcome.is_err() {
            self.wake.notify_one();
        }
        outcome
    }

    async fn append_until(&self, entries: &[RevocationEntry], deadline: Instant) -> Result<(), LogError> {
        for batch in entries.chunks(BATCH) {
            let mut failures = 0;
            loop {
                let outcome = timeout_at(deadline, self.log.append(batch.into())).await;
                let Err(error) = outcome.unwrap_or_else(|_| Err(too_slow())) else { break };
                failures += 1;
                let pause = feed::back_off(failures);
                if Instant::now() + pause >= deadline {
                    self.own().failed(entries);
                    return Err(error);
                }
                sleep(pause).await;
            }
            self.own().acknowledged(batch);
        }
        Ok(())
    }

    fn own(&self) -> MutexGuard<'_, Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_slow() -> LogError {
    LogError::unavailable(format!("the log of revocations did not answer within {} s", ATTEMPT_TIMEOUT.as_secs()))
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations")
            .field("view", &self.shared.view)
            .field("log", &self.shared.log)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_stale = matches!(self.view.state(), ViewState::Stale { .. });
        f.debug_struct("Shared").field("view", &self.view).field("is_stale", &is_stale).finish_non_exhaustive()
    }
}
