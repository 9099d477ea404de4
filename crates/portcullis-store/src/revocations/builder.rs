//! What can be set before a log is followed.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use portcullis_core::{Clock, ConfigError, LongLived, RevocationView, RevocationViewBuilder};
use tokio::{
    runtime::Handle,
    sync::{Notify, broadcast, watch},
    task::JoinSet,
};

use super::{Revocations, Shared, feed::Feed, health::Status, own::Own, shared_log::SharedLog};

/// The settings of [`Revocations`]; made by [`Revocations::builder`].
#[derive(Debug)]
#[must_use = "nothing is followed before `start`"]
pub struct RevocationsBuilder {
    log: SharedLog,
    view: RevocationViewBuilder,
    max_staleness: Duration,
    canary: Duration,
}

impl RevocationsBuilder {
    pub(super) fn new(log: SharedLog) -> Self {
        let view = RevocationView::builder(log.horizon());
        let max_staleness = RevocationViewBuilder::DEFAULT_MAX_STALENESS;
        Self { log, view, max_staleness, canary: DEFAULT_CANARY }
    }

    /// How long the view may go unconfirmed by the log before it is stale: three seconds to an hour. Defaults to 5 s.
    ///
    /// Longer means that an outage of the log is noticed later, and that a revocation made during it is, too.
    pub fn max_staleness(mut self, max_staleness: Duration) -> Self {
        self.max_staleness = max_staleness;
        self.view = self.view.max_staleness(max_staleness);
        self
    }

    /// Above how many entries the view reports that it is too full. It never drops one for that. Defaults to ten million.
    pub fn max_entries(mut self, max_entries: usize) -> Self {
        self.view = self.view.max_entries(max_entries);
        self
    }

    /// What to do about tokens that may live longer than the log's horizon. Defaults to refusing them.
    pub fn long_lived(mut self, long_lived: LongLived) -> Self {
        self.view = self.view.long_lived(long_lived);
        self
    }

    /// Accepts tokens without `iat`; see [`RevocationViewBuilder::danger_accept_without_issued_at`] for what is weaker then.
    pub fn danger_accept_without_issued_at(mut self) -> Self {
        self.view = self.view.danger_accept_without_issued_at();
        self
    }

    /// How often an entry that revokes nothing is appended, to measure how long it takes until it is read. Defaults to once a minute;
    /// zero appends none.
    pub fn canary(mut self, interval: Duration) -> Self {
        self.canary = interval;
        self
    }

    /// Reads calendar and uptime from `clock`. Defaults to [`SystemClock`](portcullis_core::SystemClock).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.view = self.view.clock(clock);
        self
    }

    /// Starts the task that follows the log. To be called within a tokio runtime. Nobody is let in before the log was read
    /// to its end (but by [`WhenStale::FailOpen`](portcullis_core::WhenStale)): to wait for that, see [`Revocations::require`].
    ///
    /// # Errors
    ///
    /// All that is wrong with the settings at once. That the log cannot be reached is no such error.
    pub fn start(self) -> Result<Revocations, ConfigError> {
        let mut problems = Vec::new();
        if !(SHORTEST_STALENESS..=LONGEST_STALENESS).contains(&self.max_staleness) {
            let staleness = self.max_staleness.as_secs_f32();
            problems.push(format!(
                "max_staleness is {staleness} s: set 3 s to an hour (the log confirms the view once a second, at best)"
            ));
        }
        if self.log.horizon() < SHORTEST_HORIZON {
            let horizon = self.log.horizon().as_secs_f32();
            problems
                .push(format!("the log's horizon is {horizon} s: set the longest life of a token, at least a minute"));
        }
        let runtime = Handle::try_current().map_err(|_| problems.push(NO_RUNTIME.to_owned())).ok();
        ConfigError::check(problems)?;
        let runtime = runtime.ok_or_else(|| ConfigError::new(NO_RUNTIME))?;
        Ok(self.start_on(&runtime))
    }

    fn start_on(self, runtime: &Handle) -> Revocations {
        let shared = Arc::new(Shared {
            view: self.view.build(),
            log: self.log,
            runtime: runtime.clone(),
            own: Mutex::new(Own::default()),
            status: Mutex::new(Status::default()),
            events: broadcast::Sender::new(EVENTS),
            changes: watch::Sender::new(0),
            is_synced: watch::Sender::new(false),
            wake: Notify::new(),
        });
        let mut task = JoinSet::new();
        task.spawn_on(Feed::new(Arc::clone(&shared), self.canary).run(), runtime);
        Revocations { shared, _task: Arc::new(task) }
    }
}

const NO_RUNTIME: &str = "there is no tokio runtime here: call `start` in an async function that one runs";

/// A log is asked to wait for a second, and its answer counts from when it was asked: the view of a log that is well is up to two seconds
/// old, and a little more.
const SHORTEST_STALENESS: Duration = Duration::from_secs(3);

const LONGEST_STALENESS: Duration = Duration::from_secs(3600);

const SHORTEST_HORIZON: Duration = Duration::from_secs(60);

/// Often enough to see a trend, and one and a half thousand small entries a day.
const DEFAULT_CANARY: Duration = Duration::from_secs(60);

/// How many events wait for a receiver that is slow, before it is told that it missed some.
const EVENTS: usize = 1024;
