//! [`Notice`]: a log-out that a client is to be told of.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::refresh::{EndReason, Family, Millis};

/// A log-out that a client is to be told of, as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Notice {
    pub(super) v: u8,
    pub(super) client_id: String,
    pub(super) subject: String,
    pub(super) uri: String,
    pub(super) reason: EndReason,
    /// Since when it is to be told.
    pub(super) at: Millis,
    /// When nothing is known about the session any more.
    pub(super) forgotten_at: Millis,
    pub(super) attempts: u32,
    pub(super) next_at: Millis,
    /// Until when one worker has it alone, and which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lease: Option<(Millis, String)>,
}

/// The version of the stored form. A later version is left to later instances.
pub(super) const VERSION: u8 = 1;

/// How long it is tried.
pub(super) const PATIENCE: Duration = Duration::from_secs(86_400);

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

    /// Returns until when the record is kept: longer than it is tried, so that giving up is not missed.
    pub(super) fn kept_until(&self) -> Millis {
        self.at.plus(2 * PATIENCE)
    }

    pub(super) fn to_json(&self) -> String {
        // A struct of numbers and strings can be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}
