//! [`KeptCode`]: what is kept about a code until it is redeemed.

use aws_lc_rs::{constant_time, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::ConfigError;
use serde::{Deserialize, Serialize};

use crate::{
    records::{RecordKey, RecordKind},
    refresh::{FamilyId, LogIn, ShareDigest, stored_log_in},
};

/// What is kept about a code until it is redeemed: for whom it is, and how that client proves that it asked for it. It redeems nothing.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::server) struct KeptCode {
    v: u8,
    share: String,
    redirect_uri: String,
    /// The PKCE challenge (RFC 7636), `S256`.
    challenge: String,
    #[serde(with = "stored_log_in")]
    pub(in crate::server) log_in: LogIn,
    /// The id of the consent by which it was given.
    pub(in crate::server) consent: String,
    /// How often its own client has presented it, the right attempt included: each is counted before it is looked at.
    pub(in crate::server) attempts: u8,
}

/// Why a code is not redeemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Mismatch {
    /// It has the MAC of this issuer, and another share than the one that was given out.
    Forged,
    /// It came to another redirect URI.
    RedirectUri,
    /// The verifier is not that of the challenge.
    Verifier,
}

/// The version of the stored form. A later version is refused, so that an old instance does not misread it.
const VERSION: u8 = 1;

impl KeptCode {
    /// How often a code may be presented by its client. The fifth wrong attempt ends it.
    pub(in crate::server) const MOST_ATTEMPTS: u8 = 5;

    pub(in crate::server) fn new(
        share: ShareDigest,
        redirect_uri: String,
        challenge: String,
        log_in: LogIn,
        consent: String,
    ) -> Self {
        let share = URL_SAFE_NO_PAD.encode(share.as_bytes());
        Self { v: VERSION, share, redirect_uri, challenge, log_in, consent, attempts: 0 }
    }

    /// Decides whether the client that presents the code may redeem it. `redirect_uri` need not be repeated (OAuth 2.1): the verifier proves more.
    pub(in crate::server) fn check(
        &self,
        share: ShareDigest,
        redirect_uri: Option<&str>,
        verifier: &str,
    ) -> Result<(), Mismatch> {
        if self.share != URL_SAFE_NO_PAD.encode(share.as_bytes()) {
            return Err(Mismatch::Forged);
        }
        if redirect_uri.is_some_and(|uri| uri != self.redirect_uri) {
            return Err(Mismatch::RedirectUri);
        }
        let hash = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()));
        let is_it = constant_time::verify_slices_are_equal(hash.as_bytes(), self.challenge.as_bytes()).is_ok();
        if is_it { Ok(()) } else { Err(Mismatch::Verifier) }
    }

    /// Returns the same after one more attempt.
    pub(in crate::server) fn after_another(&self) -> Self {
        Self { attempts: self.attempts.saturating_add(1), ..self.clone() }
    }

    pub(in crate::server) fn to_json(&self) -> String {
        // A struct of numbers, strings and lists can be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads the text of [`to_json`](Self::to_json); `None` if it is not one, or one of a later version.
    pub(in crate::server) fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|kept: &Self| kept.v == VERSION)
    }
}

/// Returns where a code is kept.
pub(in crate::server) fn code_key(session: FamilyId) -> Result<RecordKey, ConfigError> {
    RecordKey::new(RecordKind::Code, session.session_id(), "")
}
