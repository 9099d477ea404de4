//! [`StoredKeys`]: the public keys of a client as they are stored.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::server::{assertion::AssertionKeys, client::ClientKeys};

/// The public keys of a client as they are stored.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredKeys {
    from: Place,
    typed_only: bool,
}

#[derive(Serialize, Deserialize)]
enum Place {
    /// The keys themselves: a JWK Set.
    #[serde(rename = "jwks")]
    Set(Value),
    /// The URL of the keys.
    #[serde(rename = "jwks_uri")]
    At(String),
}

impl StoredKeys {
    /// Returns `None` for keys that cannot be stored.
    pub(super) fn of(keys: &AssertionKeys) -> Option<Self> {
        // Each field is named, so that one that is added is not forgotten. A client with a secret beside its keys is refused before.
        let AssertionKeys { keys, typed_only, has_secret: _, made: _ } = keys;
        let from = match keys {
            ClientKeys::Source(_) => return None,
            ClientKeys::Set(set, _) => Place::Set(Value::clone(set)),
            ClientKeys::At(uri) => Place::At(uri.to_string()),
        };
        Some(Self { from, typed_only: *typed_only })
    }

    /// Returns `None` for keys that cannot be read.
    pub(super) fn keys(self) -> Option<AssertionKeys> {
        let keys = match self.from {
            Place::Set(set) => ClientKeys::of_jwks(&set.to_string()).ok()?,
            Place::At(uri) => ClientKeys::At(uri.into()),
        };
        Some(AssertionKeys { typed_only: self.typed_only, ..AssertionKeys::new(keys) })
    }
}
