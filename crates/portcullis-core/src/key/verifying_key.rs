//! [`VerifyingKey`]: one key that verifies signatures.

use std::{fmt, sync::Arc};

use memchr::memmem;

use super::{
    Algorithm, AlgorithmSet, KeyError, KeyErrorKind, Secret, certificate::Certificate, ed25519, jwk::Jwk,
    material::Material, pem,
};
use crate::config_text::{oddity, quoted};
use crate::keys::KeyHint;

/// A key that verifies signatures, prepared once, with the algorithms that it may be used with.
///
/// The algorithms are bound to the key: whatever a token's header says, [`check_signature`](Self::check_signature) refuses an algorithm
/// that is not in [`algorithms`](Self::algorithms). A key without a named algorithm (PEM, a JWK without `alg`) has all algorithms that
/// fit its kind and size:
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
    /// Respects `kid`, `alg`, `use` (absent or `sig`) and `key_ops` (absent or with `verify`); ignores unknown members. A modulus may
    /// start with zero bytes, because some issuers write them; a coordinate must have its curve's length.
    ///
    /// # Errors
    ///
    /// If it is not a usable public key: see [`KeyErrorKind`].
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
    /// PEM has no key id. For a token whose header has a `kid`, only keys with that id are used, so add it [`with_id`](Self::with_id),
    /// unless the issuer sets none.
    ///
    /// # Errors
    ///
    /// If it is not a usable public key, see [`KeyErrorKind`]. For a private key or a certificate, the error names the command that
    /// extracts the public key.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        pem::prepare(text).map(Self::new)
    }

    /// Reads an Ed25519 key (RFC 8032) from its 32 bytes. Its algorithms are `EdDSA` and `Ed25519`.
    ///
    /// For formats that bring the bare bytes, such as the nkeys of NATS. It has no id: add one [`with_id`](Self::with_id).
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::Weak`] for one of the points of small order, for which anyone can sign, and [`KeyErrorKind::Invalid`] for bytes
    /// that are no point.
    pub fn ed25519(public: &[u8; 32]) -> Result<Self, KeyError> {
        ed25519::prepare(public, AlgorithmSet::ALL).map(Self::new)
    }

    pub(crate) fn new(material: Material) -> Self {
        Self { id: None, algorithms: material.algorithms(), material: Arc::new(material), certificate: None }
    }

    /// Sets the key id. Defaults to the JWK's `kid`, or none.
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::BadId`] unless it has 1 to 512 bytes, like a token's `kid`, and no surrounding white space or invisible
    /// characters.
    pub fn with_id(mut self, id: impl Into<Arc<str>>) -> Result<Self, KeyError> {
        self.id = Some(key_id(id)?);
        Ok(self)
    }

    /// Sets the id exactly as a set from elsewhere has it.
    pub(super) fn with_id_as_published(mut self, id: impl Into<Arc<str>>) -> Result<Self, KeyError> {
        self.id = Some(id_of_length(id)?);
        Ok(self)
    }

    /// Names the key by its certificate, in PEM: a token without `kid` finds it by `x5t` or `x5t#S256` (RFC 7515 sections 4.1.7 and
    /// 4.1.8). This is added to the names from a JWK's members `x5t`, `x5t#S256` and `x5c`.
    ///
    /// It has no other effect: the certificate is not checked, its dates do not matter, and nothing is trusted because of it.
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::Malformed`] if it is not one certificate in PEM, [`KeyErrorKind::Mismatch`] if it is the certificate of another
    /// key.
    pub fn with_certificate(self, pem: &str) -> Result<Self, KeyError> {
        let der = pem::certificate(pem)?;
        let is_of_this_key = self.material.public().is_some_and(|public| memmem::find(&der, public).is_some());
        if !is_of_this_key {
            return Err(KeyError::new(KeyErrorKind::Mismatch, "the certificate is that of another key"));
        }
        Ok(self.certified(Some(Certificate::of_der(&der))))
    }

    /// Names the key by the thumbprint of its certificate, as written in the tokens: `x5t` (SHA-1, 27 characters of base64url) or
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

    /// Whether it is named by a certificate.
    pub(super) fn is_certified(&self) -> bool {
        self.certificate.is_some()
    }

    /// Whether the hint names it by its certificate.
    pub(super) fn is_named_by_certificate(&self, hint: KeyHint<'_>) -> bool {
        self.certificate.as_ref().is_some_and(|certificate| certificate.is_named_by(hint))
    }

    /// Allows only those of `algorithms` that the key already supports. Never adds one.
    ///
    /// If you name only one of `EdDSA` and `Ed25519`, only that name remains: list both to keep both.
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::Mismatch`] if none would remain.
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

    /// Returns the key id (`kid`), if it has one.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Returns the key id for keeping, without a copy.
    pub(crate) fn id_shared(&self) -> Option<Arc<str>> {
        self.id.clone()
    }

    /// Returns the algorithms that it may be used with; at least one.
    pub fn algorithms(&self) -> AlgorithmSet {
        self.algorithms
    }

    /// Whether it is a shared secret, so that everyone who can verify with it can also sign.
    pub fn is_secret(&self) -> bool {
        self.algorithms.intersection(AlgorithmSet::ASYMMETRIC).is_empty()
    }

    /// Whether both are the same public key, regardless of their ids, algorithms and original format. Always `false` for shared secrets.
    pub fn is_same_public_key(&self, other: &Self) -> bool {
        self.material.public().is_some() && self.material.public() == other.material.public()
    }

    /// Returns what distinguishes keys of a set; `None` for a secret.
    pub(super) fn public_identity(&self) -> Option<PublicIdentity<'_>> {
        Some((self.id(), self.algorithms, self.material.public()?, self.certificate.as_deref()))
    }

    /// Whether this key made `signature` over `signing_input` (the text `header.claims` of a token).
    ///
    /// Returns `false` for an algorithm outside [`algorithms`](Self::algorithms). Secrets are compared in constant time.
    ///
    /// An ECDSA signature has a second form, (r, n - s), that anyone can compute from the first and that is equally valid (RFC 7518
    /// section 3.4 forbids neither). So one token can have two texts: to count, deny or deduplicate tokens, never identify them by their
    /// text or a hash of it, but by `jti`. Revocation in this crate does so.
    #[must_use = "an ignored signature check proves nothing"]
    pub fn check_signature(&self, algorithm: Algorithm, signing_input: &[u8], signature: &[u8]) -> bool {
        self.algorithms.contains(algorithm) && self.material.check_signature(algorithm, signing_input, signature)
    }
}

/// The id, the algorithms, the encoded public key, and the names by a certificate.
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
    /// Never shows the key material.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("id", &self.id)
            .field("kind", &self.material.kind())
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

/// Returns a configured key id that a token's `kid` can name.
pub(super) fn key_id(id: impl Into<Arc<str>>) -> Result<Arc<str>, KeyError> {
    let id = id_of_length(id)?;
    match oddity(&id) {
        Some(oddity) => {
            Err(KeyError::new(KeyErrorKind::BadId, format!("the key id {} has {oddity}: remove it", quoted(&id))))
        }
        None => Ok(id),
    }
}

/// Returns a key id of a length that a token's `kid` may have: at most 512 bytes.
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
