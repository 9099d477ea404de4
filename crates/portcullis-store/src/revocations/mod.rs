//! [`Revocations`]: follows the log of a service, and revokes.

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
/// Cheap to clone. Dropping the last clone stops the tasks that follow the log. The view then becomes stale, and a
/// stale view that is no longer followed admits no token, whatever a route's
/// [`WhenStale`](portcullis_core::revocation::WhenStale) is. A [`gauge`](Self::gauge) still reports.
#[doc(alias = "blacklist")]
#[doc(alias = "blocklist")]
#[doc(alias = "denylist")]
#[doc(alias = "logout")]
#[derive(Clone)]
pub struct Revocations {
    shared: Arc<Shared>,
    /// The tasks end with the last clone.
    _tasks: Arc<JoinSet<()>>,
}

/// How long to keep retrying an append before the caller gets the log's error.
const APPEND_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a log may take for one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// How far a cut-off may be in the future: as far as the largest leeway allows for `iat` in accepted tokens.
const LATEST_CUT_OFF: Duration = Leeway::MAX.as_duration();

/// How many entries are appended at once: few enough for every log to answer within the time for an attempt.
const BATCH: usize = 500;

impl Revocations {
    /// Returns the settings for revocations that are stored in `log`.
    pub fn builder(log: impl RevocationLog) -> RevocationsBuilder {
        RevocationsBuilder::new(SharedLog::new(log))
    }

    /// Waits until all revocations are known: until the log has been read to its end for the first time.
    ///
    /// # Errors
    ///
    /// The log's last error, if this takes longer than `timeout`.
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
    /// The revocation applies on this instance at once, and is durable in the log when this returns `Ok`. The other
    /// instances apply it as soon as they have read it. Revoking the same again changes nothing, and appends nothing if
    /// the log is known to contain it and the view is fresh. A cut-off must not be in the future, except by five
    /// minutes, because clocks may differ. If the caller drops the future, the append continues.
    ///
    /// # Errors
    ///
    /// - The log's error, if it could not be written for 5 s. The revocation may then apply everywhere or only on this
    ///   instance, which keeps trying as long as it runs: try again, or raise an alert.
    /// - If 100 000 revocations wait for a log that does not accept them: this one then applies on this instance only,
    ///   and is not kept for the log.
    /// - [`Refused`](portcullis_core::revocation::LogErrorKind::Refused) if it would have no effect, if a cut-off is
    ///   further in the future, or if its issuer is `portcullis:canary`, which is reserved. Nothing is revoked then.
    /// - If this instance's wall clock is more than a horizon behind the log's, or behind those of the instances that
    ///   write canaries: they would drop its entries as expired. Nothing is revoked then.
    pub async fn revoke(&self, revocation: Revocation) -> Result<(), LogError> {
        self.revoke_all([revocation]).await
    }

    /// Revokes several things, in batches of 500; at most 100 000 at once.
    ///
    /// # Errors
    ///
    /// The same as for [`revoke`](Self::revoke). If the log fails, all of them apply on this instance, and some may
    /// apply everywhere.
    pub async fn revoke_all(&self, revocations: impl IntoIterator<Item = Revocation> + Send) -> Result<(), LogError> {
        let entries = self.entries(revocations)?;
        self.shared.apply(&entries);
        let shared = Arc::clone(&self.shared);
        let (id, to_append) = shared.begin(&entries)?;
        if to_append.is_empty() {
            return Ok(()); // the log has it all
        }
        let mut task = JoinSet::new();
        // In a detached task of its own: the caller may drop this future, for example with its request.
        task.spawn_on(async move { shared.append(id, &to_append).await }, &self.shared.runtime);
        let outcome = Detached(task).join().await;
        outcome.unwrap_or_else(|| Err(LogError::unavailable("the append to the log of revocations was cancelled")))
    }

    /// Returns the entries for revocations that are made now.
    fn entries(&self, revocations: impl IntoIterator<Item = Revocation>) -> Result<Vec<RevocationEntry>, LogError> {
        let (view, now) = (self.shared.view(), self.shared.view().now());
        let behind = self.shared.lag().time_of_log().map_or(Duration::ZERO, |others| others.since(now));
        if behind > view.horizon() {
            return Err(calendar_is_behind(behind));
        }
        // Use the clock that is ahead: an entry must not end earlier for the others than it does here.
        let made_at = now.plus(behind);
        let entry = |revocation: Revocation| self.shared.view_writer.entry_at(&revocation, made_at);
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

    /// Lists the revocations in the log, one page at a time: from the beginning, or after the page with that cursor,
    /// until a page [is the last](Page::is_last). The same revocation may be listed several times. A page may be empty,
    /// because expired entries are left out.
    ///
    /// # Errors
    ///
    /// The log's error.
    pub async fn list(&self, after: Option<&Cursor>) -> Result<Page, LogError> {
        let read = timeout(ATTEMPT_TIMEOUT, self.shared.log.read(after.copied(), Duration::ZERO)).await;
        let mut page = read.unwrap_or_else(|_| Err(too_slow()))?;
        let now = self.shared.view().now();
        page.entries.retain(|entry| entry.until() > now && !canary::is_canary(entry));
        Ok(page)
    }

    /// Returns a receiver of the revocations that any instance makes from now on; before the log has been read to its
    /// end for the first time, it gets none.
    pub fn events(&self) -> Events {
        Events::new(self.shared.events.subscribe())
    }

    /// Returns a future for long-running handlers (WebSockets, server-sent events). It resolves when the token of this
    /// identity expires or is revoked, or at once if it already is. It takes the extractor `Claims` of `portcullis`, or
    /// what is in an `AuthContext`.
    ///
    /// It ends at `exp` exactly. New requests with the same token are still accepted for the leeway (30 s by default)
    /// after that, which makes up for clocks that differ, and does not prolong a stream.
    pub fn end_of(&self, verified: impl Into<AnyVerified>) -> EndOfIdentity {
        EndOfIdentity::new(Arc::clone(&self.shared), verified.into())
    }

    /// Returns the view that requests are checked against.
    pub fn view(&self) -> &RevocationView {
        self.shared.view()
    }

    /// Returns the state of revocations, for readiness probes and dashboards.
    pub fn health(&self) -> RevocationHealth {
        self.gauge().health()
    }

    /// Returns a gauge that reports the health even after this handle is dropped: a dashboard then shows that the log
    /// is no longer followed.
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

    fn view(&self) -> Option<RevocationView> {
        Some(Self::view(self).clone())
    }
}

impl From<&Revocations> for RevocationView {
    fn from(revocations: &Revocations) -> Self {
        revocations.view().clone()
    }
}

/// A task that continues when its caller stops waiting for it.
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
        "the clock of this instance is {} s behind that of the log, which is more than the horizon: the other instances would \
         drop its revocations as expired; set the clock of this machine",
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
