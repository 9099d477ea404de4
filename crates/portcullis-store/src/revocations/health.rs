//! How revocations are doing.

use std::time::Duration;

use portcullis_core::revocation::{LogError, RevocationView, ViewState};

/// How revocations are doing: data for a readiness probe, a dashboard and an alarm.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RevocationHealth {
    /// How sure the view is.
    pub state: ViewState,
    /// How long ago the log confirmed it.
    pub age: Option<Duration>,
    /// How many entries the view has.
    pub entries: usize,
    /// Whether these are more than `max_entries`: raise the limit or the memory, or revoke subjects where you revoke tokens.
    pub is_too_full: bool,
    /// How long the latest canary of any instance, or the latest revocation of this one, took until this instance had read it. `None` before
    /// the first.
    ///
    /// What this instance has appended is measured by its own clock. A canary of another instance bears the time of that one's calendar; what
    /// the quickest of its canaries of the last five to ten minutes seem to have taken beyond the quickest of this instance is taken for the
    /// difference of the two calendars.
    pub lag: Option<Duration>,
    /// The same, of the latest canary of another instance.
    pub lag_of_others: Option<Duration>,
    /// Whether a task follows the log. `false` once the last handle was dropped, or the runtime has ended: the view then goes stale for good,
    /// and admits no token.
    pub is_followed: bool,
    /// How often the log could not be read on, and was read from its beginning.
    pub restarts: u64,
    /// How many things in the log were no entries.
    pub unreadable: u64,
    /// How many requests were let in although the view was stale.
    pub served_stale: u64,
    /// How many revocations of this instance the log has not acknowledged; the instance keeps trying. New ones are refused at 100 000.
    pub unacknowledged: usize,
    /// What an operator should know about how durable the log is.
    pub warnings: Vec<String>,
    /// Why the log could not be read; `None` if it could, the last time.
    pub last_error: Option<LogError>,
}

/// What the task has seen.
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

    /// Whether the log was read to its end since the start, so that it is known what is revoked: what a readiness probe asks.
    ///
    /// It stays so while the log cannot be reached: whether requests are then served is for each route to say
    /// ([`WhenStale`](portcullis_core::revocation::WhenStale)), and an instance that is taken out would not get better. Alarm on [`state`](Self::state).
    pub fn is_ready(&self) -> bool {
        self.state != ViewState::Syncing
    }
}
