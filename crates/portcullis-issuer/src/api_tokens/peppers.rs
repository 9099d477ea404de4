//! [`Peppers`]: the secrets of which the digests of tokens are made.

use std::{fmt, iter, sync::Arc};

use aws_lc_rs::hmac;
use portcullis_core::ConfigError;
use zeroize::Zeroizing;

use super::{ApiTokenDigest, ApiTokenId, PepperId};

/// The secrets with which tokens are made and recognised, and which the store does not have: the newest makes tokens, all of them recognise theirs.
///
/// All instances need the same. **A pepper that is lost, or left out, ends all tokens that were made with it**: keep a copy. If one leaks, together with a
/// copy of the store, tokens are still not known; but junk reaches the store, and an attacker who can write to the store can plant a token. Then
/// [revoke](portcullis_core::revocation::Revocation::key) the pepper by its [id](PepperId::key_id), and leave it out.
///
/// To replace one, let all instances [also check](Self::also_checks) the new one first; when all of them do, they make tokens with the new one, and also
/// check the old one, as long as tokens of it are in use.
///
/// `Debug` shows the ids alone.
///
/// ```
/// use portcullis_issuer::api_tokens::Peppers;
///
/// # let (new, old) = ([2; 32], [1; 32]); // 32 random bytes each, from the configuration
/// let peppers = Peppers::new('1', new)?.also_checks('0', old)?;
/// assert_eq!(format!("{peppers:?}"), "Peppers { newest: PepperId(1), others: [PepperId(0)] }");
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Peppers {
    newest: Arc<Pepper>,
    others: Vec<Arc<Pepper>>,
}

/// One pepper: a key of its own for each purpose, so that what is made for one never serves another.
pub(super) struct Pepper {
    id: PepperId,
    tag: hmac::Key,
    digest: hmac::Key,
    rotation: hmac::Key,
}

impl Peppers {
    /// The most peppers that are in use at once.
    pub const LIMIT: usize = 8;

    /// Returns a ring with the pepper that makes tokens: a letter or digit that no other pepper ever had, and at least 32 random bytes.
    ///
    /// # Errors
    ///
    /// If the id is no letter or digit, or the secret is shorter.
    pub fn new(id: char, secret: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        Ok(Self { newest: Arc::new(Pepper::new(id, secret.as_ref())?), others: Vec::new() })
    }

    /// Adds a pepper that recognises tokens, and makes none: an earlier one, or the next one before any instance makes tokens with it.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new), and if the id is that of another one, or there are more than [`LIMIT`](Self::LIMIT).
    pub fn also_checks(mut self, id: char, secret: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let pepper = Pepper::new(id, secret.as_ref())?;
        if self.find(pepper.id).is_some() {
            return Err(ConfigError::new(format!("two peppers have the id {id}: each needs its own")));
        }
        if self.others.len() + 1 >= Self::LIMIT {
            return Err(ConfigError::new(format!("more than {} peppers: leave out those without tokens", Self::LIMIT)));
        }
        self.others.push(Arc::new(pepper));
        Ok(self)
    }

    pub(super) fn newest(&self) -> &Pepper {
        &self.newest
    }

    /// Returns all of them, the newest first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Pepper> {
        iter::once(&self.newest).chain(&self.others).map(|pepper| &**pepper)
    }

    pub(super) fn find(&self, id: PepperId) -> Option<&Pepper> {
        self.all().find(|pepper| pepper.id == id)
    }
}

impl Pepper {
    fn new(id: char, secret: &[u8]) -> Result<Self, ConfigError> {
        let known = PepperId::new(id);
        let id = known.ok_or_else(|| {
            ConfigError::new(format!("the id of a pepper {id:?} is not one of the letters and digits"))
        })?;
        if secret.len() < 32 {
            return Err(ConfigError::new(format!(
                "the pepper {id} has {} bytes, and needs 32: make one with `openssl rand 32`",
                secret.len()
            )));
        }
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let key = |label: &str| {
            let derived = hmac::sign(&secret, format!("portcullis api token 1 {label}").as_bytes());
            let derived = Zeroizing::new(derived.as_ref().to_vec());
            hmac::Key::new(hmac::HMAC_SHA256, &derived)
        };
        Ok(Self { id, tag: key("tag"), digest: key("digest"), rotation: key("rotation") })
    }

    pub(super) fn id(&self) -> PepperId {
        self.id
    }

    /// Returns the tag of a text: 40 bits.
    pub(super) fn tag(&self, text: &str) -> u64 {
        let tag = hmac::sign(&self.tag, text.as_bytes());
        tag.as_ref().iter().take(5).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// Returns the digest of a whole token.
    pub(super) fn digest(&self, text: &str) -> ApiTokenDigest {
        digest_of(&hmac::sign(&self.digest, text.as_bytes()))
    }

    /// Returns the digest of a text of an earlier system, of which there is the SHA-256 alone. No text of our own has a NUL, so none has such a digest.
    pub(super) fn digest_of_foreign(&self, sha256: &[u8; 32]) -> ApiTokenDigest {
        let mut mac = hmac::Context::with_key(&self.digest);
        mac.update(b"foreign\0");
        mac.update(sha256);
        digest_of(&mac.sign())
    }

    pub(super) fn rotation_key(&self) -> &hmac::Key {
        &self.rotation
    }

    /// Returns the digest of the id of a request that asks for a successor. The request's own id makes the successor's text, so it is kept nowhere.
    pub(super) fn digest_of_request(&self, predecessor: ApiTokenId, request: &[u8]) -> ApiTokenDigest {
        let mut mac = hmac::Context::with_key(&self.digest);
        mac.update(b"request\0");
        mac.update(predecessor.as_bytes());
        mac.update(request);
        digest_of(&mac.sign())
    }
}

fn digest_of(tag: &hmac::Tag) -> ApiTokenDigest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(tag.as_ref());
    ApiTokenDigest::from_bytes(bytes)
}

impl fmt::Debug for Peppers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others: Vec<_> = self.others.iter().map(|pepper| pepper.id).collect();
        f.debug_struct("Peppers").field("newest", &self.newest.id).field("others", &others).finish()
    }
}

/// Shows the id alone.
impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pepper({})", self.id)
    }
}
