//! [`RedisSigningKeys`]: the document in a key beside the sessions.

use std::sync::LazyLock;

use portcullis_issuer::{
    StoreError,
    key_ring::{DocumentVersion, Replaced, SigningKeys, StoredDocument},
};
use redis::Script;
use zeroize::Zeroizing;

use super::new_version;
use crate::RedisRefreshStore;

/// The document of a key ring in the database of a [`RedisRefreshStore`], by its [`signing_keys`](RedisRefreshStore::signing_keys). It is
/// the hash `{portcullis}:signing-keys`, without an expiry. It has a connection of its own.
///
/// A server that loses acknowledged writes loses changes of the keys with them: set `appendonly yes` and `appendfsync always`, and with
/// replicas [`acknowledged_by`](RedisRefreshStore::acknowledged_by).
#[derive(Debug)]
pub struct RedisSigningKeys(RedisRefreshStore);

/// Reads a document. A script runs only where its key is, so that no replica answers it.
static LOAD: LazyLock<Script> =
    LazyLock::new(|| Script::new("return redis.call('HMGET', KEYS[1], 'version', 'document')"));

/// Replaces a document of the version ARGV[1], or creates it if that is empty.
static REPLACE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if (redis.call('HGET', KEYS[1], 'version') or '') ~= ARGV[1] then return 0 end
         redis.call('HSET', KEYS[1], 'version', ARGV[2], 'document', ARGV[3])
         return 1",
    )
});

impl RedisRefreshStore {
    /// Returns the place for a key ring on the same server.
    pub fn signing_keys(&self) -> RedisSigningKeys {
        RedisSigningKeys(self.apart())
    }
}

impl SigningKeys for RedisSigningKeys {
    async fn load(&self) -> Result<Option<StoredDocument>, StoreError> {
        let (version, text): (Option<u64>, Option<String>) =
            self.0.read(&LOAD.key(self.0.layout().signing_keys())).await?;
        match (version, text) {
            (Some(version), Some(text)) => {
                Ok(Some(StoredDocument::new(Zeroizing::new(text), DocumentVersion::new(version))))
            }
            (None, None) => Ok(None),
            _ => Err(StoreError::new("the document of signing keys in Redis is damaged: it lacks a field")),
        }
    }

    async fn replace(&self, expected: Option<DocumentVersion>, text: &str) -> Result<Replaced, StoreError> {
        let (version, before) = (new_version(), expected.map(|version| version.number().to_string()));
        let mut replace = REPLACE.key(self.0.layout().signing_keys());
        let is_stored: bool = self.0.write(replace.arg(before.unwrap_or_default()).arg(version).arg(text)).await?;
        Ok(if is_stored { Replaced::Stored(DocumentVersion::new(version)) } else { Replaced::Conflict })
    }
}
