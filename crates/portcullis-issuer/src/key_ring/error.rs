//! [`KeyRingError`]: why a key ring could not take a step.

use std::{error::Error, fmt, sync::Arc};

use portcullis_core::{ConfigError, UnixTime};

use crate::{SigningKeyError, date::Date, store_error::StoreError};

/// A key ring could not be started, read or changed. The error never contains any part of a key.
#[derive(Clone, Debug)]
pub struct KeyRingError {
    kind: KeyRingErrorKind,
    message: String,
    earliest: Option<UnixTime>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// The kinds of [`KeyRingError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyRingErrorKind {
    /// The settings cannot be used.
    Config,
    /// The step would cost requests now. It is safe at [`KeyRingError::earliest`].
    TooEarly,
    /// The step does not fit the state of the keys, and waiting does not help.
    Refused,
    /// The store cannot be reached, or does not know whether it has kept a change.
    Store,
    /// Others change the document all the time.
    Contended,
    /// The document in the store cannot be understood.
    Document,
    /// The document in the store was written by a later version of this crate.
    LaterVersion,
    /// The document has no MAC or a wrong one, or private keys cannot be opened: the sealing key is another one, or the document was changed.
    Sealing,
    /// A key could not be made, or cannot be used.
    Key,
    /// The store, the clock or the listener has panicked. The ring goes on.
    Panicked,
}

impl KeyRingError {
    pub(super) fn new(kind: KeyRingErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), earliest: None, source: None }
    }

    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self::new(KeyRingErrorKind::Refused, message)
    }

    pub(super) fn document(message: impl Into<String>) -> Self {
        Self::new(KeyRingErrorKind::Document, message)
    }

    pub(super) fn too_early(what: &str, earliest: UnixTime, now: UnixTime, otherwise: &str) -> Self {
        let wait = earliest.since(now).as_secs();
        let (hours, minutes) = (wait / 3600, (wait % 3600).div_ceil(60));
        let message = format!("{what} before {} (in {hours} h {minutes} min): {otherwise}", Date(earliest));
        Self { earliest: Some(earliest), ..Self::new(KeyRingErrorKind::TooEarly, message) }
    }

    pub(super) fn wrong_sealing_key(what: &str) -> Self {
        Self::new(
            KeyRingErrorKind::Sealing,
            format!(
                "{what} cannot be opened with this sealing key, so it was sealed with another, or for another ring, or changed: start all instances \
                 with the sealing key of before, under the name of before (`SealingKey::for_ring`), and change it in two deployments (`SealingKey::also_opens`). If it is lost, so are the keys: stop all \
                 instances, and remove the document from the store to begin with new ones, which ends all tokens"
            ),
        )
    }

    pub(super) fn sealed(what: &str) -> Self {
        Self::new(
            KeyRingErrorKind::Sealing,
            format!(
                "{what} is sealed, and this ring has no sealing key: start it with the `SealingKey` of the other instances"
            ),
        )
    }

    pub(super) fn without_mac() -> Self {
        Self::new(
            KeyRingErrorKind::Sealing,
            "the document has no MAC, although this ring has a sealing key, so another program may have written it. If the ring was started without \
             sealing on purpose, start it with `Sealing::danger_none()` again, or stop all instances and remove the document to begin with new keys",
        )
    }

    pub(super) fn panicked() -> Self {
        Self::new(
            KeyRingErrorKind::Panicked,
            "reading the document of the keys ended in a panic of the store, the clock or the listener of events: see the message of the panic. It is \
             read again after the usual time",
        )
    }

    pub(super) fn unsealed(id: &str) -> Self {
        Self::new(
            KeyRingErrorKind::Sealing,
            format!(
                "key {id} is not sealed, although this ring has a sealing key: another program may have added it. If the ring was started \
                 without sealing on purpose, start it with `Sealing::danger_none()` again, or stop all instances and remove the document to begin with new keys"
            ),
        )
    }

    pub(super) fn contended() -> Self {
        Self::new(
            KeyRingErrorKind::Contended,
            "other instances change the document of the keys all the time: try again",
        )
    }

    /// Returns the kind.
    pub fn kind(&self) -> KeyRingErrorKind {
        self.kind
    }

    /// Returns when the step is safe, if it is refused because it comes too early.
    pub fn earliest(&self) -> Option<UnixTime> {
        self.earliest
    }

    pub(super) fn with_source(self, source: impl Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }
}

impl From<StoreError> for KeyRingError {
    fn from(error: StoreError) -> Self {
        Self::new(KeyRingErrorKind::Store, "the document of the keys cannot be read or changed").with_source(error)
    }
}

impl From<SigningKeyError> for KeyRingError {
    fn from(error: SigningKeyError) -> Self {
        Self::new(KeyRingErrorKind::Key, "a signing key cannot be used").with_source(error)
    }
}

impl From<ConfigError> for KeyRingError {
    fn from(error: ConfigError) -> Self {
        Self::new(KeyRingErrorKind::Config, "the settings of the key ring cannot be used").with_source(error)
    }
}

impl fmt::Display for KeyRingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for KeyRingError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
