//! [`KeptDevice`]: what is kept about the request of a device.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{DeviceAuthorization, UserCode};
use crate::{
    StoreError,
    records::Record,
    refresh::{LogIn, Millis, ShareDigest, stored_log_in},
    server::OAuthErrorCode,
};

/// What is kept about the request of a device until its code is redeemed. It redeems nothing.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::server) struct KeptDevice {
    v: u8,
    share: String,
    user_code: String,
    pub(in crate::server) client_id: String,
    pub(super) scopes: Vec<String>,
    pub(super) resources: Vec<String>,
    expires_at: Millis,
    /// How long the device has to wait between its questions, in seconds.
    interval: u64,
    asked_at: Option<Millis>,
    state: DeviceState,
}

/// What the user has decided.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::server) enum DeviceState {
    Pending,
    Granted {
        #[serde(with = "stored_log_in")]
        log_in: Box<LogIn>,
        consent: String,
    },
    Denied,
}

/// What a device that asks is told.
pub(in crate::server) enum Asked {
    /// It gets tokens. The text is the id of the consent.
    Granted(LogIn, String),
    /// It gets none, and nothing changes.
    Refused(OAuthErrorCode),
    /// It has to wait. When it asked is kept, so that a device that asks too often is noticed.
    Wait(OAuthErrorCode, KeptDevice),
}

/// The version of the stored form. A later version is refused, so that an old instance does not misread it.
const VERSION: u8 = 1;

/// How much earlier than agreed a device may ask: networks are not always equally fast.
const TOLERANCE: Duration = Duration::from_secs(1);

impl KeptDevice {
    pub(super) fn new(
        share: ShareDigest,
        user_code: &UserCode,
        client_id: &str,
        (scopes, resources): (Vec<String>, Vec<String>),
        expires_at: Millis,
    ) -> Self {
        Self {
            v: VERSION,
            share: URL_SAFE_NO_PAD.encode(share.as_bytes()),
            user_code: user_code.letters(),
            client_id: client_id.to_owned(),
            scopes,
            resources,
            expires_at,
            interval: DeviceAuthorization::INTERVAL.as_secs(),
            asked_at: None,
            state: DeviceState::Pending,
        }
    }

    pub(in crate::server) fn has_share(&self, share: ShareDigest) -> bool {
        self.share == URL_SAFE_NO_PAD.encode(share.as_bytes())
    }

    /// Whether a user who has entered this code can still decide.
    pub(super) fn is_open(&self, now: Millis) -> bool {
        matches!(self.state, DeviceState::Pending) && now < self.expires_at
    }

    pub(super) fn is_shown_as(&self, user_code: &UserCode) -> bool {
        self.user_code == user_code.letters()
    }

    /// Decides about a device that asks (RFC 8628 section 3.5). One that asks too early while the user has not decided waits five seconds longer
    /// from then on.
    pub(in crate::server) fn asked(self, now: Millis) -> Asked {
        if now >= self.expires_at {
            return Asked::Refused(OAuthErrorCode::ExpiredToken);
        }
        match &self.state {
            DeviceState::Granted { log_in, consent } => Asked::Granted(LogIn::clone(log_in), consent.clone()),
            DeviceState::Denied => Asked::Refused(OAuthErrorCode::AccessDenied),
            DeviceState::Pending => {
                let interval = Duration::from_secs(self.interval);
                let is_early = self.asked_at.is_some_and(|before| now.since(before) + TOLERANCE < interval);
                let asked_at = Some(now);
                if is_early {
                    let interval = self.interval.saturating_add(DeviceAuthorization::INTERVAL.as_secs());
                    return Asked::Wait(OAuthErrorCode::SlowDown, Self { interval, asked_at, ..self });
                }
                Asked::Wait(OAuthErrorCode::AuthorizationPending, Self { asked_at, ..self })
            }
        }
    }

    pub(super) fn decided(self, state: DeviceState) -> Self {
        Self { state, ..self }
    }

    pub(in crate::server) fn to_json(&self) -> String {
        // A struct of numbers, strings and lists can be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(in crate::server) fn parse(record: &Record) -> Result<Self, StoreError> {
        let kept = serde_json::from_str(record.text()).ok().filter(|kept: &Self| kept.v == VERSION);
        kept.ok_or_else(|| StoreError::new("the record of a device is of a later version, or damaged"))
    }
}
