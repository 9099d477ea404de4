//! A key set as the issuer publishes it, read or refused as a whole.

use portcullis_core::{KeyErrorKind, KeySet, SkippedKey};

use crate::FetchError;

/// What an issuer's key set came to.
#[derive(Debug)]
pub(crate) enum KeyDocument {
    /// At least one key can be used; the others are listed.
    Usable { keys: KeySet, skipped: Vec<SkippedKey> },
    /// Nothing of it is to be used.
    Refused {
        error: FetchError,
        /// The ids of keys that whoever reads the set can sign with. They are to be used no longer, wherever they were
        /// known from.
        exposed: Vec<String>,
    },
}

impl KeyDocument {
    /// Reads the text of a JWK Set.
    ///
    /// An odd key is skipped. A published private key or secret is more than odd: whoever runs the issuer has lost control
    /// of what it publishes, so nothing of the set is taken.
    pub(crate) fn read(text: &str) -> Self {
        let (keys, skipped) = match KeySet::from_jwks(text) {
            Ok(read) => read,
            Err(error) => return Self::refused(FetchError::malformed(error.to_string())),
        };
        let exposed: Vec<&SkippedKey> = skipped.iter().filter(|key| is_exposed(key)).collect();
        if let Some(first) = exposed.first() {
            let ids = exposed.iter().filter_map(|key| key.id().map(str::to_owned)).collect();
            return Self::Refused { error: FetchError::published_secret(first), exposed: ids };
        }
        if keys.is_empty() {
            return Self::refused(FetchError::no_usable_key(&skipped));
        }
        Self::Usable { keys, skipped }
    }

    fn refused(error: FetchError) -> Self {
        Self::Refused { error, exposed: Vec::new() }
    }
}

fn is_exposed(key: &SkippedKey) -> bool {
    matches!(key.reason().kind(), KeyErrorKind::PrivateKey | KeyErrorKind::Secret)
}
