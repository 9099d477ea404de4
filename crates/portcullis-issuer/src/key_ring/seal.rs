//! [`SealingKey`]: encrypts private keys in the document.

use std::{fmt, sync::Arc};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use portcullis_core::{Algorithm, ConfigError};
use zeroize::Zeroizing;

use super::{
    KeyRingError, KeyRingErrorKind,
    mac::{self, MacKey},
};

/// The key that encrypts private keys in the document, by AES-256-GCM. Keep it apart from the store: in the configuration of the
/// instances, as a secret of the orchestrator, or in a key management service. All instances need the same.
///
/// Change it in two deployments, or running instances can no longer read the document: first all instances [also open](Self::also_opens) what the new key
/// has sealed, and still seal with the old one; when all of them do, they seal with the new key, and also open the old one's.
///
/// With the document alone, nothing can be signed. The document carries a MAC (HMAC-SHA-256), whose key follows from this key: an attacker who
/// can write the document cannot add a key to it, and cannot change the state or a time of one. A whole earlier document still fits, so
/// restrict who can write the store.
///
/// ```
/// use portcullis_issuer::key_ring::SealingKey;
///
/// # let (new, old) = ([2; 32], [1; 32]);
/// let before = SealingKey::new(old)?.for_ring("https://id.example.com");
/// let first = SealingKey::new(old)?.for_ring("https://id.example.com").also_opens(new)?; // the first deployment
/// let second = SealingKey::new(new)?.for_ring("https://id.example.com").also_opens(old)?; // the second one
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct SealingKey {
    /// The first one seals.
    keys: Vec<Arc<Keys>>,
    ring: Arc<str>,
}

/// What follows from 32 bytes.
struct Keys {
    seal: RandomizedNonceKey,
    mac: MacKey,
}

impl SealingKey {
    /// Takes 32 random bytes.
    ///
    /// # Errors
    ///
    /// If there are more or fewer.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        Ok(Self { keys: vec![prepared(bytes.as_ref())?], ring: Arc::from("") })
    }

    /// Names the ring whose document is sealed, for example by the URL of its issuer. Defaults to no name. Rings that share a sealing key need
    /// different names: the document of one is then refused by the other. A ring keeps its name.
    #[must_use]
    pub fn for_ring(self, name: &str) -> Self {
        Self { ring: Arc::from(name), ..self }
    }

    /// Adds a sealing key that opens and verifies what it has sealed, and seals nothing: the next one, before any instance seals with it, or an earlier
    /// one, until each of the keys from its time was replaced.
    ///
    /// # Errors
    ///
    /// If it does not have 32 bytes.
    pub fn also_opens(mut self, bytes: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        self.keys.push(prepared(bytes.as_ref())?);
        Ok(self)
    }
}

fn prepared(bytes: &[u8]) -> Result<Arc<Keys>, ConfigError> {
    let seal = RandomizedNonceKey::new(&AES_256_GCM, bytes);
    let seal = seal.map_err(|_| {
        ConfigError::new(format!(
            "a sealing key has {} bytes, and needs 32: make one with `openssl rand 32`",
            bytes.len()
        ))
    });
    Ok(Arc::new(Keys { seal: seal?, mac: MacKey::derive(bytes) }))
}

/// Does not show the key.
impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey(and {} that only open)", self.keys.len().saturating_sub(1))
    }
}

/// How private keys are kept in the document: sealed by a [`SealingKey`], or not.
#[derive(Clone, Debug)]
pub struct Sealing(Option<SealingKey>);

impl Sealing {
    /// Keeps private keys unencrypted. All who can read the document can sign, and all who can write it can add a key. Use it
    /// only for a file that no other user can read, such as that of [`FileSigningKeys`](super::FileSigningKeys), and mind its backups.
    pub fn danger_none() -> Self {
        Self(None)
    }
}

impl From<SealingKey> for Sealing {
    fn from(key: SealingKey) -> Self {
        Self(Some(key))
    }
}

