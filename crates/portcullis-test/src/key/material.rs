//! Key material of every kind, in the forms that signing and publishing need.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaKeyPair, RsaPublicKeyComponents},
};
use jsonwebtoken::EncodingKey;

use crate::{base64url, json::Members, must::must};

/// The length of the prefix of a 2048-bit key's PKCS #8 form before the PKCS #1 form, which jsonwebtoken reads (RFC 5208).
const PKCS8_PREFIX: usize = 26;

/// One key. No `Debug`, because it is private.
pub(super) struct Material {
    encoding: EncodingKey,
    /// The members that make up the key; for a secret, the secret itself.
    jwk: Members,
    public_der: Option<Vec<u8>>,
}

impl Material {
    pub(super) fn secret(bytes: &[u8]) -> Self {
        let jwk = members([("kty", "oct".to_owned()), ("k", base64url::encode(bytes))]);
        Self { encoding: must(EncodingKey::from_secret(bytes), "the secret is empty"), jwk, public_der: None }
    }

    pub(super) fn elliptic(curve: &str, algorithm: &'static EcdsaSigningAlgorithm) -> Self {
        let private = must(EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()), "cannot make an EC key");
        let pair = must(EcdsaKeyPair::from_pkcs8(algorithm, private.as_ref()), "cannot read the EC key");
        // An uncompressed point: 4, x, y (SEC 1 section 2.3.3).
        let point = pair.public_key().as_ref();
        let (x, y) = point[1..].split_at(point.len() / 2);
        let jwk = members([
            ("kty", "EC".to_owned()),
            ("crv", curve.to_owned()),
            ("x", base64url::encode(x)),
            ("y", base64url::encode(y)),
        ]);
        let public_der = Some(der(pair.public_key()));
        Self { encoding: EncodingKey::from_ec_der(private.as_ref()), jwk, public_der }
    }

    pub(super) fn ed25519() -> Self {
        let private = must(Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()), "cannot make an Ed25519 key");
        let pair = must(Ed25519KeyPair::from_pkcs8(private.as_ref()), "cannot read the Ed25519 key");
        let x = base64url::encode(pair.public_key());
        let jwk = members([("kty", "OKP".to_owned()), ("crv", "Ed25519".to_owned()), ("x", x)]);
        let public_der = Some(der(pair.public_key()));
        Self { encoding: EncodingKey::from_ed_der(private.as_ref()), jwk, public_der }
    }

    pub(super) fn generated_rsa() -> Self {
        let pair = must(RsaKeyPair::generate(KeySize::Rsa2048), "cannot make an RSA key");
        let private: Pkcs8V1Der<'_> = must(pair.as_der(), "cannot write the RSA key");
        Self::rsa(&private.as_ref()[PKCS8_PREFIX..])
    }

    /// Reads a private key in PKCS #1 form.
    pub(super) fn rsa(private: &[u8]) -> Self {
        let pair = must(RsaKeyPair::from_der(private), "cannot read the RSA key");
        let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
        let jwk = members([
            ("kty", "RSA".to_owned()),
            ("n", base64url::encode(&public.n)),
            ("e", base64url::encode(&public.e)),
        ]);
        let public_der = Some(der(pair.public_key()));
        Self { encoding: EncodingKey::from_rsa_der(private), jwk, public_der }
    }

    pub(super) fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }

    pub(super) fn jwk(&self) -> &Members {
        &self.jwk
    }

    pub(super) fn public_der(&self) -> Option<&[u8]> {
        self.public_der.as_deref()
    }

    pub(super) fn secret_bytes(&self) -> Option<&[u8]> {
        self.public_der.is_none().then(|| self.encoding.as_bytes())
    }
}

fn members<const N: usize>(members: [(&str, String); N]) -> Members {
    let mut object = Members::default();
    for (name, value) in members {
        object.set(name, value);
    }
    object
}

fn der(key: &impl AsDer<PublicKeyX509Der<'static>>) -> Vec<u8> {
    must(key.as_der(), "cannot write the public key").as_ref().to_vec()
}
