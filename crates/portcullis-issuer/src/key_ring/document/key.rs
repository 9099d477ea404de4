//! [`RingKey`]: a key in the document.

use std::{fmt, time::Duration};

use portcullis_core::{Algorithm, UnixTime, keys::KeyState};

use crate::{
    Signer, SigningKey,
    key_ring::{
        KeyRingError,
        seal::{Private, Sealing},
    },
};

/// A key of a [`RingDocument`](super::RingDocument), with its state and its times. `Debug` does not show its private part.
#[derive(Clone, PartialEq, Eq)]
pub struct RingKey {
    pub(super) id: String,
    pub(super) algorithm: Algorithm,
    pub(super) state: KeyState,
    pub(super) published_at: UnixTime,
    pub(super) activated_at: Option<UnixTime>,
    pub(super) revoked_at: Option<UnixTime>,
    /// When a revoked key may be forgotten.
    pub(super) forgotten_at: Option<UnixTime>,
    pub(super) longest_life: Duration,
    pub(super) private: Private,
}

impl RingKey {
    /// Generates a key for this algorithm, which is not in a document yet.
    ///
    /// # Errors
    ///
    /// [`KeyRingErrorKind::Key`](crate::key_ring::KeyRingErrorKind::Key): the operating system has no randomness, or this crate does not
    /// sign with the algorithm.
    pub fn generate(algorithm: Algorithm, sealing: &Sealing) -> Result<Self, KeyRingError> {
        let (key, bytes) = SigningKey::generate_with_bytes(algorithm)?;
        let id = key.key_id().to_owned();
        let private = sealing.seal(&id, algorithm, &bytes)?;
        Ok(Self {
            id,
            algorithm,
            state: KeyState::Standby,
            published_at: UnixTime::EPOCH,
            activated_at: None,
            revoked_at: None,
            forgotten_at: None,
            longest_life: Duration::ZERO,
            private,
        })
    }

    /// Returns the id, `kid`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the state.
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// Returns since when it has been published, or known to all instances.
    pub fn published_at(&self) -> UnixTime {
        self.published_at
    }

    /// Returns since when it has signed, or when it last began to; `None` if it has never signed.
    pub fn activated_at(&self) -> Option<UnixTime> {
        self.activated_at
    }

    /// Returns when it was revoked.
    pub fn revoked_at(&self) -> Option<UnixTime> {
        self.revoked_at
    }

    /// Returns the longest lifetime of any token that it has ever signed, or may sign.
    pub fn longest_life(&self) -> Duration {
        self.longest_life
    }

    /// Whether its private part is in the document without encryption.
    pub fn is_unsealed(&self) -> bool {
        matches!(self.private, Private::Clear(_))
    }

    /// Opens the private part.
    pub(in crate::key_ring) fn open(&self, sealing: &Sealing) -> Result<SigningKey, KeyRingError> {
        let bytes = sealing.open(&self.id, self.algorithm, &self.private)?;
        let key = SigningKey::from_bytes(&self.id, self.algorithm, &bytes)?;
        if key.id() == self.id {
            return Ok(key);
        }
        Err(KeyRingError::document(format!("the private part of key {} is that of another key", self.id)))
    }

    pub(super) fn is_active(&self) -> bool {
        self.state == KeyState::Active
    }

    pub(super) fn is_standby(&self) -> bool {
        self.state == KeyState::Standby
    }

    /// Whether tokens of it are accepted.
    pub(in crate::key_ring) fn verifies(&self) -> bool {
        self.state != KeyState::Revoked
    }

    /// Returns from when on nothing needs it any more.
    pub(in crate::key_ring) fn over_at(&self) -> Option<UnixTime> {
        match self.state {
            KeyState::Retiring { until } => Some(until),
            _ => self.forgotten_at,
        }
    }
}

impl fmt::Debug for RingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingKey")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .field("state", &self.state)
            .field("published_at", &self.published_at)
            .field("activated_at", &self.activated_at)
            .field("longest_life", &self.longest_life)
            .finish_non_exhaustive()
    }
}
