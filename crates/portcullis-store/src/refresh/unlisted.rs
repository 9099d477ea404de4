//! [`Unlisted`]: tells the operator of sessions that cannot be read, and so are in no list.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::telemetry;

/// The least time between two events: a user may look at the list again and again.
const PAUSE: Duration = Duration::from_secs(60);

/// When the operator was last told.
#[derive(Debug, Default)]
pub(crate) struct Unlisted(Mutex<Option<Instant>>);

impl Unlisted {
    /// Writes an event if so many sessions were left out of a list, once a minute at most.
    pub(crate) fn tell(&self, count: usize) {
        if count > 0 && self.is_due(Instant::now()) {
            telemetry::sessions_unreadable(count);
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = told.is_none_or(|told| now.duration_since(told) >= PAUSE);
        if is_due {
            *told = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operator_is_told_once_a_minute() {
        let (unlisted, start) = (Unlisted::default(), Instant::now());
        let told = [0, 59, 60, 61, 119, 120].map(|secs| unlisted.is_due(start + Duration::from_secs(secs)));
        assert_eq!(told, [true, false, true, false, false, true]);
    }
}
