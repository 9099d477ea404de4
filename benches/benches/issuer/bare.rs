//! The floor of minting: the signature alone.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
        RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
        RsaEncoding, RsaKeyPair,
    },
};
use base64::{Engine, prelude::BASE64_STANDARD};
use portcullis::Algorithm;
use portcullis_issuer::SigningKey;

/// As long as the hash of HS512.
pub const SECRET: [u8; 64] = [7; 64];

/// A key, prepared by hand, so that the floor owes nothing to our own code.
pub enum Bare {
    Secret(Box<hmac::Key>),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Bare {
    pub fn new(algorithm: Algorithm, key: &SigningKey) -> Self {
        let secret = |hash| Self::Secret(Box::new(hmac::Key::new(hash, &SECRET)));
        let rsa = |encoding| Self::Rsa(RsaKeyPair::from_pkcs8(&pkcs8(key)).expect("an RSA key"), encoding);
        let ecdsa = |curve| Self::Ecdsa(EcdsaKeyPair::from_pkcs8(curve, &pkcs8(key)).expect("a key"));
        match algorithm {
            Algorithm::Hs256 => secret(hmac::HMAC_SHA256),
            Algorithm::Hs384 => secret(hmac::HMAC_SHA384),
            Algorithm::Hs512 => secret(hmac::HMAC_SHA512),
            Algorithm::Rs256 => rsa(&RSA_PKCS1_SHA256),
            Algorithm::Rs384 => rsa(&RSA_PKCS1_SHA384),
            Algorithm::Rs512 => rsa(&RSA_PKCS1_SHA512),
            Algorithm::Ps256 => rsa(&RSA_PSS_SHA256),
            Algorithm::Ps384 => rsa(&RSA_PSS_SHA384),
            Algorithm::Ps512 => rsa(&RSA_PSS_SHA512),
            Algorithm::Es256 => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::Es384 => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING),
            _ => Self::Ed25519(Ed25519KeyPair::from_pkcs8(&pkcs8(key)).expect("an Ed25519 key")),
        }
    }

    pub fn sign(&self, input: &[u8]) -> Vec<u8> {
        match self {
            Self::Secret(key) => hmac::sign(key, input).as_ref().to_vec(),
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), input, &mut signature).expect("a signature");
                signature
            }
            Self::Ecdsa(pair) => pair.sign(&SystemRandom::new(), input).expect("a signature").as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(input).as_ref().to_vec(),
        }
    }
}

fn pkcs8(key: &SigningKey) -> Vec<u8> {
    let pem = key.to_pem().expect("a private key");
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    BASE64_STANDARD.decode(body).expect("base64")
}
