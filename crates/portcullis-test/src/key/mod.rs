//! [`SigningKey`]: keys that sign, and their public form.

mod material;
mod signer;

use std::{fmt, sync::Arc};

use material::Material;
use portcullis_core::{Algorithm, Secret, keys::VerifyingKey};
pub(crate) use signer::Signer;

use crate::{base64url, json::Members, must::must};

/// The first key of every RSA issuer. It is fixed, because generating one takes a tenth of a second, and it is public.
const TEST_ONLY_ISSUER: &[u8] = include_bytes!("rsa/TEST-ONLY-issuer.der");

/// The key of an attacker who forges RSA tokens. It is public.
const TEST_ONLY_ATTACKER: &[u8] = include_bytes!("rsa/TEST-ONLY-attacker.der");

/// A key that signs, for one algorithm.
pub(crate) struct SigningKey {
    id: String,
    algorithm: Algorithm,
    material: Material,
    verifying: VerifyingKey,
}

impl SigningKey {
    /// Returns a new key; for RSA, the fixed one.
    pub(crate) fn first(id: String, algorithm: Algorithm) -> Self {
        Self::with_material(id, algorithm, material(algorithm, || Material::rsa(TEST_ONLY_ISSUER)))
    }

    /// Returns a new key.
    pub(crate) fn generate(id: String, algorithm: Algorithm) -> Self {
        Self::with_material(id, algorithm, material(algorithm, Material::generated_rsa))
    }

    /// Returns a key that no service trusts.
    pub(crate) fn of_attacker(algorithm: Algorithm) -> Self {
        let material = material(algorithm, || Material::rsa(TEST_ONLY_ATTACKER));
        Self::with_material("attacker-1".to_owned(), algorithm, material)
    }

    /// Returns a shared secret.
    pub(crate) fn secret(id: String, algorithm: Algorithm, bytes: &[u8]) -> Self {
        Self::with_material(id, algorithm, Material::secret(bytes))
    }

    fn with_material(id: String, algorithm: Algorithm, material: Material) -> Self {
        let verifying = match material.secret_bytes() {
            Some(bytes) => must(Secret::new(id.as_str(), algorithm, bytes), "the secret cannot be used").into(),
            None => must(VerifyingKey::from_jwk(&jwk(&id, algorithm, &material)), "the key cannot be used"),
        };
        Self { id, algorithm, material, verifying }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn verifying(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// Returns a signer with this key's own algorithm.
    pub(crate) fn signer(self: &Arc<Self>) -> Signer {
        self.signer_for(self.algorithm)
    }

    /// Returns a signer with another algorithm that the key supports but is not bound to.
    pub(crate) fn signer_for(&self, algorithm: Algorithm) -> Signer {
        Signer::new(algorithm, self.material.encoding().clone())
    }

    /// Returns the JSON Web Key (RFC 7517): public, unless the key is a secret.
    pub(crate) fn jwk(&self) -> String {
        jwk(&self.id, self.algorithm, &self.material)
    }

    /// Returns the public key as a DER `SubjectPublicKeyInfo`; `None` if it is a secret.
    pub(crate) fn public_der(&self) -> Option<&[u8]> {
        self.material.public_der()
    }
}

impl fmt::Debug for SigningKey {
    /// Never shows the key material.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// Returns random bytes, for secrets and token ids.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    must(aws_lc_rs::rand::fill(&mut bytes), "the system has no randomness");
    bytes
}

/// Returns a random token id.
pub(crate) fn random_id() -> String {
    base64url::encode(random::<16>())
}

fn material(algorithm: Algorithm, rsa: impl FnOnce() -> Material) -> Material {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING};
    match algorithm {
        Algorithm::Hs256 => Material::secret(&random::<32>()),
        Algorithm::Hs384 => Material::secret(&random::<48>()),
        Algorithm::Hs512 => Material::secret(&random::<64>()),
        Algorithm::Es256 => Material::elliptic("P-256", &ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::Es384 => Material::elliptic("P-384", &ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::EdDsa | Algorithm::Ed25519 => Material::ed25519(),
        // The six RSA algorithms: the only family that may grow in `Algorithm` without a new kind of key.
        _ => rsa(),
    }
}

fn jwk(id: &str, algorithm: Algorithm, material: &Material) -> String {
    let mut jwk: Members = material.jwk().clone();
    jwk.set("kid", id);
    jwk.set("alg", algorithm.name());
    jwk.set("use", "sig");
    jwk.text()
}
