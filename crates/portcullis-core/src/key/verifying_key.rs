//! One key that checks signatures.

use std::{fmt, sync::Arc};

use memchr::memmem;

use super::{
    Algorithm, AlgorithmSet, KeyError, KeyErrorKind, Secret, certificate::Certificate, jwk::Jwk, material::Material,
    pem,
};
use crate::config_text::{oddity, quoted};
use crate::keys::KeyHint;

/// A key that checks signatures, prepared once, with the algorithms it may be used with.
///
/// The algorithm is bound to the key: whatever a token's header says, [`check_signature`](Self::check_signature) refuses
/// an algorithm that is not in [`algorithms`](Self::algorithms). A key made without naming one (PEM, a JWK without
/// `alg`) has all that fit its kind and size:
///
/// | kind | algorithms |
/// |---|---|
/// | RSA, 2048 to 8192 bits | RS256, RS384, RS512, PS256, PS384, PS512 |
/// | P-256 | ES256 |
/// | P-384 | ES384 |
/// | Ed25519 | `EdDSA` and its other name Ed25519, always both |
/// | shared secret | HS256, HS384, HS512, as far as the secret is at least as long as the hash |
///
/// Made by [`from_jwk`](Self::from_jwk), [`from_pem`](Self::from_pem) or `from` a [`Secret`]. Cloning is cheap.
///
/// ```
/// use portcullis_core::Algorithm;
/// use portcullis_core::keys::{KeyErrorKind, VerifyingKey};
///
/// let jwk = r#"{ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }"#;
/// let key = VerifyingKey::from_jwk(jwk)?.with_id("2026-11")?;
/// assert!(key.algorithms().contains(Algorithm::EdDsa));
/// assert!(!key.check_signature(Algorithm::Hs256, b"header.claims", &[0; 32]));
///
/// let private = r#"{ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "d": "" }"#;
/// assert_eq!(VerifyingKey::from_jwk(private).unwrap_err().kind(), KeyErrorKind::PrivateKey);
/// # Ok::<(), portcullis_core::keys::KeyError>(())
/// ```
#[derive(Clone)]
pub struct VerifyingKey {
    id: Option<Arc<str>>,
    algorithms: AlgorithmSet,
    material: Arc<Material>,
    certificate: Option<Arc<Certificate>>,
}

impl VerifyingKey {
    /// Reads a public JSON Web Key (RFC 7517, RFC 7518 section 6, RFC 8037).
    ///
    /// Heeds `kid`, `alg`, `use` (absent or `sig`) and `key_ops` (absent or with `verify`); ignores members it does not
    /// know. A modulus may start with zero bytes, as some issuers write it so; a coordinate must have its curve's length.
    ///
    /// # Errors
    ///
    /// Whatever is not a usable public key: see [`KeyErrorKind`].
    pub fn from_jwk(text: &str) -> Result<Self, KeyError> {
        let key = Jwk::parse(text)?.prepare()?;
        if key.is_secret() {
            return Err(KeyError::new(
                KeyErrorKind::Secret,
                "this is a shared secret (kty oct) where a public key belongs: configure it as a Secret",
            ));
        }
        Ok(key)
    }

