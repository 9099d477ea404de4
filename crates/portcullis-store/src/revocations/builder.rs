//! [`RevocationsBuilder`]: the settings for following a log.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use portcullis_core::{
    Clock, ConfigError,
    revocation::{LongLived, ViewWriter, ViewWriterBuilder},
};
use tokio::{
    runtime::Handle,
    sync::{Notify, broadcast, watch},
    task::JoinSet,
};

use super::{Revocations, canary, feed::Feed, shared::Shared, shared_log::SharedLog, writer};

/// The settings of [`Revocations`]; created by [`Revocations::builder`].
#[derive(Debug)]
#[must_use = "nothing is followed before `start`"]
pub struct RevocationsBuilder {
    log: SharedLog,
    view: ViewWriterBuilder,
    max_staleness: Duration,
    canary: Duration,
}

impl RevocationsBuilder {
    pub(super) fn new(log: SharedLog) -> Self {
        let view = ViewWriter::builder(log.horizon());
        let max_staleness = ViewWriterBuilder::DEFAULT_MAX_STALENESS;
        Self { log, view, max_staleness, canary: DEFAULT_CANARY }
    }

    /// Sets how long the view may be unconfirmed by the log before it is stale: three seconds to an hour. Defaults to 5
    /// s.
    ///
    /// With a longer time, an outage of the log is noticed later, and so is a revocation that is made during it.
    pub fn max_staleness(mut self, max_staleness: Duration) -> Self {
        self.max_staleness = max_staleness;
        self.view = self.view.max_staleness(max_staleness);
        self
    }

    /// Sets the number of entries above which the view reports that it is too full. No entry is dropped because of
    /// this. Defaults to ten million.
    pub fn max_entries(mut self, max_entries: usize) -> Self {
        self.view = self.view.max_entries(max_entries);
        self
    }

    /// Sets what happens to tokens that may live longer than the log's horizon. Defaults to refusing them.
    pub fn long_lived(mut self, long_lived: LongLived) -> Self {
        self.view = self.view.long_lived(long_lived);
        self
    }

    /// Accepts tokens without `iat`; see [`ViewWriterBuilder::danger_accept_without_issued_at`] for the weaker
    /// guarantee.
    pub fn danger_accept_without_issued_at(mut self) -> Self {
        self.view = self.view.danger_accept_without_issued_at();
        self
    }

    /// Sets after how long without a canary this instance writes one: a second to an hour, or zero for never. A canary
    /// is an entry that revokes nothing. With canaries each instance measures how long it takes until it has read an
    /// entry ([`RevocationHealth::lag`](crate::RevocationHealth::lag)).
    ///
    /// Defaults to a second: about one canary a second for all instances on one log together. This adds 86 400 small
    /// entries a day to a log that forgets by age alone (Redis, NATS). Set a longer interval for fewer.
    pub fn canary(mut self, interval: Duration) -> Self {
        self.canary = interval;
        self
    }

    /// Reads wall clock and uptime from `clock`. Defaults to [`SystemClock`](portcullis_core::clock::SystemClock).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.view = self.view.clock(clock);
        self
    }

    /// Starts the task that follows the log. Call it within a tokio runtime. No token is admitted before the log has
    /// been read to its end (except with [`WhenStale::DangerFailOpen`](portcullis_core::revocation::WhenStale)); to
    /// wait for this, see [`Revocations::require`].
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the settings, at once. A log that cannot be reached is not such an error.
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
        if self.log.horizon() > LONGEST_HORIZON {
            problems.push("the log's horizon is longer than ten years: set the longest life of a token".to_owned());
        }
        if self.canary > Duration::ZERO && !(SHORTEST_CANARY..=LONGEST_CANARY).contains(&self.canary) {
            let canary = self.canary.as_secs_f32();
            problems.push(format!("the interval of canaries is {canary} s: set a second to an hour, or zero for none"));
        }
        let runtime = Handle::try_current().map_err(|_| problems.push(NO_RUNTIME.to_owned())).ok();
        ConfigError::check(problems)?;
        let runtime = runtime.ok_or_else(|| ConfigError::new(NO_RUNTIME))?;
        Ok(self.start_on(&runtime))
    }

    fn start_on(self, runtime: &Handle) -> Revocations {
        let shared = Arc::new(Shared {
            view_writer: self.view.build(),
            log: self.log,
            runtime: runtime.clone(),
            own: Mutex::default(),
            lag: Mutex::default(),
            status: Arc::default(),
            events: broadcast::Sender::new(EVENTS),
            changes: watch::Sender::new(0),
            is_synced: watch::Sender::new(false),
            wake: Notify::new(),
        });
        let mut task = JoinSet::new();
        task.spawn_on(Feed::new(Arc::clone(&shared)).run(), runtime);
        task.spawn_on(writer::run(Arc::clone(&shared)), runtime);
        if self.canary > Duration::ZERO {
            task.spawn_on(canary::run(Arc::clone(&shared), self.canary), runtime);
        }
        Revocations { shared, _tasks: Arc::new(task) }
    }
}

const NO_RUNTIME: &str = "there is no tokio runtime here: call `start` in an async function that one runs";

/// A log is asked to wait for a second, and its answer counts from the time of the request: the view of a healthy log
/// is up to two seconds old, and a little more.
const SHORTEST_STALENESS: Duration = Duration::from_secs(3);

const LONGEST_STALENESS: Duration = Duration::from_secs(3600);

const SHORTEST_HORIZON: Duration = Duration::from_secs(60);

/// Longer than the life of any token. `Duration::MAX` is a mistake: such a log would never forget.
const LONGEST_HORIZON: Duration = Duration::from_secs(3653 * 86_400);

const SHORTEST_CANARY: Duration = Duration::from_secs(1);

const LONGEST_CANARY: Duration = Duration::from_secs(3600);

/// The same interval in which the view is confirmed.
const DEFAULT_CANARY: Duration = Duration::from_secs(1);

/// How many events are buffered for a slow receiver before it is told that it missed some.
const EVENTS: usize = 1024;
