//! The floor of the cold path: the signature alone.

use std::sync::Arc;

use aws_lc_rs::{hmac, signature as sig};
use axum::{Router, routing::get};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use portcullis::Algorithm;

/// The signature alone: key prepared, signature decoded beforehand.
pub struct Bare {
    key: BareKey,
    signing_input: Vec<u8>,
    signature: Vec<u8>,
}

enum BareKey {
    Hmac(Box<hmac::Key>),
    Public(sig::ParsedPublicKey),
}

impl BareKey {
    /// The key made from the issuer's JWK by hand, so that the floor owes nothing to our own code.
    fn new(algorithm: Algorithm, jwks: &str) -> Self {
        let set: serde_json::Value = serde_json::from_str(jwks).expect("a key set");
        let member = |name: &str| {
            let text = set["keys"][0][name].as_str().unwrap_or_default();
            BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url")
        };
        let parsed =
            |algorithm, bytes: &[u8]| Self::Public(sig::ParsedPublicKey::new(algorithm, bytes).expect("a public key"));
        let rsa = |algorithm: &'static sig::RsaParameters| {
            let components = sig::RsaPublicKeyComponents { n: member("n"), e: member("e") };
            Self::Public(components.to_parsed_public_key(algorithm).expect("an RSA key"))
        };
        match algorithm {
            Algorithm::Hs256 => Self::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &member("k")))),
            Algorithm::Rs256 => rsa(&sig::RSA_PKCS1_2048_8192_SHA256),
            Algorithm::Ps256 => rsa(&sig::RSA_PSS_2048_8192_SHA256),
            Algorithm::Es256 => {
                let point = [&[4][..], &member("x"), &member("y")].concat();
                parsed(&sig::ECDSA_P256_SHA256_FIXED, &point)
            }
            Algorithm::EdDsa => parsed(&sig::ED25519, &member("x")),
            other => panic!("no floor for {other}"),
        }
    }
}

impl Bare {
    pub fn new(algorithm: Algorithm, jwks: &str, token: &str) -> Self {
        let (signing_input, signature) = token.rsplit_once('.').expect("a token");
        let key = BareKey::new(algorithm, jwks);
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        Self { key, signing_input: signing_input.into(), signature }
    }

    pub fn check(&self) {
        match &self.key {
            BareKey::Hmac(key) => hmac::verify(key, &self.signing_input, &self.signature),
            BareKey::Public(key) => key.verify_sig(&self.signing_input, &self.signature),
        }
        .expect("a right signature");
    }

    /// The bare check within a request, where caches and predictors are as they are for everybody else.
    pub fn in_handler(self: Arc<Self>) -> Router {
        let handler = async move || {
            self.check();
            "alice".to_owned()
        };
        Router::new().route("/", get(handler))
    }
}