    /// Reads a public key in PEM: `PUBLIC KEY` (RFC 5280 `SubjectPublicKeyInfo`: RSA, P-256, P-384, Ed25519) or
    /// `RSA PUBLIC KEY` (PKCS #1).
    ///
    /// PEM has no key id. A token whose header has a `kid` only meets keys of that id, so add it
    /// [`with_id`](Self::with_id) unless the issuer sets none.
    ///
    /// # Errors
    ///
    /// Whatever is not a usable public key, see [`KeyErrorKind`]; for a private key or a certificate the error names
    /// the command that extracts the public key.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        pem::prepare(text).map(Self::new)
    }

    pub(crate) fn new(material: Material) -> Self {
        Self { id: None, algorithms: material.algorithms(), material: Arc::new(material), certificate: None }
    }

    /// Names the key. Defaults to the JWK's `kid`, or none.
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::BadId`] unless it has 1 to 512 bytes, as that is what a token's `kid` may have, and neither white space around
    /// it nor characters that cannot be seen.
    pub fn with_id(mut self, id: impl Into<Arc<str>>) -> Result<Self, KeyError> {
        self.id = Some(key_id(id)?);
        Ok(self)
    }

    /// Names the key as a set from elsewhere does: exactly so, whatever it looks like.
    pub(super) fn with_id_as_published(mut self, id: impl Into<Arc<str>>) -> Result<Self, KeyError> {
        self.id = Some(id_of_length(id)?);
        Ok(self)
    }

    /// Names the key by its certificate, in PEM as well: a token without `kid` finds it by `x5t` or `x5t#S256` (RFC 7515 sections 4.1.7
    /// and 4.1.8). Adds to the names that a JWK has by its members `x5t`, `x5t#S256` and `x5c`.
    ///
    /// That is all: the certificate is not checked, its dates do not count, and nothing is trusted because of it.
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::Malformed`] if it is not one certificate in PEM, [`KeyErrorKind::Mismatch`] if this key is not in it.
    pub fn with_certificate(self, pem: &str) -> Result<Self, KeyError> {
        let der = pem::certificate(pem)?;
        let is_of_this_key = self.material.public().is_some_and(|public| memmem::find(&der, public).is_some());
        if !is_of_this_key {
            return Err(KeyError::new(KeyErrorKind::Mismatch, "the certificate is that of another key"));
        }
        Ok(self.certified(Some(Certificate::of_der(&der))))
    }

    /// Names the key by the thumbprint of its certificate, as it stands in the tokens: `x5t` (SHA-1, 27 characters of base64url) or
    /// `x5t#S256` (SHA-256, 43 characters). See [`with_certificate`](Self::with_certificate).
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::BadId`] if it is neither.
    pub fn with_certificate_thumbprint(self, thumbprint: &str) -> Result<Self, KeyError> {
        match Certificate::of_thumbprint(thumbprint) {
            Some(certificate) => Ok(self.certified(Some(certificate))),
            None => Err(KeyError::new(
                KeyErrorKind::BadId,
                format!(
                    "{} is no thumbprint of a certificate: give the value of the tokens' x5t or x5t#S256, in base64url",
                    quoted(thumbprint)
                ),
            )),
        }
    }

    pub(super) fn certified(mut self, certificate: Option<Certificate>) -> Self {
        if let Some(certificate) = certificate {
            let known = self.certificate.as_deref().cloned().unwrap_or_default();
            self.certificate = Some(Arc::new(certificate.and(known)));
        }
        self
    }

    /// Whether it has a name by a certificate.
    pub(super) fn is_certified(&self) -> bool {
        self.certificate.is_some()
    }

    /// Whether the hint names it by its certificate.
    pub(super) fn is_named_by_certificate(&self, hint: KeyHint<'_>) -> bool {
        self.certificate.as_ref().is_some_and(|certificate| certificate.is_named_by(hint))
    }

    /// Allows only those of `algorithms` that the key can already do. Never adds one.
    ///
    /// Naming one of `EdDSA` and `Ed25519` leaves that one name: list both to keep both.
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::Mismatch`] if none would be left.
    pub fn with_algorithms(mut self, algorithms: impl Into<AlgorithmSet>) -> Result<Self, KeyError> {
        let wanted = algorithms.into();
        let both = self.algorithms.intersection(wanted);
        if both.is_empty() {
            return Err(KeyError::new(
                KeyErrorKind::Mismatch,
                format!("the key works with {}, not with {wanted}", self.algorithms),
            ));
        }
        self.algorithms = both;
        Ok(self)
    }

    /// The key id (`kid`), if it has one.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The key id for keeping, without a copy.
    pub(crate) fn id_shared(&self) -> Option<Arc<str>> {
        self.id.clone()
    }

    /// The algorithms it may be used with: never none.
    pub fn algorithms(&self) -> AlgorithmSet {
        self.algorithms
    }

    /// Whether it is a shared secret, so that whoever can verify with it can also sign.
    pub fn is_secret(&self) -> bool {
        self.algorithms.intersection(AlgorithmSet::ASYMMETRIC).is_empty()
    }

    /// Whether both are the same public key, whatever their ids, their algorithms and the form that they were read from. Never so
    /// for shared secrets.
    pub fn is_same_public_key(&self, other: &Self) -> bool {
        self.material.public().is_some() && self.material.public() == other.material.public()
    }

    /// What tells keys of a set apart. `None` for a secret.
    pub(super) fn public_identity(&self) -> Option<PublicIdentity<'_>> {
        Some((self.id(), self.algorithms, self.material.public()?, self.certificate.as_deref()))
    }

    /// Whether `signature` is this key's over `signing_input` (the text `header.claims` of a token).
    ///
    /// False for an algorithm outside [`algorithms`](Self::algorithms). Secrets are compared in constant time.
    ///
    /// An ECDSA signature has a second form, (r, n - s), that anyone can compute from the first and that is as good (RFC 7518
    /// section 3.4 forbids neither). So one token can have two texts: never identify a token by its text or a hash of it (to count,
    /// deny or deduplicate it), but by `jti`. Revocation here does.
    #[must_use = "an unlooked-at signature check proves nothing"]
    pub fn check_signature(&self, algorithm: Algorithm, signing_input: &[u8], signature: &[u8]) -> bool {
        self.algorithms.contains(algorithm) && self.material.check_signature(algorithm, signing_input, signature)
    }
}

/// The id, the algorithms, the public key in its one encoding, and the names by a certificate.
pub(super) type PublicIdentity<'a> = (Option<&'a str>, AlgorithmSet, &'a [u8], Option<&'a Certificate>);

impl From<Secret> for VerifyingKey {
    fn from(secret: Secret) -> Self {
        let (id, material) = secret.prepare();
        let mut key = Self::new(material);
        key.id = Some(id);
        key
    }
}

impl fmt::Debug for VerifyingKey {
    /// Never the key material.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("id", &self.id)
            .field("kind", &self.material.kind())
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

/// A key id as a developer configures it, that a token's `kid` can name.
pub(super) fn key_id(id: impl Into<Arc<str>>) -> Result<Arc<str>, KeyError> {
    let id = id_of_length(id)?;
    match oddity(&id) {
        Some(oddity) => {
            Err(KeyError::new(KeyErrorKind::BadId, format!("the key id {} has {oddity}: remove it", quoted(&id))))
        }
        None => Ok(id),
    }
}

/// A key id of a length that a token's `kid` may have: at most 512 bytes.
fn id_of_length(id: impl Into<Arc<str>>) -> Result<Arc<str>, KeyError> {
    let id = id.into();
    if id.is_empty() || id.len() > 512 {
        return Err(KeyError::new(
            KeyErrorKind::BadId,
            "a key id has 1 to 512 bytes: choose a shorter one that no other key has",
        ));
    }
    Ok(id)
}

#[cfg(test)]
mod tests;
