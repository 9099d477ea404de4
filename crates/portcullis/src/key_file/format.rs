//! What a key file may hold.

use portcullis_core::{KeySet, VerifyingKey};

/// What the developer said that the file holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Contents {
    PublicKeys,
    Secrets,
}

impl Contents {
    /// The keys, or a text with every problem.
    pub(super) fn parse(self, text: &str) -> Result<KeySet, String> {
        let text = text.trim_start_matches('\u{feff}').trim();
        let keys = match self {
            Self::Secrets => KeySet::from_jwks_with_secrets(text).map_err(|error| error.to_string()),
            Self::PublicKeys if is_pem(text) => one(VerifyingKey::from_pem(text)),
            Self::PublicKeys if is_single_jwk(text) => one(VerifyingKey::from_jwk(text)),
            Self::PublicKeys => KeySet::from_jwks_strict(text).map_err(|error| error.to_string()),
        }?;
        // An empty set parses, but a service that trusts nobody is not what anybody meant.
        if keys.is_empty() { Err("it holds no key".to_owned()) } else { Ok(keys) }
    }
}

fn one(key: Result<VerifyingKey, portcullis_core::KeyError>) -> Result<KeySet, String> {
    key.map(KeySet::from).map_err(|error| error.to_string())
}

fn is_pem(text: &str) -> bool {
    text.starts_with("-----BEGIN")
}

/// Whether it is an object with a `kty` of its own, as a key has and a set has not.
fn is_single_jwk(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text)
        .is_ok_and(|value| value.get("kty").is_some() && value.get("keys").is_none())
}
