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
    /// How long a view may be unconfirmed before it is stale. Five heartbeats: enough for one lost answer and another attempt.
    pub const DEFAULT_MAX_STALENESS: Duration = Duration::from_secs(5);

    /// How many entries a view may have before it reports that it is too full: half a gigabyte, or a hundred revocations a second for a day.
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

    /// Sets how long the view may be unconfirmed by its log before it is stale. Defaults to 5 s.
    pub fn max_staleness(self, max_staleness: Duration) -> Self {
        Self { max_staleness, ..self }
    }

    /// Sets the number of entries above which the view reports that it is too full. It never drops entries because of this. Defaults to ten
    /// million.
    pub fn max_entries(self, max_entries: usize) -> Self {
        Self { max_entries, ..self }
    }

    /// Sets what to do about tokens that may outlive the horizon. Defaults to refusing them.
    pub fn long_lived(self, long_lived: LongLived) -> Self {
        Self { long_lived, ..self }
    }

    /// Accepts tokens without `iat` if they expire within the horizon. Defaults to refusing them.
    ///
    /// This is weaker: the age of such a token is unknown. A token that was issued for ten years is accepted on its last day, when its
    /// revocation may be long forgotten. Make sure that the issuer issues no tokens that live longer than the horizon.
    pub fn danger_accept_without_issued_at(self) -> Self {
        Self { accepts_unknown_age: true, ..self }
    }

    /// Reads wall clock and uptime from `clock`. Defaults to [`SystemClock`].
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Creates an empty view, which is stale until its log has been read, and returns its only writer.
    pub fn build(self) -> ViewWriter {
        ViewWriter::new(self)
    }
}
