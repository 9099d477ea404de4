//! [`KeyDocument`]: an issuer's published key set, accepted or refused as a whole.

use std::collections::BTreeMap;

use portcullis_core::{
    KeySet,
    keys::{KeyErrorKind, SkippedKey, VerifyingKey},
};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use crate::error::FetchError;

/// How many keys with a published private half are remembered for an issuer. One that exposes more has lost all control, and each of its bad
/// sets is refused as a whole.
pub(crate) const MAX_EXPOSED: usize = 100;

const IS_METADATA: &str =
    "this is an issuer's metadata, not its keys: give the issuer's name to `RemoteKeys::discover`";

/// The result of reading an issuer's key set.
#[derive(Debug)]
pub(crate) enum KeyDocument {
    /// At least one key can be used; the skipped ones are listed.
    Usable { keys: KeySet, skipped: Vec<SkippedKey> },
    /// None of its keys may be used.
    Refused { error: FetchError, exposed: ExposedKeys },
}

/// Keys of a set whose private halves or secrets are published in it, so that every reader can sign with them. They must not be used any
/// more, wherever they came from.
#[derive(Debug, Default)]
pub(crate) struct ExposedKeys {
    /// The ids of keys whose public halves cannot be read.
    ids: Vec<String>,
    pub(crate) public_halves: Vec<PublicHalf>,
}

/// A key whose private half is public.
#[derive(Clone, Debug)]
pub(crate) struct PublicHalf {
    key: VerifyingKey,
    /// A JWK without an id, for a snapshot.
    jwk: String,
}

impl KeyDocument {
    /// Reads the text of a JWK Set.
    ///
    /// An unusable key is skipped. If the set contains a private key or a secret, the operator of the issuer has lost control of what it
    /// publishes, so the whole set is refused.
    pub(crate) fn read(text: &str) -> Self {
        let (keys, skipped) = match KeySet::from_jwks(text) {
            Ok(read) => read,
            Err(_) if has_member(text, "jwks_uri") => return Self::refused(FetchError::malformed(IS_METADATA)),
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

    /// Reads the keys of one of these issuers from a set of several, whose keys each name theirs in the member `issuer`. Returns the set of those keys as
    /// well, as text.
    ///
    /// A set that exposes a key of any issuer is refused as a whole.
    pub(crate) fn read_of(text: String, issuers: &[String]) -> (String, Self) {
        let whole = Self::read(&text);
        let (Self::Usable { .. }, Ok(mut keys)) = (&whole, members(&text)) else { return (text, whole) };
        let is_of = |issuer: &str| issuers.iter().any(|one| one == issuer);
        keys.retain(|key| key.get("issuer").and_then(Value::as_str).is_some_and(is_of));
        if keys.is_empty() {
            let refused = Self::refused(FetchError::no_key_of(issuers));
            return (text, refused);
        }
        let text = serde_json::json!({ "keys": keys }).to_string();
        let keys = Self::read(&text);
        (text, keys)
    }

    fn refused(error: FetchError) -> Self {
        Self::Refused { error, exposed: ExposedKeys::default() }
    }
}

impl ExposedKeys {
    fn of(text: &str, skipped: &[&SkippedKey]) -> Self {
        let (mut ids, mut public_halves) = (Vec::new(), Vec::new());
        let members = members(text).unwrap_or_default();
        for key in skipped.iter().filter(|key| key.reason().kind() == KeyErrorKind::PrivateKey) {
            let half = members.get(key.index()).and_then(Value::as_object).map(without_private_members);
            match half.and_then(PublicHalf::read) {
                Some(half) => public_halves.push(half),
                None => ids.extend(key.id().map(str::to_owned)),
            }
        }
        Self { ids, public_halves }
    }

    /// Whether `key` is one of them. Compares the key material, because the same key may be published under another id or without one,
    /// and the id only where nothing else can be read.
    pub(crate) fn contain(&self, key: &VerifyingKey) -> bool {
        let by_id = key.id().is_some_and(|id| self.ids.iter().any(|exposed| exposed == id));
        by_id || self.public_halves.iter().any(|exposed| exposed.is_of(key))
    }
}

impl PublicHalf {
    /// Reads what [`jwk`](Self::jwk) returned, or a private key without its private members. Returns `None` for keys that could not be
    /// used anyway.
    pub(crate) fn read(jwk: String) -> Option<Self> {
        Some(Self { key: VerifyingKey::from_jwk(&jwk).ok()?, jwk })
    }

    pub(crate) fn jwk(&self) -> &str {
        &self.jwk
    }

    pub(crate) fn is_the_same_as(&self, other: &Self) -> bool {
        self.is_of(&other.key)
    }

    pub(crate) fn is_of(&self, key: &VerifyingKey) -> bool {
        self.key.is_same_public_key(key)
    }
}

/// Whether a text is a JSON object with this member.
pub(crate) fn has_member(text: &str, name: &str) -> bool {
    serde_json::from_str::<BTreeMap<&str, &RawValue>>(text).is_ok_and(|members| members.contains_key(name))
}

/// Returns the keys of a set in their original form.
fn members(text: &str) -> serde_json::Result<Vec<Value>> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    serde_json::from_str(text).map(|Set { keys }| keys)
}

fn without_private_members(members: &Map<String, Value>) -> String {
    const PUBLIC: [&str; 6] = ["kty", "crv", "n", "e", "x", "y"];
    let public = PUBLIC.iter().filter_map(|name| Some(((*name).to_owned(), members.get(*name)?.clone())));
    Value::Object(public.collect()).to_string()
}

fn is_exposed(key: &SkippedKey) -> bool {
    matches!(key.reason().kind(), KeyErrorKind::PrivateKey | KeyErrorKind::Secret)
}
