//! Attempts to tell a client: when one is due, who makes it, and when there is another one.

use std::time::Duration;

use super::notice::{Notice, PATIENCE, VERSION};
use crate::refresh::Millis;

/// How long a worker has a notice alone. It gives up its attempt well before.
pub(super) const LEASE: Duration = Duration::from_secs(30);

/// The longest time between two attempts. The first is one second.
const MOST_BACK_OFF: Duration = Duration::from_secs(3600);

impl Notice {
    /// Whether a worker may take it now.
    pub(super) fn is_due(&self, now: Millis) -> bool {
        self.next_at <= now && self.lease.as_ref().is_none_or(|(until, _)| *until <= now)
    }

    /// Returns the same in the hands of one worker.
    pub(super) fn leased(&self, now: Millis, holder: String) -> Self {
        let attempts = self.attempts.saturating_add(1);
        Self { attempts, lease: Some((now.plus(LEASE), holder)), ..self.clone() }
    }

    /// Returns the same after a failed attempt; `None` if it is given up.
    pub(super) fn failed(&self, now: Millis) -> Option<Self> {
        let back_off = Duration::from_secs(1 << self.attempts.saturating_sub(1).min(12)).min(MOST_BACK_OFF);
        let next_at = now.plus(back_off);
        (next_at < self.at.plus(PATIENCE)).then(|| Self { next_at, lease: None, ..self.clone() })
    }

    pub(super) fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|notice: &Self| notice.v == VERSION)
    }
}
