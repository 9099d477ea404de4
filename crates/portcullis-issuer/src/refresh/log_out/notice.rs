//! [`Notice`]: a log-out that a client is to be told of.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::refresh::{EndReason, Family, FamilyId, Millis};

/// A log-out that a client is to be told of, as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Notice {
    v: u8,
    pub(super) client_id: String,
    pub(super) subject: String,
    pub(super) uri: String,
    pub(super) reason: EndReason,
    /// Since when it is to be told.
    at: Millis,
    /// When nothing is known about the session any more.
    pub(super) forgotten_at: Millis,
    pub(super) attempts: u32,
    next_at: Millis,
    /// Until when one worker has it alone, and which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease: Option<(Millis, String)>,
}

/// The version of the stored form. A later version is left to later instances.
const VERSION: u8 = 1;

/// How long a worker has a notice alone. It gives up its attempt well before.
pub(super) const LEASE: Duration = Duration::from_secs(30);

/// How long it is tried.
const PATIENCE: Duration = Duration::from_secs(86_400);

/// The longest time between two attempts. The first is one second.
const MOST_BACK_OFF: Duration = Duration::from_secs(3600);

impl Notice {
    /// Returns the notice about a session, if its client wants to be told.
    pub(super) fn of(family: &Family, reason: EndReason, now: Millis) -> Option<Self> {
        Some(Self {
            v: VERSION,
            client_id: family.log_in.client_id().to_owned(),
            subject: family.log_in.subject().to_owned(),
            uri: family.log_in.log_out_at.clone()?,
            reason,
            at: now,
            forgotten_at: family.absolute_until,
            attempts: 0,
            next_at: now,
            lease: None,
        })
    }

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

    /// Returns until when the record is kept: longer than it is tried, so that giving up is not missed.
    pub(super) fn kept_until(&self) -> Millis {
        self.at.plus(2 * PATIENCE)
    }

    pub(super) fn to_json(&self) -> String {
        // A struct of numbers and strings can be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|notice: &Self| notice.v == VERSION)
    }
}

/// Reads the session of a record.
pub(super) fn session_of(id: &str) -> Option<FamilyId> {
    FamilyId::from_session_id(id)
}