/// A private key, as it is in the document.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Private {
    Sealed(String),
    Clear(Zeroizing<String>),
    /// The key was revoked, and will never sign again.
    Erased,
}

impl Sealing {
    pub(super) fn seal(&self, id: &str, algorithm: Algorithm, bytes: &[u8]) -> Result<Private, KeyRingError> {
        let Some(keys) = &self.0 else { return Ok(Private::Clear(Zeroizing::new(STANDARD_NO_PAD.encode(bytes)))) };
        let failed = || KeyRingError::new(KeyRingErrorKind::Key, "the cryptographic library cannot seal a key");
        let key = keys.keys.first().ok_or_else(failed)?;
        let mut sealed = Vec::with_capacity(bytes.len() + 64);
        sealed.extend_from_slice(bytes);
        let nonce = key.seal.seal_in_place_append_tag(context(id, algorithm), &mut sealed).map_err(|_| failed())?;
        Ok(Private::Sealed(STANDARD_NO_PAD.encode([&nonce.as_ref()[..], &sealed].concat())))
    }

    /// Returns the text of a document with its MAC. Without a sealing key, there is none.
    pub(super) fn with_mac(&self, text: Zeroizing<String>) -> Result<Zeroizing<String>, KeyRingError> {
        let Some(sealing) = &self.0 else { return Ok(text) };
        let failed = || KeyRingError::new(KeyRingErrorKind::Key, "there is no key for the MAC of the document");
        let key = sealing.keys.first().ok_or_else(failed)?;
        Ok(Zeroizing::new(key.mac.append(&sealing.ring, &text)))
    }

    /// Refuses the text of a document that was not written with one of the sealing keys, for this ring.
    pub(super) fn check_mac(&self, text: &str) -> Result<(), KeyRingError> {
        match (&self.0, mac::split(text)) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(KeyRingError::sealed("the document")),
            (Some(_), None) => Err(KeyRingError::without_mac()),
            (Some(sealing), Some(parts)) => {
                let is_ours = sealing.keys.iter().any(|key| key.mac.verifies(&sealing.ring, parts));
                is_ours.then_some(()).ok_or_else(|| KeyRingError::wrong_sealing_key("the document"))
            }
        }
    }

    pub(super) fn open(
        &self,
        id: &str,
        algorithm: Algorithm,
        private: &Private,
    ) -> Result<Zeroizing<Vec<u8>>, KeyRingError> {
        let malformed =
            || KeyRingError::new(KeyRingErrorKind::Document, format!("the private part of key {id} is malformed"));
        let decode = |text: &str| STANDARD_NO_PAD.decode(text).map(Zeroizing::new).map_err(|_| malformed());
        match (private, &self.0) {
            (Private::Clear(text), None) => decode(text),
            (Private::Sealed(text), Some(keys)) => {
                let sealed = decode(text)?;
                let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or_else(malformed)?;
                let opened =
                    keys.keys.iter().find_map(|key| open_with(&key.seal, nonce, context(id, algorithm), sealed));
                opened.ok_or_else(|| KeyRingError::wrong_sealing_key(&format!("key {id}")))
            }
            (Private::Sealed(_), None) => Err(KeyRingError::sealed(&format!("key {id}"))),
            (Private::Clear(_), Some(_)) => Err(KeyRingError::unsealed(id)),
            (Private::Erased, _) => Err(malformed()),
        }
    }
}

fn open_with(
    key: &RandomizedNonceKey,
    nonce: &[u8],
    context: Aad<Vec<u8>>,
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(sealed.to_vec());
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let len = key.open_in_place(nonce, context, &mut bytes).ok()?.len();
    bytes.truncate(len);
    Some(bytes)
}

/// The sealed bytes are of use only for the key of this id: those of another one cannot take their place.
fn context(id: &str, algorithm: Algorithm) -> Aad<Vec<u8>> {
    Aad::from(format!("portcullis key ring 1\n{algorithm}\n{id}").into_bytes())
}
