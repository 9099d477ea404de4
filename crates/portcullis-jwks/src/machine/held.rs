//! [`Held`]: the current key set and its age.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use portcullis_core::{KeySet, UnixTime};

use super::published::Usability;
use crate::key_document::PublicHalf;

/// A key set that was fetched or restored.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) keys: KeySet,
    /// The published text, for snapshots. It may contain exposed keys.
    pub(crate) text: Arc<str>,
    /// The issuer's keys that must not be used, whatever the text says.
    pub(crate) exposed: Vec<PublicHalf>,
    /// When it was requested, by the monotonic clock.
    pub(crate) asked_at: Instant,
    /// The same time by the wall clock, for a snapshot.
    pub(crate) asked_at_time: UnixTime,
    pub(crate) freshness: Duration,
}

impl Held {
    pub(crate) fn fresh_until(&self) -> Instant {
        self.asked_at + self.freshness
    }

    /// Returns until when it may be used if it cannot be fetched again, by both clocks.
    pub(crate) fn usability(&self, outage: Duration) -> Usability {
        let lasts = self.freshness + outage;
        Usability::Usable { until: self.asked_at + lasts, until_time: self.asked_at_time.plus(lasts) }
    }
}
