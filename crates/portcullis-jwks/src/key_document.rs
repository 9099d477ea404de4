//! A key set as the issuer publishes it, read or refused as a whole.

use portcullis_core::{KeyErrorKind, KeySet, SkippedKey, VerifyingKey};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::FetchError;

/// What an issuer's key set came to.
#[derive(Debug)]
pub(crate) enum KeyDocument {
    /// At least one key can be used; the others are listed.
    Usable { keys: KeySet, skipped: Vec<SkippedKey> },
    /// Nothing of it is to be used.
    Refused { error: FetchError, exposed: ExposedKeys },
}

/// The keys of a set that whoever reads it can sign with. They are to be used no longer, wherever they were known from.
#[derive(Debug, Default)]
pub(crate) struct ExposedKeys {
    ids: Vec<String>,
    public_halves: Vec<VerifyingKey>,
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
            return Self::Refused {
                error: FetchError::published_secret(first),
                exposed: ExposedKeys::of(text, &exposed),
            };
        }
        if keys.is_empty() {
            return Self::refused(FetchError::no_usable_key(&skipped));
        }
        Self::Usable { keys, skipped }
    }

    fn refused(error: FetchError) -> Self {
        Self::Refused { error, exposed: ExposedKeys::default() }
    }
}

impl ExposedKeys {
    fn of(text: &str, exposed: &[&SkippedKey]) -> Self {
        Self {
            ids: exposed.iter().filter_map(|key| key.id().map(str::to_owned)).collect(),
            public_halves: public_halves(text, exposed).unwrap_or_default(),
        }
    }

    /// Whether it is one of them: by its id, or by what it is, as the same key may be published under another id or none.
    pub(crate) fn contain(&self, key: &VerifyingKey) -> bool {
        let by_id = key.id().is_some_and(|id| self.ids.iter().any(|exposed| exposed == id));
        by_id || self.public_halves.iter().any(|exposed| exposed.is_same_public_key(key))
    }
}

/// What the keys would have been without their private members. Some may be none that could be used anyway.
fn public_halves(text: &str, exposed: &[&SkippedKey]) -> serde_json::Result<Vec<VerifyingKey>> {
    #[derive(Deserialize)]
    struct Keys {
        keys: Vec<Value>,
    }
    let Keys { keys } = serde_json::from_str(text)?;
    let members = exposed.iter().filter_map(|key| keys.get(key.index())?.as_object());
    Ok(members.filter_map(public_half).collect())
}

fn public_half(members: &Map<String, Value>) -> Option<VerifyingKey> {
    const PUBLIC: [&str; 6] = ["kty", "crv", "n", "e", "x", "y"];
    let public: Map<_, _> =
        PUBLIC.iter().filter_map(|name| Some((*name).to_owned()).zip(members.get(*name).cloned())).collect();
    VerifyingKey::from_jwk(&Value::Object(public).to_string()).ok()
}

fn is_exposed(key: &SkippedKey) -> bool {
    matches!(key.reason().kind(), KeyErrorKind::PrivateKey | KeyErrorKind::Secret)
}
