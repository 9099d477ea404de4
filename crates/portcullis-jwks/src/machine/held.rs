//! The key set in hand, with what is known about its age.

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
    /// As it was published; what a snapshot keeps. May have keys in it that are exposed.
    pub(crate) text: Arc<str>,
    /// The keys of the issuer that are not used, whatever the text says.
    pub(crate) exposed: Vec<PublicHalf>,
    /// When it was asked for, by the clock that only goes forward.
    pub(crate) asked_at: Instant,
    /// The same by the calendar, for a snapshot.
    pub(crate) asked_at_time: UnixTime,
    pub(crate) freshness: Duration,
}

impl Held {
    pub(crate) fn fresh_until(&self) -> Instant {
        self.asked_at + self.freshness
    }

    /// Until when it may be used although it could not be fetched anew, by both clocks.
    pub(crate) fn usability(&self, outage: Duration) -> Usability {
        let lasts = self.freshness + outage;
        Usability::Usable { until: self.asked_at + lasts, until_time: self.asked_at_time.plus(lasts) }
    }
}
