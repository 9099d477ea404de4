//! [`Signer`]: makes signatures, valid and invalid ones.

use jsonwebtoken::{EncodingKey, crypto::aws_lc::DEFAULT_PROVIDER};
use portcullis_core::Algorithm;

use crate::must::must;

/// A key with the algorithm that it signs with.
pub(crate) enum Signer {
    /// Signs.
    Key(Algorithm, EncodingKey),
    /// Returns an empty signature (RFC 7515 appendix A.5).
    NoSigner,
}

impl Signer {
    pub(super) fn new(algorithm: Algorithm, key: EncodingKey) -> Self {
        Self::Key(algorithm, key)
    }

    /// Returns a signer with a secret of any length and any origin.
    pub(crate) fn mac(algorithm: Algorithm, secret: &[u8]) -> Self {
        Self::Key(algorithm, must(EncodingKey::from_secret(secret), "the secret is empty"))
    }

    pub(crate) fn sign(&self, input: &str) -> Vec<u8> {
        match self {
            // The provider is explicit, because the process-wide one panics in a program that enables two of them.
            Self::Key(algorithm, key) => {
                let signer = must((DEFAULT_PROVIDER.signer_factory)(&names(*algorithm), key), "the key cannot sign");
                must(signer.try_sign(input.as_bytes()), "signing failed")
            }
            Self::NoSigner => Vec::new(),
        }
    }
}

fn names(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        // One algorithm has two names; the header's text is ours.
        Algorithm::Ed25519 => jsonwebtoken::Algorithm::EdDSA,
        other => must(other.name().parse(), "jsonwebtoken does not know the algorithm"),
    }
}
