//! [`RefreshKeys`]: the keys of this issuer's refresh tokens.

use std::{fmt, sync::Arc};

use aws_lc_rs::hmac;
use portcullis_core::ConfigError;

/// The keys with which this issuer recognises its refresh tokens: one that it writes with, and others that it only reads.
///
/// With a stolen key, an attacker can make tokens that get as far as the store, but no further: the store compares a random share that only the token
/// has. All instances need the same keys.
///
/// Replace one in two deployments, or instances that do not know the new key refuse its tokens: first all instances [also read](Self::also_reads) the
/// new key, and still write with the old one; when all of them do, they write with the new key, and also read the old one. Keep the old one for as long
/// as a session may last; after that, leave it out.
///
/// ```
/// use portcullis_issuer::refresh::RefreshKeys;
///
/// # let (new, old) = ([2; 32], [1; 32]);
/// let first = RefreshKeys::new(1, old)?.also_reads(2, new)?; // the first deployment
/// let second = RefreshKeys::new(2, new)?.also_reads(1, old)?; // the second one
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct RefreshKeys {
    current: Arc<RefreshKey>,
    others: Vec<Arc<RefreshKey>>,
}

pub(crate) struct RefreshKey {
    id: u8,
    mac: hmac::Key,
}

impl RefreshKeys {
    /// The most keys that are in use at once.
    pub const MOST: usize = 4;

    /// Returns a ring with the key to write with: a number that no other key ever had, and at least 32 random bytes.
    ///
    /// # Errors
    ///
    /// If the key is shorter.
    pub fn new(id: u8, secret: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        Ok(Self { current: Arc::new(RefreshKey::new(id, secret.as_ref())?), others: Vec::new() })
    }

    /// Adds a key that is only read: the next one, before any instance writes with it, or an earlier one.
    ///
    /// # Errors
    ///
    /// If the key is too short, or its number is that of another one, or there are more than [`MOST`](Self::MOST).
    pub fn also_reads(mut self, id: u8, secret: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        if self.find(id).is_some() {
            return Err(ConfigError::new(format!(
                "two keys of refresh tokens have the number {id}: each needs its own"
            )));
        }
        if self.others.len() + 1 >= Self::MOST {
            return Err(ConfigError::new(format!(
                "more than {} keys of refresh tokens: leave out those that are older than a session may last",
                Self::MOST
            )));
        }
        self.others.push(Arc::new(RefreshKey::new(id, secret.as_ref())?));
        Ok(self)
    }

    pub(crate) fn current(&self) -> &RefreshKey {
        &self.current
    }

    pub(crate) fn find(&self, id: u8) -> Option<&RefreshKey> {
        self.all().find(|key| key.id == id)
    }

    /// Returns all keys, beginning with the current one.
    pub(super) fn all(&self) -> impl Iterator<Item = &RefreshKey> {
        std::iter::once(&self.current).chain(&self.others).map(|key| &**key)
    }
}

impl RefreshKey {
    fn new(id: u8, secret: &[u8]) -> Result<Self, ConfigError> {
        if secret.len() < 32 {
            return Err(ConfigError::new(format!(
                "the key {id} of refresh tokens has {} bytes, and needs 32: make one with `openssl rand 32`",
                secret.len()
            )));
        }
        Ok(Self { id, mac: hmac::Key::new(hmac::HMAC_SHA256, secret) })
    }

    pub(crate) fn id(&self) -> u8 {
        self.id
    }

    pub(crate) fn tag(&self, context: &[u8], octets: &[u8]) -> hmac::Tag {
        let mut mac = hmac::Context::with_key(&self.mac);
        mac.update(context);
        mac.update(octets);
        mac.sign()
    }
}

/// Shows the numbers of the keys, but no key.
impl fmt::Debug for RefreshKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others: Vec<_> = self.others.iter().map(|key| key.id).collect();
        f.debug_struct("RefreshKeys")
            .field("current", &self.current.id)
            .field("others", &others)
            .finish_non_exhaustive()
    }
}
