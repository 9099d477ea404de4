//! [`Material`]: a private key or a secret, prepared for signing.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    hmac,
    rand::{self, SystemRandom},
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
        Ed25519KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
        RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::Algorithm;
use zeroize::Zeroizing;

use super::SigningKeyError;
use crate::signer::{SignError, SignErrorKind, Signature, signature_len};

/// A key, prepared for one algorithm. No `Debug`, because it is private.
pub(super) enum Material {
    Secret(Box<hmac::Key>),
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
    Ecdsa(Curve, Box<EcdsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

/// A curve, with the one algorithm that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
}

/// What kind of key an algorithm takes.
pub(super) enum Kind {
    Secret(hmac::Algorithm),
    Rsa(&'static dyn RsaEncoding),
    Ecdsa(Curve),
    Ed25519,
}

impl Curve {
    pub(super) const ALL: [Self; 2] = [Self::P256, Self::P384];

    /// The name in a JSON Web Key (RFC 7518 section 6.2.1.1).
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        }
    }

    pub(super) const fn algorithm(self) -> Algorithm {
        match self {
            Self::P256 => Algorithm::Es256,
            Self::P384 => Algorithm::Es384,
        }
    }

    pub(super) fn signing(self) -> &'static EcdsaSigningAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
            Self::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        }
    }
}

impl Kind {
    pub(super) fn of(algorithm: Algorithm) -> Result<Self, SigningKeyError> {
        Ok(match algorithm {
            Algorithm::Hs256 => Self::Secret(hmac::HMAC_SHA256),
            Algorithm::Hs384 => Self::Secret(hmac::HMAC_SHA384),
            Algorithm::Hs512 => Self::Secret(hmac::HMAC_SHA512),
            Algorithm::Rs256 => Self::Rsa(&RSA_PKCS1_SHA256),
            Algorithm::Rs384 => Self::Rsa(&RSA_PKCS1_SHA384),
            Algorithm::Rs512 => Self::Rsa(&RSA_PKCS1_SHA512),
            Algorithm::Ps256 => Self::Rsa(&RSA_PSS_SHA256),
            Algorithm::Ps384 => Self::Rsa(&RSA_PSS_SHA384),
            Algorithm::Ps512 => Self::Rsa(&RSA_PSS_SHA512),
            Algorithm::Es256 => Self::Ecdsa(Curve::P256),
            Algorithm::Es384 => Self::Ecdsa(Curve::P384),
            Algorithm::EdDsa | Algorithm::Ed25519 => Self::Ed25519,
            other => {
                return Err(SigningKeyError::mismatch(format!(
                    "{other} is not an algorithm that this crate signs with"
                )));
            }
        })
    }
}

