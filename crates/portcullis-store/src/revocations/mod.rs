//! The handle of the revocations of a service: what applications revoke with.

mod builder;
mod canary;
mod ended;
mod events;
mod feed;
mod gauge;
mod health;
mod in_log;
mod kept;
mod lag;
mod outdated;
mod own;
mod shared;
mod shared_log;
mod writer;

use std::{fmt, sync::Arc, time::Duration};

use portcullis_core::{
    policy::Leeway,
    revocation::{Cursor, LogError, Page, Revocation, RevocationEntry, RevocationLog, RevocationView, Revoker},
    verified::AnyVerified,
};
use tokio::{task::JoinSet, time::timeout};

pub use self::{
    builder::RevocationsBuilder,
    ended::{EndOfIdentity, Ended},
    events::{Events, RevocationEvent},
    gauge::RevocationGauge,
    health::RevocationHealth,
};
use self::{shared::Shared, shared_log::SharedLog};

/// The revocations of a service: follows their log, and revokes.
///
/// Cheap to clone. Dropping the last clone stops the tasks that follow the log; the view then goes stale, and a stale view that is no longer
/// followed admits no token, whatever a route's [`WhenStale`](portcullis_core::revocation::WhenStale) says. A [`gauge`](Self::gauge) keeps reporting.
#[derive(Clone)]
pub struct Revocations {
    shared: Arc<Shared>,
    /// End with the last clone.
    _tasks: Arc<JoinSet<()>>,
}

/// How long to keep retrying an append; then the caller gets the log's error.
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
    /// It holds on this instance at once, and is durable in the log when this returns `Ok`. The other instances enforce it as soon as they have
    /// read it. Revoking the same again changes nothing, and appends nothing if the log is known to hold it and the view is fresh. A cut-off has to
    /// be now or before, but for five minutes by which clocks may differ. A caller that goes away meanwhile interrupts nothing.
    ///
    /// # Errors
    ///
    /// - The log's, if it could not be written for 5 s. The revocation may then hold everywhere or on this instance only, which keeps trying for
    ///   as long as it lives: try again, or raise an alert.
    /// - If 100 000 revocations wait for a log that takes none: what is revoked then holds on this instance only, and is not kept for the log.
    /// - [`Refused`](portcullis_core::revocation::LogErrorKind::Refused) if it would have no effect, a cut-off lies further ahead, or its issuer is
    ///   `portcullis:canary`, which is reserved. Nothing is revoked then.
    /// - If this instance's calendar is more than a horizon behind the log's, or behind those of the instances that write canaries: they would
    ///   drop its entries as long past. Nothing is revoked then.
    pub async fn revoke(&self, revocation: Revocation) -> Result<(), LogError> {
        self.revoke_all([revocation]).await
    }

    /// Revokes several things: in few writes, 500 in each; at most 100 000 at once.
    ///
    /// # Errors
    ///
    /// As for [`revoke`](Self::revoke). If the log fails, all of them hold on this instance, and some may hold everywhere.
    pub async fn revoke_all(&self, revocations: impl IntoIterator<Item = Revocation> + Send) -> Result<(), LogError> {
        let entries = self.entries(revocations)?;
        self.shared.take(&entries);
        let shared = Arc::clone(&self.shared);
        let to_append = shared.begin(&entries)?;
        if to_append.is_empty() {
            return Ok(()); // the log has it all
        }
        let mut task = JoinSet::new();
        // In a task of its own, and detached: the caller may drop this future, for example with its request.
        task.spawn_on(async move { shared.append(&to_append).await }, &self.shared.runtime);
        let outcome = Detached(task).join().await;
        outcome.unwrap_or_else(|| Err(LogError::unavailable("the log of revocations was given up")))
    }

    /// The entries for what is revoked now.
    fn entries(&self, revocations: impl IntoIterator<Item = Revocation>) -> Result<Vec<RevocationEntry>, LogError> {
        let (view, now) = (self.shared.view(), self.shared.view().now());
        let behind = self.shared.lag().time_of_log().map_or(Duration::ZERO, |others| others.since(now));
        if behind > view.horizon() {
            return Err(calendar_is_behind(behind));
        }
        // By the calendar that is further on: an entry must not end earlier for the others than it does here.
        let made_at = now.plus(behind);
        let entry = |revocation: Revocation| self.shared.writer.entry_at(&revocation, made_at);
        let entries: Vec<_> = revocations.into_iter().map(entry).collect();
        let latest = made_at.plus(LATEST_CUT_OFF);
        if entries.iter().any(|entry| entry.revocation().cut_off().is_some_and(|cut_off| cut_off > latest)) {
            return Err(LogError::refused(
                "a cut-off lies ahead: it would be forgotten before the tokens that it is to hit have expired; revoke up to now, and \
                 again later",
            ));
        }
        if entries.iter().any(canary::is_canary) {
            return Err(canary::is_reserved());
        }
        if let Some(problem) = entries.iter().find_map(|entry| view.problem_with(entry.revocation())) {
            return Err(LogError::refused(problem));
        }
        Ok(entries)
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
        let now = self.shared.view().now();
        page.entries.retain(|entry| entry.until() > now && !canary::is_canary(entry));
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
        self.shared.view()
    }

    /// How it is doing, for readiness probes and dashboards.
    pub fn health(&self) -> RevocationHealth {
        self.gauge().health()
    }

    /// Returns what reports the health for longer than this handle lives: a dashboard then sees that the log is no longer followed.
    pub fn gauge(&self) -> RevocationGauge {
        RevocationGauge::new(&self.shared)
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
        revocations.view().clone()
    }
}

/// A task that goes on when its caller stops waiting for it.
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

fn calendar_is_behind(behind: Duration) -> LogError {
    LogError::misconfigured(format!(
        "the calendar of this instance is {} s behind that of the log, which is more than the horizon: the other instances would drop what it \
         revokes as long past; set the clock of this machine",
        behind.as_secs()
    ))
}

fn too_slow() -> LogError {
    LogError::unavailable(format!("the log of revocations did not answer within {} s", ATTEMPT_TIMEOUT.as_secs()))
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations")
            .field("view", self.shared.view())
            .field("log", &self.shared.log)
            .finish_non_exhaustive()
    }
}
