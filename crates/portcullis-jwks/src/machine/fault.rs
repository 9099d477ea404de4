//! The error if no key can be returned.

use std::time::{Duration, Instant};

use portcullis_core::keys::{KeySourceError, KeySourceErrorKind};

use super::{Machine, Usability, attempts::LastAttempt};

impl Machine {
    /// Returns why there is no answer, and when to ask again. The text includes why the last attempt failed, so that one log line tells
    /// an operator what to do; the source is that attempt's source.
    pub(crate) fn fault(&mut self, now: Instant) -> KeySourceError {
        use KeySourceErrorKind::{TooOld, Unavailable};
        let retry_after = self.retry_after(now);
        let last = self.attempts.last();
        let (kind, what) = match (self.published.usability(now), last) {
            (Usability::Ended, _) => {
                (Unavailable, "the task that fetches them has ended, with its runtime or by a panic")
            }
            (Usability::TooOld, _) => (TooOld, "they could not be fetched for longer than they may be used"),
            (Usability::Nothing, LastAttempt::Failed(_)) => (Unavailable, "they could not be fetched"),
            (Usability::Nothing, _) => (Unavailable, "the first fetch has not finished yet"),
            (Usability::Usable { .. }, LastAttempt::Failed(_)) => {
                (Unavailable, "the token's key is not among them, and they could not be fetched again")
            }
            (Usability::Usable { .. }, _) => (
                Unavailable,
                "the token's key is not among them, and has not been looked up yet, because of the cool-down between fetches",
            ),
        };
        let fault = match last {
            LastAttempt::Failed(error) => {
                let fault = KeySourceError::new(kind, format!("{what}: {error}"));
                error.shared_source().map_or(fault.clone(), |source| fault.with_source(source))
            }
            LastAttempt::None | LastAttempt::Succeeded => KeySourceError::new(kind, what),
        };
        fault.with_retry_after(retry_after)
    }

    /// Returns when to ask again.
    fn retry_after(&mut self, now: Instant) -> Duration {
        let cooled = self.attempts.cooled_after(now);
        let due = self.due.or(self.due_if_asked).map(|due| due.saturating_duration_since(now));
        due.map_or(cooled, |due| due.min(cooled))
    }
}
