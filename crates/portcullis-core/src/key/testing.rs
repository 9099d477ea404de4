//! Key pairs for the tests of this folder, generated for every run.

use std::sync::OnceLock;

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
        RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
        RsaKeyPair,
    },
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

use super::Algorithm;

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// A key pair of any kind.
pub(crate) enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// One for the whole run, because generating RSA keys takes long.
pub(crate) fn rsa() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(|| Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
}

pub(crate) fn p256() -> Pair {
    Pair::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
}

pub(crate) fn p384() -> Pair {
    Pair::P384(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap())
}

pub(crate) fn ed25519() -> Pair {
    Pair::Ed25519(Ed25519KeyPair::generate().unwrap())
}

impl Pair {
    /// Returns PKCS #1 for RSA, otherwise the point.
    pub(crate) fn raw(&self) -> &[u8] {
        match self {
            Self::Rsa(pair) => pair.public_key().as_ref(),
            Self::P256(pair) | Self::P384(pair) => pair.public_key().as_ref(),
            Self::Ed25519(pair) => pair.public_key().as_ref(),
        }
    }

    pub(crate) fn spki(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = match self {
            Self::Rsa(pair) => pair.public_key().as_der(),
            Self::P256(pair) | Self::P384(pair) => pair.public_key().as_der(),
            Self::Ed25519(pair) => pair.public_key().as_der(),
        }
        .unwrap();
        der.as_ref().to_vec()
    }

    /// Returns the members of its JWK, as `"kty": "…", …`.
    pub(crate) fn members(&self) -> String {
        let raw = self.raw();
        let point = |crv: &str| {
            let (x, y) = raw[1..].split_at(raw.len() / 2);
            format!(r#""kty":"EC","crv":"{crv}","x":"{}","y":"{}""#, base64url(x), base64url(y))
        };
        match self {
            Self::Rsa(_) => {
                let key = pkcs1::RsaPublicKeyRef::try_from(raw).unwrap();
                let (n, e) = (base64url(key.modulus.as_bytes()), base64url(key.public_exponent.as_bytes()));
                format!(r#""kty":"RSA","n":"{n}","e":"{e}""#)
            }
            Self::P256(_) => point("P-256"),
            Self::P384(_) => point("P-384"),
            Self::Ed25519(_) => format!(r#""kty":"OKP","crv":"Ed25519","x":"{}""#, base64url(raw)),
        }
    }

    /// Returns its JWK with further members, such as `"kid": "a"`.
    pub(crate) fn jwk(&self, more: &str) -> String {
        let separator = if more.is_empty() { "" } else { "," };
        format!("{{{}{separator}{more}}}", self.members())
    }

    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let encoding: &'static dyn aws_lc_rs::signature::RsaEncoding = match algorithm {
                    Algorithm::Rs256 => &RSA_PKCS1_SHA256,
                    Algorithm::Rs384 => &RSA_PKCS1_SHA384,
                    Algorithm::Rs512 => &RSA_PKCS1_SHA512,
                    Algorithm::Ps256 => &RSA_PSS_SHA256,
                    Algorithm::Ps384 => &RSA_PSS_SHA384,
                    Algorithm::Ps512 => &RSA_PSS_SHA512,
                    other => panic!("{other} is not RSA"),
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
            Self::P256(pair) | Self::P384(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}
