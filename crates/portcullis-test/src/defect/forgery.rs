//! Signatures by the wrong key, or under the wrong name.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use portcullis_core::Algorithm;

use super::Fault;
use crate::{
    key::{Signer, SigningKey},
    token::stages::Draft,
};

pub(super) const NONE: Fault = Fault::Draft(|draft| {
    draft.header.set("alg", "none");
    draft.signer = Signer::NoSigner;
});
pub(super) const NONE_SIGNED: Fault = Fault::Draft(|draft| draft.header.set("alg", "none"));
pub(super) const NONE_MIXED_CASE: Fault = Fault::Draft(|draft| draft.header.set("alg", "nOnE"));

pub(super) const SWAPPED: Fault = Fault::Draft(|draft| {
    let (other, by_same_key) = sibling(draft.scene.key.algorithm());
    draft.header.set("alg", other.name());
    draft.signer = if by_same_key { draft.scene.key.signer_for(other) } else { attacker(other).signer() };
});
pub(super) const OTHER_FAMILY: Fault = Fault::Draft(|draft| {
    let other = match draft.scene.key.algorithm() {
        Algorithm::Es256 | Algorithm::Es384 => Algorithm::Rs256,
        _ => Algorithm::Es256,
    };
    draft.header.set("alg", other.name());
    draft.signer = attacker(other).signer();
});

pub(super) const HMAC_WITH_PEM: Fault = Fault::Draft(|draft| {
    let text = pem(public_key(draft).public_der().unwrap_or_default());
    confuse(draft, text.as_bytes());
});
pub(super) const HMAC_WITH_TRIMMED_PEM: Fault = Fault::Draft(|draft| {
    let text = pem(public_key(draft).public_der().unwrap_or_default());
    confuse(draft, text.trim_end().as_bytes());
});
pub(super) const HMAC_WITH_DER: Fault = Fault::Draft(|draft| {
    let key = public_key(draft);
    confuse(draft, key.public_der().unwrap_or_default());
});
pub(super) const HMAC_WITH_JWK: Fault = Fault::Draft(|draft| {
    let text = public_key(draft).jwk();
    confuse(draft, text.as_bytes());
});
/// The MAC of the empty secret, which jsonwebtoken refuses, is that of a zero byte: keys are padded with zeros (RFC 2104 section 2).
pub(super) const HMAC_WITH_NOTHING: Fault = Fault::Draft(|draft| confuse(draft, &[0]));

pub(super) const WRONG_KEY: Fault = Fault::Draft(|draft| drop(sign_as_attacker(draft)));
pub(super) const WRONG_KEY_WITHOUT_KID: Fault = Fault::Draft(|draft| {
    sign_as_attacker(draft);
    draft.header.remove("kid");
});
pub(super) const WRONG_KEY_WITH_ITS_KID: Fault = Fault::Draft(|draft| {
    let key = sign_as_attacker(draft);
    draft.header.set("kid", key.id());
});

pub(super) const EMBEDDED_JWK: Fault = Fault::Draft(|draft| {
    let key = sign_as_attacker(draft);
    draft.header.set_text("jwk", key.jwk());
    draft.header.remove("kid");
});
pub(super) const EMBEDDED_JWK_WITH_ITS_KID: Fault = Fault::Draft(|draft| {
    let key = sign_as_attacker(draft);
    draft.header.set_text("jwk", key.jwk());
    draft.header.set("kid", key.id());
});
pub(super) const JKU: Fault = Fault::Draft(|draft| {
    let key = sign_as_attacker(draft);
    draft.header.set("jku", "https://attacker.test/jwks.json");
    draft.header.set("kid", key.id());
});
pub(super) const X5U: Fault = Fault::Draft(|draft| {
    let key = sign_as_attacker(draft);
    draft.header.set("x5u", "https://attacker.test/chain.pem");
    draft.header.set("kid", key.id());
});
pub(super) const X5C: Fault = Fault::Draft(|draft| {
    let key = sign_as_attacker(draft);
    draft.header.set("x5c", [STANDARD.encode(key.public_der().unwrap_or_default())]);
});

fn attacker(algorithm: Algorithm) -> Arc<SigningKey> {
    Arc::new(SigningKey::of_attacker(algorithm))
}

/// Signs with another key of the same kind, and returns it.
fn sign_as_attacker(draft: &mut Draft) -> Arc<SigningKey> {
    let key = attacker(draft.scene.key.algorithm());
    draft.signer = key.signer();
    key
}

/// Returns another algorithm, and whether the same key supports it.
fn sibling(algorithm: Algorithm) -> (Algorithm, bool) {
    match algorithm {
        Algorithm::Hs256 => (Algorithm::Hs384, true),
        Algorithm::Hs384 => (Algorithm::Hs512, true),
        Algorithm::Hs512 => (Algorithm::Hs256, true),
        Algorithm::Rs256 => (Algorithm::Rs384, true),
        Algorithm::Rs384 => (Algorithm::Rs512, true),
        Algorithm::Rs512 => (Algorithm::Ps512, true),
        Algorithm::Ps256 => (Algorithm::Rs256, true),
        Algorithm::Ps384 => (Algorithm::Ps256, true),
        Algorithm::Ps512 => (Algorithm::Ps384, true),
        Algorithm::Es256 => (Algorithm::Es384, false),
        _ => (Algorithm::Es256, false),
    }
}

/// Returns the issuer's public key, or an unrelated one if the issuer has none.
fn public_key(draft: &Draft) -> Arc<SigningKey> {
    match draft.scene.key.public_der() {
        Some(_) => Arc::clone(&draft.scene.key),
        None => attacker(Algorithm::Es256),
    }
}

/// Signs with an HMAC, which the issuer's key is not bound to.
fn confuse(draft: &mut Draft, secret: &[u8]) {
    let algorithm = match draft.scene.key.algorithm() {
        Algorithm::Hs256 => Algorithm::Hs384,
        _ => Algorithm::Hs256,
    };
    draft.header.set("alg", algorithm.name());
    draft.signer = Signer::mac(algorithm, secret);
}

/// RFC 7468 section 13.
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}
