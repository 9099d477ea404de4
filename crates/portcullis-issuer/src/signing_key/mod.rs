//! [`SigningKey`]: a key in memory.

mod error;
pub(crate) mod file;
mod jwk;
mod material;
mod pem;

use std::{fmt, path::Path, sync::Arc};

pub use error::{SigningKeyError, SigningKeyErrorKind};
use material::Material;
use portcullis_core::{Algorithm, Secret, keys::VerifyingKey};
use zeroize::Zeroizing;

use crate::signer::{Signer, Signing};

/// A key in memory, for one algorithm. Cloning is cheap.
///
/// It is prepared once, when it is made, and checked as services check it: weak keys are refused. Its id is its thumbprint
/// (RFC 7638), so that it has the same id on every instance, and an id is never used twice. (A secret has no thumbprint that could be
/// public, so you name it.)
///
/// ```
/// use portcullis_core::Algorithm;
/// use portcullis_issuer::SigningKey;
///
/// let key = SigningKey::generate(Algorithm::Es256)?;
/// let stored = key.to_pem().expect("not a secret"); // for a file that only the issuer can read
/// assert_eq!(SigningKey::from_pem(&stored, Algorithm::Es256)?.id(), key.id());
/// # Ok::<(), portcullis_issuer::SigningKeyError>(())
/// ```
#[doc(alias = "EncodingKey")]
#[doc(alias = "private key")]
#[derive(Clone)]
pub struct SigningKey(Arc<Inner>);

struct Inner {
    id: String,
    algorithm: Algorithm,
    material: Material,
    verifying: VerifyingKey,
}

impl SigningKey {
    /// Generates a key for this algorithm: RSA keys have 2048 bits, secrets the length of the hash.
    ///
    /// # Errors
    ///
    /// [`SigningKeyErrorKind::Mismatch`] for HS256, HS384 and HS512, whose keys need an id: [`generate_secret`](Self::generate_secret).
    pub fn generate(algorithm: Algorithm) -> Result<Self, SigningKeyError> {
        Self::of(Material::generate(algorithm)?, algorithm)
    }

    /// Generates a secret with this id.
    ///
    /// # Errors
    ///
    /// [`SigningKeyErrorKind::Mismatch`] for algorithms with a private key; [`SigningKeyErrorKind::Malformed`] for an impossible id.
    pub fn generate_secret(id: &str, algorithm: Algorithm) -> Result<Self, SigningKeyError> {
        let bytes = material::random_secret(algorithm)?;
        Self::secret(id, algorithm, &bytes)
    }

    /// Takes a secret that both sides share, with its id. See [`Secret`] for the rules.
    ///
    /// # Errors
    ///
    /// [`SigningKeyErrorKind::Weak`] if it is too short, [`SigningKeyErrorKind::Mismatch`] for algorithms with a private key, otherwise
    /// [`SigningKeyErrorKind::Malformed`].
    pub fn secret(id: &str, algorithm: Algorithm, bytes: &[u8]) -> Result<Self, SigningKeyError> {
        let verifying = VerifyingKey::from(Secret::new(id, algorithm, bytes)?);
        let material = Material::secret(algorithm, bytes)?;
        Ok(Self(Arc::new(Inner { id: id.to_owned(), algorithm, material, verifying })))
    }

    /// Reads a private key in PEM form (RFC 7468): `PRIVATE KEY` (PKCS #8), `RSA PRIVATE KEY` (PKCS #1) or `EC PRIVATE KEY` (SEC 1). Text
    /// before and after the key is ignored; a second key is an error.
    ///
    /// # Errors
    ///
    /// [`SigningKeyErrorKind::Malformed`], [`SigningKeyErrorKind::Mismatch`] if the key is not one for this algorithm,
    /// [`SigningKeyErrorKind::Weak`].
    pub fn from_pem(text: &str, algorithm: Algorithm) -> Result<Self, SigningKeyError> {
        Self::of(pem::read(text, algorithm)?, algorithm)
    }

    /// Reads a private key in the DER form of PKCS #8 (RFC 5958).
    ///
    /// # Errors
    ///
    /// See [`from_pem`](Self::from_pem).
    pub fn from_pkcs8(der: &[u8], algorithm: Algorithm) -> Result<Self, SigningKeyError> {
        Self::of(Material::from_pkcs8(der, algorithm)?, algorithm)
    }

