//! [`PublishedKey`]: a public key in a key set.

use std::{collections::HashSet, fmt, time::Duration};

use portcullis_core::{Algorithm, ConfigError, keys::VerifyingKey};
use serde::{Deserialize, Serialize};

use super::PublishedDocument;
use crate::SigningKey;

/// The usual path of a key set.
pub const KEY_SET_PATH: &str = "/.well-known/jwks.json";

/// The media type of a key set (RFC 7517 section 8.5).
const KEY_SET_TYPE: &str = "application/jwk-set+json";

/// A public key as it is published: a JSON Web Key with `kty`, `kid`, `alg`, `use` and the public members (RFC 7517, RFC 7518 section 6,
/// RFC 8037). There is no place in it for a private member.
#[derive(Clone, PartialEq, Eq)]
pub struct PublishedKey(Jwk);

/// The members that are published. Others are not read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
}

#[derive(Serialize)]
struct KeySet {
    keys: Vec<PublishedKey>,
}

impl PublishedKey {
    /// Returns the public key of a signing key.
    ///
    /// # Errors
    ///
    /// If it is a secret (HS256, HS384, HS512): anyone who reads it could sign.
    pub fn of(key: &SigningKey) -> Result<Self, ConfigError> {
        let jwk = key.public_jwk().ok_or_else(|| {
            ConfigError::new(format!(
                "the signing key {:?} is a secret, which must not be published: give it to each service, or sign with a private key",
                key.id()
            ))
        })?;
        Self::from_jwk(&jwk)
    }

    /// Reads the public key of a [`Signer`](crate::Signer) elsewhere: a JSON Web Key with `kid` and `alg`. Members that are not published,
    /// such as certificates, are left out.
    ///
    /// # Errors
    ///
    /// If it is not a usable public key, if it is a private key or a secret, or if `kid` or `alg` is missing.
    pub fn from_jwk(text: &str) -> Result<Self, ConfigError> {
        // It refuses private keys, secrets, weak keys, and keys that do not fit their `alg`.
        VerifyingKey::from_jwk(text)
            .map_err(|error| ConfigError::new(format!("the key cannot be published: {error}")))?;
        // serde's own message could quote a member.
        let jwk: Jwk = serde_json::from_str(text)
            .map_err(|_| ConfigError::new("the key cannot be published: it is not a JSON Web Key"))?;
        let missing = |name: &str| {
            ConfigError::new(format!("the key cannot be published: it has no `{name}`, by which services choose it"))
        };
        jwk.kid.as_deref().filter(|id| !id.is_empty()).ok_or_else(|| missing("kid"))?;
        jwk.alg.as_deref().and_then(Algorithm::from_name).ok_or_else(|| missing("alg"))?;
        Ok(Self(Jwk { usage: Some("sig".to_owned()), ..jwk }))
    }

    /// Returns the id, `kid`.
    pub fn id(&self) -> &str {
        self.0.kid.as_deref().unwrap_or_default()
    }

    /// Returns the algorithm, `alg`.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.0.alg.as_deref().and_then(Algorithm::from_name)
    }
}

impl PublishedDocument {
    /// Returns the key set (RFC 7517 section 5) of these keys, in this order. Caches may keep it for `max_age`, in whole seconds: so long
    /// has a new key to be published before it signs.
    ///
    /// # Errors
    ///
    /// If there is no key, or two keys have one id.
    pub fn key_set(keys: impl IntoIterator<Item = PublishedKey>, max_age: Duration) -> Result<Self, ConfigError> {
        let keys: Vec<_> = keys.into_iter().collect();
        let mut ids = HashSet::new();
        let repeated = keys.iter().find(|key| !ids.insert(key.id()));
        let mut problems = Vec::new();
        if let Some(key) = repeated {
            problems.push(format!("two keys of the key set have the id {:?}: each needs its own", key.id()));
        }
        if keys.is_empty() {
            problems.push("the key set has no key: services would refuse every token".to_owned());
        }
        ConfigError::check(problems)?;
        let body = serde_json::to_string(&KeySet { keys })
            .map_err(|_| ConfigError::new("the key set cannot be written as JSON"))?;
        Ok(Self::new(body, KEY_SET_TYPE, max_age))
    }

    /// Returns the key set of a ring, which has checked its keys. Each is the text of a public JSON Web Key.
    pub(crate) fn key_set_of_ring(keys: impl Iterator<Item = String>, max_age: Duration) -> Self {
        let keys: Vec<_> = keys.collect();
        Self::new(format!("{{\"keys\":[{}]}}", keys.join(",")), KEY_SET_TYPE, max_age)
    }
}

impl Serialize for PublishedKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl fmt::Debug for PublishedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishedKey").field("id", &self.0.kid).field("algorithm", &self.0.alg).finish_non_exhaustive()
    }
}
