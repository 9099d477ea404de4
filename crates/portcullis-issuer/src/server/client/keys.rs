//! [`ClientKeys`]: where the public keys of a client are.

use std::{fmt, sync::Arc};

use portcullis_core::{ConfigError, KeySet, keys::KeySource};
use serde_json::{Map, Value, json};

/// Where the public keys of a client are.
#[derive(Clone)]
pub(in crate::server) enum ClientKeys {
    /// In a source of the application's own, which cannot be stored.
    Source(Arc<dyn KeySource>),
    /// In a set, which is kept as it is stored, too.
    Set(Arc<Value>, Arc<KeySet>),
    /// At a URL (`jwks_uri`), from which the server fetches them.
    At(Arc<str>),
}

/// Fetches key sets whose URLs clients name.
pub(in crate::server) trait KeySets: fmt::Debug + Send + Sync {
    /// Returns the keys at this URL. Nothing is fetched yet.
    fn at(&self, uri: &str) -> Result<Arc<dyn KeySource>, ConfigError>;
}

/// How long a set is, at most: dozens of keys.
const MOST_BYTES: usize = 16 * 1024;

/// The members of a key that are kept (RFC 7517 section 4, RFC 7518 section 6). No private one is among them.
const PUBLIC: [&str; 12] = ["kty", "kid", "use", "key_ops", "alg", "n", "e", "crv", "x", "y", "x5t", "x5t#S256"];

impl ClientKeys {
    /// Reads the text of a JWK Set of public keys.
    pub(in crate::server) fn of_jwks(text: &str) -> Result<Self, ConfigError> {
        if text.len() > MOST_BYTES {
            let size = text.len();
            return Err(ConfigError::new(format!(
                "the keys of a client have {size} bytes, at most {MOST_BYTES} are read"
            )));
        }
        let unusable = |why: String| ConfigError::new(format!("the keys of a client cannot be used: {why}"));
        let read = |text: &str| KeySet::from_jwks_strict(text).map_err(|error| unusable(error.to_string()));
        // Refuses private keys and secrets.
        read(text)?;
        let set: Value = serde_json::from_str(text).map_err(|error| unusable(error.to_string()))?;
        let each = set["keys"].as_array().into_iter().flatten().filter_map(Value::as_object);
        let kept = json!({ "keys": each.map(public_members).collect::<Vec<_>>() });
        // The keys are those that are stored, also before they are.
        let keys = read(&kept.to_string())?;
        Ok(Self::Set(Arc::new(kept), Arc::new(keys)))
    }

    /// Returns the keys as a source.
    ///
    /// # Errors
    ///
    /// If they are at a URL that is not allowed, or from which the server does not fetch them.
    pub(in crate::server) fn source(&self, sets: Option<&dyn KeySets>) -> Result<Arc<dyn KeySource>, ConfigError> {
        match (self, sets) {
            (Self::Source(keys), _) => Ok(Arc::clone(keys)),
            (Self::Set(_, keys), _) => Ok(Arc::<KeySet>::clone(keys)),
            (Self::At(uri), Some(sets)) => sets.at(uri),
            (Self::At(_), None) => Err(ConfigError::new(
                "a client has its keys at a `jwks_uri`, and the server fetches none: call `client_key_sets` of its builder",
            )),
        }
    }
}

/// Returns the members by which a signature is checked. What else the client has written into a key is not kept.
fn public_members(key: &Map<String, Value>) -> Map<String, Value> {
    key.iter()
        .filter(|(name, _)| PUBLIC.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