    /// Reads a private JSON Web Key (RFC 7517, RFC 8037): an object with `kty`, `alg` and the private members; for a secret also `kid`.
    ///
    /// Without `alg`, the algorithm is the only one that the curve has; RSA keys need `alg`. A `kid` other than the thumbprint is kept, so that
    /// a key that is already published keeps its id.
    ///
    /// # Errors
    ///
    /// See [`from_pem`](Self::from_pem).
    pub fn from_jwk(text: &str) -> Result<Self, SigningKeyError> {
        jwk::read(text)
    }

    /// Reads a key from a file: a JSON Web Key, PEM, or the DER form of PKCS #8. `algorithm` says what the key is for; a JSON Web Key must
    /// not contradict it.
    ///
    /// # Errors
    ///
    /// [`SigningKeyErrorKind::Permissions`] if other users can read the file, or the group can write it (Unix);
    /// [`SigningKeyErrorKind::Unreadable`] if it cannot be read, or has more than 64 KiB; otherwise see [`from_pem`](Self::from_pem).
    pub fn read_file(path: impl AsRef<Path>, algorithm: Algorithm) -> Result<Self, SigningKeyError> {
        file::read(path.as_ref(), algorithm)
    }

    fn of(material: Material, algorithm: Algorithm) -> Result<Self, SigningKeyError> {
        let id = jwk::thumbprint(&material);
        Self::with_id(material, algorithm, id)
    }

    fn with_id(material: Material, algorithm: Algorithm, id: String) -> Result<Self, SigningKeyError> {
        let verifying = VerifyingKey::from_jwk(&jwk::public(&material, &id, algorithm).to_string())?;
        Ok(Self(Arc::new(Inner { id, algorithm, material, verifying })))
    }

    /// Returns the id, `kid`.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Returns the key that verifies its signatures, for services in the same program.
    pub fn verifying_key(&self) -> VerifyingKey {
        self.0.verifying.clone()
    }

    /// Returns the public key as a JSON Web Key, for the published key set. `None` for a secret, which must not be published.
    pub fn public_jwk(&self) -> Option<String> {
        let material = &self.0.material;
        (!material.is_secret()).then(|| jwk::public(material, &self.0.id, self.0.algorithm).to_string())
    }

    /// Returns the private key in PEM form (PKCS #8), for a file that only the issuer can read. `None` for a secret. The text is erased
    /// from memory on drop.
    pub fn to_pem(&self) -> Option<Zeroizing<String>> {
        Some(pem::write(&self.0.material.to_pkcs8()?))
    }
}

/// For the key ring.
impl SigningKey {
    /// Generates a key with the bytes to keep: PKCS #8, or the secret itself.
    pub(crate) fn generate_with_bytes(algorithm: Algorithm) -> Result<(Self, Zeroizing<Vec<u8>>), SigningKeyError> {
        if algorithm.is_symmetric() {
            let bytes = material::random_secret(algorithm)?;
            return Ok((Self::secret(&material::random_id()?, algorithm, &bytes)?, bytes));
        }
        let key = Self::generate(algorithm)?;
        let bytes = key.0.material.to_pkcs8();
        let bytes =
            bytes.ok_or_else(|| SigningKeyError::malformed("the cryptographic library cannot write the key"))?;
        Ok((key, bytes))
    }

    /// Reads a key from its bytes. Only a secret takes the id: others have their own.
    pub(crate) fn from_bytes(id: &str, algorithm: Algorithm, bytes: &[u8]) -> Result<Self, SigningKeyError> {
        if algorithm.is_symmetric() { Self::secret(id, algorithm, bytes) } else { Self::from_pkcs8(bytes, algorithm) }
    }
}

impl Signer for SigningKey {
    fn algorithm(&self) -> Algorithm {
        self.0.algorithm
    }

    fn key_id(&self) -> &str {
        &self.0.id
    }

    fn sign(&self, input: &[u8]) -> Signing {
        Signing::Done(self.0.material.sign(input))
    }
}

/// Never shows the key.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.0.id)
            .field("algorithm", &self.0.algorithm)
            .finish_non_exhaustive()
    }
}