impl Material {
    pub(super) fn generate(algorithm: Algorithm) -> Result<Self, SigningKeyError> {
        let no_key = |_| SigningKeyError::malformed("the operating system has no randomness for a key");
        Ok(match Kind::of(algorithm)? {
            Kind::Secret(_) => {
                return Err(SigningKeyError::mismatch(format!(
                    "{algorithm} takes a secret, which needs an id: use `SigningKey::generate_secret`"
                )));
            }
            Kind::Rsa(encoding) => {
                Self::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).map_err(no_key)?), encoding)
            }
            Kind::Ecdsa(curve) => {
                Self::Ecdsa(curve, Box::new(EcdsaKeyPair::generate(curve.signing()).map_err(no_key)?))
            }
            Kind::Ed25519 => Self::Ed25519(Box::new(Ed25519KeyPair::generate().map_err(no_key)?)),
        })
    }

    pub(super) fn secret(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, SigningKeyError> {
        match Kind::of(algorithm)? {
            Kind::Secret(hash) => Ok(Self::Secret(Box::new(hmac::Key::new(hash, bytes)))),
            _ => Err(takes_no_secret(algorithm)),
        }
    }

    pub(super) fn from_pkcs8(der: &[u8], algorithm: Algorithm) -> Result<Self, SigningKeyError> {
        let unfit = |_| not_a_key_for(algorithm, "PKCS #8");
        Ok(match Kind::of(algorithm)? {
            Kind::Secret(_) => return Err(takes_a_secret(algorithm)),
            Kind::Rsa(encoding) => Self::rsa(RsaKeyPair::from_pkcs8(der).map_err(unfit)?, encoding),
            Kind::Ecdsa(curve) => {
                Self::Ecdsa(curve, Box::new(EcdsaKeyPair::from_pkcs8(curve.signing(), der).map_err(unfit)?))
            }
            Kind::Ed25519 => Self::Ed25519(Box::new(Ed25519KeyPair::from_pkcs8(der).map_err(unfit)?)),
        })
    }

    /// Reads the form in which OpenSSL writes RSA keys (RFC 8017).
    pub(super) fn from_pkcs1(der: &[u8], algorithm: Algorithm) -> Result<Self, SigningKeyError> {
        match Kind::of(algorithm)? {
            Kind::Rsa(encoding) => {
                let pair = RsaKeyPair::from_der(der).map_err(|_| not_a_key_for(algorithm, "PKCS #1"))?;
                Ok(Self::rsa(pair, encoding))
            }
            _ => Err(SigningKeyError::mismatch(format!("an RSA key is not one for {algorithm}"))),
        }
    }

    /// Reads the form in which OpenSSL writes elliptic keys (SEC 1, RFC 5915).
    pub(super) fn from_sec1(der: &[u8], algorithm: Algorithm) -> Result<Self, SigningKeyError> {
        match Kind::of(algorithm)? {
            Kind::Ecdsa(curve) => {
                let pair = EcdsaKeyPair::from_private_key_der(curve.signing(), der);
                let pair = pair.map_err(|_| not_a_key_for(algorithm, "SEC 1"))?;
                Ok(Self::Ecdsa(curve, Box::new(pair)))
            }
            _ => Err(SigningKeyError::mismatch(format!("an elliptic-curve key is not one for {algorithm}"))),
        }
    }

    pub(super) fn rsa(pair: RsaKeyPair, encoding: &'static dyn RsaEncoding) -> Self {
        Self::Rsa(Box::new(pair), encoding)
    }

    pub(super) fn is_secret(&self) -> bool {
        matches!(self, Self::Secret(_))
    }

    pub(super) fn sign(&self, input: &[u8]) -> Result<Signature, SignError> {
        let failed = |_| SignError::new(SignErrorKind::Refused, "the cryptographic library has failed");
        match self {
            Self::Secret(key) => Ok(Signature::new(hmac::sign(key, input).as_ref())),
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), input, &mut signature).map_err(failed)?;
                Ok(Signature::new(signature))
            }
            Self::Ecdsa(_, pair) => {
                let signature = pair.sign(&SystemRandom::new(), input).map_err(failed)?;
                Ok(Signature::new(signature.as_ref()))
            }
            Self::Ed25519(pair) => {
                let signature = pair.try_sign(input).map_err(failed)?;
                Ok(Signature::new(signature.as_ref()))
            }
        }
    }

    /// Returns the private key in the DER form of PKCS #8; `None` for a secret, or if the library fails.
    pub(super) fn to_pkcs8(&self) -> Option<Zeroizing<Vec<u8>>> {
        Some(Zeroizing::new(match self {
            Self::Secret(_) => return None,
            Self::Rsa(pair, _) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
                der.as_ref().to_vec()
            }
            Self::Ecdsa(_, pair) => pair.to_pkcs8v1().ok()?.as_ref().to_vec(),
            Self::Ed25519(pair) => pair.to_pkcs8().ok()?.as_ref().to_vec(),
        }))
    }
}

/// Returns a random secret as long as the algorithm's hash (RFC 7518 section 3.2).
pub(super) fn random_secret(algorithm: Algorithm) -> Result<Zeroizing<Vec<u8>>, SigningKeyError> {
    let len =
        signature_len(algorithm).filter(|_| algorithm.is_symmetric()).ok_or_else(|| takes_no_secret(algorithm))?;
    let mut bytes = Zeroizing::new(vec![0; len]);
    rand::fill(&mut bytes)
        .map_err(|_| SigningKeyError::malformed("the operating system has no randomness for a key"))?;
    Ok(bytes)
}

/// Returns a random id for a secret, of which no thumbprint may be published.
pub(super) fn random_id() -> Result<String, SigningKeyError> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes)
        .map_err(|_| SigningKeyError::malformed("the operating system has no randomness for an id"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

pub(super) fn not_a_key_for(algorithm: Algorithm, form: &str) -> SigningKeyError {
    SigningKeyError::mismatch(format!("this is not a private key for {algorithm} in the form of {form}"))
}

fn takes_a_secret(algorithm: Algorithm) -> SigningKeyError {
    SigningKeyError::mismatch(format!("{algorithm} takes a secret, not a private key: use `SigningKey::secret`"))
}

fn takes_no_secret(algorithm: Algorithm) -> SigningKeyError {
    SigningKeyError::mismatch(format!("{algorithm} takes a private key, not a secret"))
}
