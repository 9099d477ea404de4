//! Signing with a shared secret.

use std::fmt;

use jsonwebtoken::{Algorithm, EncodingKey, crypto::aws_lc, errors};

/// Signs tokens with HS256. It can also verify, because the key is the same.
pub(crate) struct Signer {
    id: String,
    key: EncodingKey,
}

impl Signer {
    pub(super) fn new(id: &str, bytes: &[u8]) -> errors::Result<Self> {
        Ok(Self { id: id.to_owned(), key: EncodingKey::from_secret(bytes)? })
    }

    /// The key id, for the token's header.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The signature of `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> errors::Result<Vec<u8>> {
        // By name: `jsonwebtoken::encode` looks for a provider in the process and panics if two or none are enabled.
        let signer = (aws_lc::DEFAULT_PROVIDER.signer_factory)(&Algorithm::HS256, &self.key)?;
        Ok(signer.try_sign(message)?)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("id", &self.id).finish_non_exhaustive()
    }
}
