//! `ViewWriterBuilder`: the settings of a view.

use std::{sync::Arc, time::Duration};

use super::ViewWriter;
use crate::{Clock, clock::SystemClock, revocation::LongLived};

/// The settings of a view of revocations, made by [`ViewWriter::builder`].
#[derive(Clone, Debug)]
#[must_use = "there is no view before `build`"]
pub struct ViewWriterBuilder {
    pub(super) horizon: Duration,
    pub(super) max_staleness: Duration,
    pub(super) max_entries: usize,
    pub(super) long_lived: LongLived,
    pub(super) accepts_unknown_age: bool,
    pub(super) clock: Arc<dyn Clock>,
}

impl ViewWriterBuilder {
    /// For how long a view goes unconfirmed before it is stale. Five heartbeats: one lost answer and the next attempt fit in.
    pub const DEFAULT_MAX_STALENESS: Duration = Duration::from_secs(5);

    /// How many entries a view has before it says that it is too full: half a gigabyte, or a hundred revocations a second all day.
    pub const DEFAULT_MAX_ENTRIES: usize = 10_000_000;

    pub(super) fn new(horizon: Duration) -> Self {
        Self {
            horizon,
            max_staleness: Self::DEFAULT_MAX_STALENESS,
            max_entries: Self::DEFAULT_MAX_ENTRIES,
            long_lived: LongLived::default(),
            accepts_unknown_age: false,
            clock: Arc::new(SystemClock),
        }
    }

    /// How long the view may go unconfirmed by its log before it is stale. Defaults to 5 s.
    pub fn max_staleness(self, max_staleness: Duration) -> Self {
        Self { max_staleness, ..self }
    }

    /// Above how many entries the view reports that it is too full. It never drops one for that. Defaults to ten million.
    pub fn max_entries(self, max_entries: usize) -> Self {
        Self { max_entries, ..self }
    }

    /// What to do about tokens that may outlive the horizon. Defaults to refusing them.
    pub fn long_lived(self, long_lived: LongLived) -> Self {
        Self { long_lived, ..self }
    }

    /// Accepts tokens without `iat` if they expire within the horizon. Defaults to refusing them.
    ///
    /// What is weaker: nobody can tell how old such a token is. One that was issued for ten years is accepted on its last day, when its
    /// revocation may be long forgotten. Make sure that the issuer issues none that lives longer than the horizon.
    pub fn danger_accept_without_issued_at(self) -> Self {
        Self { accepts_unknown_age: true, ..self }
    }

    /// Reads calendar and uptime from `clock`. Defaults to [`SystemClock`].
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Makes the view, empty, and stale until its log has been read; and the one writer to it.
    pub fn build(self) -> ViewWriter {
        ViewWriter::new(self)
    }
}
