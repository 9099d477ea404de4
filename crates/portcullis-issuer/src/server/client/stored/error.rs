//! [`StoredClientError`]: a client was not stored.

use std::{error::Error, fmt};

use portcullis_core::ConfigError;

use crate::StoreError;

/// A client was not stored, or it is not known whether it was.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StoredClientError {
    /// There is something wrong with the client: see [`Client::problems`](crate::server::Client::problems).
    Invalid(ConfigError),
    /// There is a client of this id, or was one until recently.
    Taken,
    /// It was changed or deleted since it was read: read it again.
    Changed,
    /// The store could not be reached.
    Unavailable(StoreError),
}

impl StoredClientError {
    pub(super) fn key_source(id: &str) -> Self {
        Self::Invalid(ConfigError::new(format!(
            "the client {id:?} has keys in a source of the application's own, which cannot be stored: use `Client::with_jwks` or `with_jwks_uri`, or a `ClientList`"
        )))
    }
}

impl From<StoreError> for StoredClientError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl From<ConfigError> for StoredClientError {
    fn from(error: ConfigError) -> Self {
        Self::Invalid(error)
    }
}

impl fmt::Display for StoredClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(error) => error.fmt(f),
            Self::Taken => f.write_str("there is a client of this id, or was one until recently: choose another id"),
            Self::Changed => f.write_str("the client was changed or deleted since it was read: read it again"),
            Self::Unavailable(error) => error.fmt(f),
        }
    }
}

impl Error for StoredClientError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Invalid(error) => error.source(),
            Self::Taken | Self::Changed => None,
            Self::Unavailable(error) => error.source(),
        }
    }
}
