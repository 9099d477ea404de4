//! The document as text: JSON, with a version.

use std::{collections::HashSet, time::Duration};

use portcullis_core::{Algorithm, UnixTime, keys::KeyState};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{ForcedStep, RingDocument, RingKey, fit::MOST_READ};
use crate::key_ring::{KeyRingError, KeyRingErrorKind, seal::Private};

/// The version that is written, and the only one that is read.
const VERSION: u64 = 1;

/// The longest text: 16 RSA keys take some 40 KiB.
pub(super) const MAX_BYTES: usize = 512 * 1024;

#[derive(Deserialize)]
struct Versioned {
    v: u64,
}

/// An unknown member is refused: it would be lost with the next change.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentText {
    v: u64,
    serial: u64,
    keys: Vec<KeyText>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    forced: Vec<ForcedText>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    revoked_ids: Vec<String>,
    /// Compared with the text itself, before it is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mac: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyText {
    id: String,
    algorithm: String,
    state: StateText,
    published_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    activated_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retiring_until: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    forgotten_at: Option<u64>,
    longest_life: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    danger_unsealed: Option<Zeroizing<String>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StateText {
    Standby,
    Active,
    Retiring,
    Revoked,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ForcedText {
    at: u64,
    step: String,
    key: String,
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    safe_from: Option<u64>,
}

impl RingDocument {
    /// Reads a document. Does not check its MAC, for which it takes the sealing key: a [`KeyRing`](crate::key_ring::KeyRing) does.
    ///
    /// # Errors
    ///
    /// [`KeyRingErrorKind::LaterVersion`] or [`KeyRingErrorKind::Document`]. The document is never replaced because it cannot be read.
    pub fn parse(text: &str) -> Result<Self, KeyRingError> {
        if text.len() > MAX_BYTES {
            return Err(KeyRingError::document("the document of the keys is longer than 512 KiB"));
        }
        // serde's own message could quote a part of a key.
        let malformed = |error: serde_json::Error| {
            let (line, column) = (error.line(), error.column());
            KeyRingError::document(format!("the document of the keys is malformed at line {line}, column {column}"))
        };
        let Versioned { v } = serde_json::from_str(text).map_err(malformed)?;
        if v != VERSION {
            let message = format!(
                "the document of the keys has version {v}, and this program reads version {VERSION}: start the version of the program that wrote it"
            );
            return Err(KeyRingError::new(KeyRingErrorKind::LaterVersion, message));
        }
        let text: DocumentText = serde_json::from_str(text).map_err(malformed)?;
        let keys = text.keys.into_iter().map(RingKey::try_from).collect::<Result<Vec<_>, _>>()?;
        let forced = text.forced.into_iter().map(Into::into).collect();
        let document = Self { serial: text.serial, keys, forced, revoked_ids: text.revoked_ids };
        document.check().map(|()| document)
    }

    /// Returns the document as text, without a MAC. It is erased from memory on drop, as private keys may be unsealed.
    pub fn to_text(&self) -> Zeroizing<String> {
        let text = DocumentText {
            v: VERSION,
            serial: self.serial,
            keys: self.keys().map(Into::into).collect(),
            forced: self.forced.iter().map(Into::into).collect(),
            revoked_ids: self.revoked_ids.clone(),
            mac: None,
        };
        // It has only texts and numbers, so it cannot fail.
        Zeroizing::new(serde_json::to_string(&text).unwrap_or_default())
    }

    /// Returns the text of the change that follows a document with this serial number.
    pub(in crate::key_ring) fn after(mut self, serial: u64) -> Self {
        self.serial = self.serial.max(serial).saturating_add(1);
        self
    }

    pub(super) fn check(&self) -> Result<(), KeyRingError> {
        let mut ids = HashSet::new();
        if !self.keys().all(|key| ids.insert(key.id.as_str())) {
            return Err(KeyRingError::document("the document of the keys has two keys of one id"));
        }
        if self.keys().filter(|key| key.is_active()).count() > 1 {
            return Err(KeyRingError::document("the document of the keys has two active keys"));
        }
        if self.keys.is_empty() || self.keys.len() > MOST_READ {
            return Err(KeyRingError::document(format!(
                "the document of the keys does not have 1 to {MOST_READ} keys"
            )));
        }
        Ok(())
    }
}

impl TryFrom<KeyText> for RingKey {
    type Error = KeyRingError;

    fn try_from(text: KeyText) -> Result<Self, KeyRingError> {
        let id = text.id;
        let wrong = |what: &str| KeyRingError::document(format!("key {id:?} in the document {what}"));
        let algorithm = Algorithm::from_name(&text.algorithm).ok_or_else(|| wrong("has an unknown algorithm"))?;
        let state = match (text.state, text.retiring_until, text.revoked_at) {
            (StateText::Standby, None, None) => KeyState::Standby,
            (StateText::Active, None, None) => KeyState::Active,
            (StateText::Retiring, Some(until), None) => KeyState::Retiring { until: UnixTime::from_secs(until) },
            (StateText::Revoked, None, Some(_)) if text.forgotten_at.is_some() => KeyState::Revoked,
            _ => return Err(wrong("has a state that does not fit its times")),
        };
        let private = match (text.sealed, text.danger_unsealed, state) {
            (None, None, KeyState::Revoked) => Private::Erased,
            (Some(sealed), None, state) if state != KeyState::Revoked => Private::Sealed(sealed),
            (None, Some(clear), state) if state != KeyState::Revoked => Private::Clear(clear),
            _ => return Err(wrong("does not have exactly one private part")),
        };
        Ok(Self {
            algorithm,
            state,
            published_at: UnixTime::from_secs(text.published_at),
            activated_at: text.activated_at.map(UnixTime::from_secs),
            revoked_at: text.revoked_at.map(UnixTime::from_secs),
            forgotten_at: text.forgotten_at.map(UnixTime::from_secs),
            longest_life: Duration::from_secs(text.longest_life),
            private,
            id,
        })
    }
}

impl From<&RingKey> for KeyText {
    fn from(key: &RingKey) -> Self {
        let (state, retiring_until) = match key.state {
            KeyState::Active => (StateText::Active, None),
            KeyState::Retiring { until } => (StateText::Retiring, Some(until.as_secs())),
            KeyState::Revoked => (StateText::Revoked, None),
            _ => (StateText::Standby, None),
        };
        let (sealed, danger_unsealed) = match &key.private {
            Private::Sealed(sealed) => (Some(sealed.clone()), None),
            Private::Clear(clear) => (None, Some(clear.clone())),
            Private::Erased => (None, None),
        };
        Self {
            id: key.id.clone(),
            algorithm: key.algorithm.name().to_owned(),
            state,
            published_at: key.published_at.as_secs(),
            activated_at: key.activated_at.map(UnixTime::as_secs),
            retiring_until,
            revoked_at: key.revoked_at.map(UnixTime::as_secs),
            forgotten_at: key.forgotten_at.map(UnixTime::as_secs),
            longest_life: key.longest_life.as_secs(),
            sealed,
            danger_unsealed,
        }
    }
}

impl From<ForcedText> for ForcedStep {
    fn from(text: ForcedText) -> Self {
        let safe_from = text.safe_from.map(UnixTime::from_secs);
        Self { at: UnixTime::from_secs(text.at), step: text.step, key: text.key, why: text.why, safe_from }
    }
}

impl From<&ForcedStep> for ForcedText {
    fn from(step: &ForcedStep) -> Self {
        let ForcedStep { at, step, key, why, safe_from } = step.clone();
        Self { at: at.as_secs(), step, key, why, safe_from: safe_from.map(UnixTime::as_secs) }
    }
}
