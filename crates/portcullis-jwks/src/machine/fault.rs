//! Why there is no answer.

use std::time::{Duration, Instant};

use portcullis_core::keys::{KeySourceError, KeySourceErrorKind};

use super::{Machine, Usability, attempts::LastAttempt};

impl Machine {
    /// Why there is no answer, and when asking again makes sense. The text says why the last attempt failed, so that one line tells
    /// an operator what to do; its source is the source of that.
    pub(crate) fn fault(&mut self, now: Instant) -> KeySourceError {
        use KeySourceErrorKind::{TooOld, Unavailable};
        let retry_after = self.retry_after(now);
        let last = self.attempts.last();
        let (kind, what) = match (self.published.usability(now), last) {
            (Usability::Ended, _) => {
                (Unavailable, "the task that fetches them has ended: with its runtime, or by a panic")
            }
            (Usability::TooOld, _) => (TooOld, "they could not be fetched for longer than they may be used"),
            (Usability::Nothing, LastAttempt::Failed(_)) => (Unavailable, "they could not be fetched"),
            (Usability::Nothing, _) => (Unavailable, "the first fetch is not over yet"),
            (Usability::Usable { .. }, LastAttempt::Failed(_)) => {
                (Unavailable, "the token's key is not among them, and they could not be fetched again")
            }
            (Usability::Usable { .. }, _) => (
                Unavailable,
                "the token's key is not among them, and was not looked for yet: tokens may cause no fetch so soon",
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

    /// When asking again makes sense.
    fn retry_after(&mut self, now: Instant) -> Duration {
        let cooled = self.attempts.cooled_after(now);
        let due = self.due.map(|due| due.saturating_duration_since(now));
        due.map_or(cooled, |due| due.min(cooled))
    }
}
