//! Parses the content of a key file.

use portcullis_core::{
    KeySet,
    keys::{KeyError, VerifyingKey},
};

/// What the developer expects in the file.
#[derive(Clone, Debug)]
pub(super) enum Contents {
    PublicKeys,
    /// One key, with this id.
    NamedPublicKey(String),
    Secrets,
}

impl Contents {
    /// Returns the keys, or a text with every problem.
    pub(super) fn parse(&self, text: &str) -> Result<KeySet, String> {
        let text = text.trim_start_matches('\u{feff}').trim();
        let keys = match self {
            Self::Secrets => KeySet::from_jwks_with_secrets(text).map_err(|error| error.to_string()),
            Self::NamedPublicKey(id) => match single(text) {
                Some(key) => one(key.and_then(|key| key.with_id(id.as_str()))),
                None => Err(NOT_ONE_KEY.to_owned()),
            },
            Self::PublicKeys => match single(text) {
                Some(key) => one(key),
                None => KeySet::from_jwks_strict(text).map_err(|error| error.to_string()),
            },
        }?;
        // An empty set is valid JSON, but a service without keys would refuse every token, which is surely a mistake.
        if keys.is_empty() { Err("it holds no key".to_owned()) } else { Ok(keys) }
    }
}

const NOT_ONE_KEY: &str =
    "it does not hold one key: only a PEM key or a single JWK can be named; in a JWK Set each key has its `kid`";

/// Returns the key if the file contains only one, in PEM or as a JWK.
fn single(text: &str) -> Option<Result<VerifyingKey, KeyError>> {
    if !text.starts_with(['{', '[']) && text.contains("-----BEGIN ") {
        return Some(VerifyingKey::from_pem(text));
    }
    is_single_jwk(text).then(|| VerifyingKey::from_jwk(text))
}

fn one(key: Result<VerifyingKey, KeyError>) -> Result<KeySet, String> {
    key.map(KeySet::from).map_err(|error| error.to_string())
}

/// Whether it is an object with `kty`, which a key has and a key set does not.
fn is_single_jwk(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text)
        .is_ok_and(|value| value.get("kty").is_some() && value.get("keys").is_none())
}
