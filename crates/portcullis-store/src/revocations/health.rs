//! [`RevocationHealth`]: the state of revocations.

use std::time::Duration;

use portcullis_core::revocation::{LogError, RevocationView, ViewState};

/// The state of revocations: data for a readiness probe, a dashboard and an alarm.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RevocationHealth {
    /// Whether the view is fresh.
    pub state: ViewState,
    /// How long ago the log confirmed the view.
    pub age: Option<Duration>,
    /// How many entries the view has.
    pub entries: usize,
    /// Whether there are more than `max_entries`: raise the limit or the memory, or revoke subjects instead of tokens.
    pub is_too_full: bool,
    /// How long the latest canary of any instance, or the latest revocation of this one, took until this instance had
    /// read it. `None` before the first one.
    ///
    /// Entries of this instance are measured with its own clock. A canary of another instance has the time of that
    /// instance's wall clock. The difference between the two clocks is estimated from the fastest canaries of the last
    /// five to ten minutes: it is the time by which the other instance's fastest canary seems to have taken longer than
    /// this instance's.
    pub lag: Option<Duration>,
    /// The same, for the latest canary of another instance.
    pub lag_of_others: Option<Duration>,
    /// Whether a task follows the log. `false` once the last handle was dropped, or the runtime has ended: the view
    /// then becomes stale for good, and admits no token.
    pub is_followed: bool,
    /// How often the log had to be read again from its beginning.
    pub restarts: u64,
    /// How many items in the log were not readable entries.
    pub unreadable: u64,
    /// How many requests were admitted although the view was stale.
    pub served_stale: u64,
    /// How many revocations of this instance the log has not acknowledged; the instance keeps trying. New ones are
    /// refused at 100 000.
    pub unacknowledged: usize,
    /// What an operator should know about the durability of the log.
    pub warnings: Vec<String>,
    /// Why the log could not be read; `None` if the last read succeeded.
    pub last_error: Option<LogError>,
}

/// What the task has observed.
#[derive(Debug, Default)]
pub(super) struct Status {
    pub(super) lag: Option<Duration>,
    pub(super) lag_of_others: Option<Duration>,
    pub(super) unacknowledged: usize,
    pub(super) restarts: u64,
    pub(super) unreadable: u64,
    pub(super) warnings: Vec<String>,
    pub(super) last_error: Option<LogError>,
}

impl RevocationHealth {
    pub(super) fn of(view: &RevocationView, status: &Status) -> Self {
        Self {
            state: view.state(),
            age: view.last_confirmed(),
            entries: view.entries(),
            is_too_full: view.is_too_full(),
            lag: status.lag,
            lag_of_others: status.lag_of_others,
            is_followed: view.is_followed(),
            restarts: status.restarts,
            unreadable: status.unreadable,
            served_stale: view.served_stale(),
            unacknowledged: status.unacknowledged,
            warnings: status.warnings.clone(),
            last_error: status.last_error.clone(),
        }
    }

    /// Whether the log has been read to its end since the start, so that all revocations are known: the condition for a
    /// readiness probe.
    ///
    /// It stays `true` while the log cannot be reached. Each route decides whether requests are then served
    /// ([`WhenStale`](portcullis_core::revocation::WhenStale)), and taking the instance out of service would not help.
    /// Set an alarm on [`state`](Self::state).
    pub fn is_ready(&self) -> bool {
        self.state != ViewState::Syncing
    }
}
