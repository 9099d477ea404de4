//! Keys and key sets in text from elsewhere.

use std::collections::BTreeMap;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use portcullis::{Algorithm, KeySet, keys::VerifyingKey};
use serde_json::value::RawValue;

/// The members of an object, not parsed: an unused member may contain anything grammatical, such as half a surrogate
/// pair, which a tree of values cannot represent.
type Members<'a> = BTreeMap<String, &'a RawValue>;

/// Reads the octets as a JWK, a JWK Set, PEM text, and as what PEM text holds.
pub fn check(octets: &[u8]) {
    if let Ok(text) = str::from_utf8(octets) {
        check_jwk(text);
        check_set(text);
        check_pem(text, octets);
    }
    for label in ["PUBLIC KEY", "RSA PUBLIC KEY"] {
        let text = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(octets));
        check_pem(&text, octets);
    }
}

/// Editors write a byte order mark before a text in UTF-8, and keys are read all the same.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn check_jwk(text: &str) {
    if let Ok(key) = VerifyingKey::from_jwk(text) {
        let members = serde_json::from_str(without_mark(text)).expect("accepted, and is no object");
        assert_is_public(&key, text.as_bytes());
        assert_keeps_to(&key, &members);
    }
}

fn check_set(text: &str) {
    if let Ok((keys, skipped)) = KeySet::from_jwks(text) {
        let set: Members<'_> = serde_json::from_str(without_mark(text)).expect("accepted, and is no object");
        let members: Vec<&RawValue> = serde_json::from_str(set["keys"].get()).unwrap();
        assert_eq!(keys.len() + skipped.len(), members.len(), "a key is lost");
        assert!(keys.len() <= 100);
        keys.iter().for_each(|key| assert_is_public(key, text.as_bytes()));
        let strict = KeySet::from_jwks_strict(text);
        assert!(strict.is_err() || (skipped.is_empty() && !keys.is_empty()));
        if let Ok(own) = KeySet::from_jwks_with_secrets(text) {
            assert!(own.iter().all(VerifyingKey::is_secret) || own.iter().all(|key| !key.is_secret()), "a mixture");
        }
    } else {
        assert!(KeySet::from_jwks_strict(text).is_err() && KeySet::from_jwks_with_secrets(text).is_err());
    }
}

fn check_pem(text: &str, octets: &[u8]) {
    if let Ok(key) = VerifyingKey::from_pem(text) {
        // Text after the block is ignored, unless it is another block.
        let is_private = |line: &str| line.trim().starts_with("-----BEGIN") && line.contains("PRIVATE");
        assert!(key.id().is_none() && !text.lines().any(is_private));
        assert_is_public(&key, octets);
    }
}

/// It can do something, nothing by a secret, and does not take just anything for a signature.
pub(crate) fn assert_is_public(key: &VerifyingKey, octets: &[u8]) {
    assert!(!key.is_secret() && !key.algorithms().is_empty());
    let lengths = [0, 32, 64, 96, 256, 512, 1024, octets.len()];
    for &algorithm in Algorithm::ALL {
        for len in lengths {
            let from_input: Vec<u8> =
                octets.iter().copied().cycle().take(if octets.is_empty() { 0 } else { len }).collect();
            for signature in [vec![0; len], vec![1; len], from_input] {
                assert!(
                    !key.check_signature(algorithm, b"header.claims", &signature),
                    "{algorithm} takes {signature:?}"
                );
            }
        }
    }
}

/// What RFC 7517 and RFC 7518 say about the members, as far as it binds the key.
fn assert_keeps_to(key: &VerifyingKey, members: &Members<'_>) {
    let text = |name: &str| members.get(name).map(|value| serde_json::from_str::<String>(value.get()).unwrap());
    assert_eq!(key.id(), text("kid").as_deref());
    assert!(!["d", "p", "q", "dp", "dq", "qi", "oth"].iter().any(|name| members.contains_key(*name)), "private");
    assert!(text("use").is_none_or(|purpose| purpose == "sig"));
    let operations = members.get("key_ops").map(|value| serde_json::from_str::<Vec<String>>(value.get()).unwrap());
    assert!(operations.is_none_or(|operations| operations.iter().any(|operation| operation == "verify")));
    if let Some(name) = text("alg") {
        let named: Algorithm = name.parse().unwrap();
        let both = |algorithm| matches!(algorithm, Algorithm::EdDsa | Algorithm::Ed25519);
        assert!(key.algorithms().iter().all(|algorithm| algorithm == named || (both(algorithm) && both(named))));
    }
    let octets = |name: &str| URL_SAFE_NO_PAD.decode(text(name).unwrap()).unwrap();
    match (text("kty").as_deref().unwrap(), text("crv").as_deref()) {
        ("RSA", _) => assert_is_rsa(&octets("n"), &octets("e")),
        ("EC", Some("P-256")) => assert_eq!((octets("x").len(), octets("y").len()), (32, 32)),
        ("EC", Some("P-384")) => assert_eq!((octets("x").len(), octets("y").len()), (48, 48)),
        ("OKP", Some("Ed25519")) => assert_eq!(octets("x").len(), 32),
        other => panic!("accepted: {other:?}"),
    }
}

fn assert_is_rsa(modulus: &[u8], exponent: &[u8]) {
    let digits = |number: &[u8]| -> Vec<u8> { number.iter().copied().skip_while(|&byte| byte == 0).collect() };
    let (modulus, exponent) = (digits(modulus), digits(exponent));
    assert!((256..=1024).contains(&modulus.len()) && (modulus.len() > 256 || modulus[0] >= 0x80), "a weak modulus");
    assert!(modulus.last().unwrap() & exponent.last().unwrap() & 1 == 1, "even");
    assert_ne!(exponent, [1]);
}
