//! [`Material`]: key material as the cryptography needs it. It verifies signatures.

use std::fmt;

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    hmac,
    signature::ParsedPublicKey,
};

use super::{Algorithm, AlgorithmSet, KeyError, KeyErrorKind};

/// The kind of a key, which determines its algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Secret,
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl KeyKind {
    /// Returns which of the `wanted` algorithms keys of this kind support.
    ///
    /// # Errors
    ///
    /// `Mismatch` if there are none.
    pub(crate) fn narrow(self, wanted: AlgorithmSet) -> Result<AlgorithmSet, KeyError> {
        let both = self.algorithms().intersection(wanted);
        if both.is_empty() {
            return Err(KeyError::new(
                KeyErrorKind::Mismatch,
                format!("{self} keys work with {}, not with {wanted}", self.algorithms()),
            ));
        }
        Ok(both)
    }

    const fn algorithms(self) -> AlgorithmSet {
        use Algorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        match self {
            Self::Secret => AlgorithmSet::SYMMETRIC,
            Self::Rsa => AlgorithmSet::of(&[Rs256, Rs384, Rs512, Ps256, Ps384, Ps512]),
            Self::P256 => AlgorithmSet::of(&[Es256]),
            Self::P384 => AlgorithmSet::of(&[Es384]),
            Self::Ed25519 => AlgorithmSet::of(&[EdDsa, Algorithm::Ed25519]),
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret => "shared secret",
            Self::Rsa => "RSA",
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::Ed25519 => "Ed25519",
        })
    }
}

/// One key, prepared for each algorithm that it may be used with. Deliberately without `Debug`.
pub(crate) struct Material {
    kind: KeyKind,
    checks: Box<[Check]>,
    /// The public key in one encoding, whatever it was read from; `None` for a secret. Kept, because writing it takes microseconds and
    /// every key of a set is compared with others.
    public: Option<Box<[u8]>>,
}

/// One preparation with its algorithms, because both names of Ed25519 share one.
pub(crate) struct Check {
    pub(crate) algorithms: AlgorithmSet,
    pub(crate) prepared: Prepared,
}

pub(crate) enum Prepared {
    Public(ParsedPublicKey),
    Secret(Box<hmac::Key>),
}

impl Material {
    pub(crate) fn new(kind: KeyKind, checks: impl Into<Box<[Check]>>) -> Self {
        let checks = checks.into();
        let public = match checks.first().map(|check| &check.prepared) {
            Some(Prepared::Public(key)) => AsDer::<PublicKeyX509Der<'_>>::as_der(key).ok(),
            Some(Prepared::Secret(_)) | None => None,
        };
        Self { kind, checks, public: public.map(|der| der.as_ref().into()) }
    }

    pub(crate) fn kind(&self) -> KeyKind {
        self.kind
    }

    pub(crate) fn algorithms(&self) -> AlgorithmSet {
        self.checks.iter().fold(AlgorithmSet::EMPTY, |all, check| all.union(check.algorithms))
    }

    /// Returns the public key in its only encoding (RFC 5280 `SubjectPublicKeyInfo`); `None` for a secret, which is never compared.
    pub(crate) fn public(&self) -> Option<&[u8]> {
        self.public.as_deref()
    }

    /// Whether the signature is valid; `false` for an algorithm that was not prepared. Secrets are compared in constant time.
    pub(crate) fn check_signature(&self, algorithm: Algorithm, signing_input: &[u8], signature: &[u8]) -> bool {
        let Some(check) = self.checks.iter().find(|check| check.algorithms.contains(algorithm)) else {
            return false;
        };
        match &check.prepared {
            Prepared::Public(key) => key.verify_sig(signing_input, signature).is_ok(),
            Prepared::Secret(key) => hmac::verify(key, signing_input, signature).is_ok(),
        }
    }
}
