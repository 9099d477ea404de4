//! Octets as the text of a PEM file, and as what such a file holds.

use base64::{Engine, engine::general_purpose::STANDARD};
use portcullis::keys::VerifyingKey;

use super::jwk::assert_is_public;

/// Reads the octets as text, and again wrapped up in every layout that may occur.
pub fn check(octets: &[u8]) {
    if let Ok(text) = str::from_utf8(octets) {
        check_text(text);
    }
    for label in ["PUBLIC KEY", "RSA PUBLIC KEY"] {
        check_layouts(label, octets);
    }
}

/// What is read as a key is one block of a public key, and the same key when it is written as OpenSSL does.
fn check_text(text: &str) {
    let Ok(key) = VerifyingKey::from_pem(text) else { return };
    assert_eq!(text.matches("-----BEGIN ").count(), 1, "several blocks");
    assert_is_public(&key, text.as_bytes());
    let (before, rest) = text.split_once("-----BEGIN ").unwrap();
    let (label, rest) = rest.split_once("-----").unwrap();
    assert!(label == "PUBLIC KEY" || label == "RSA PUBLIC KEY", "{label}");
    let (body, _) = rest.split_once("-----END").unwrap();
    let body: String = body.replace("\\r", "").replace("\\n", "").replace('\\', "").split_whitespace().collect();
    let der = STANDARD.decode(body).expect("base64 between the dashes");
    let again = VerifyingKey::from_pem(&written(label, &der, 64, "\n")).expect("the same key");
    assert!(is_same(&key, &again), "another key than its own text says: {before}");
}

/// Whether it is a key depends on the octets alone.
fn check_layouts(label: &str, der: &[u8]) {
    let plain = VerifyingKey::from_pem(&written(label, der, 64, "\n")).ok();
    let indented = format!("comment\n  {}", written(label, der, 64, "\n  "));
    let texts =
        [written(label, der, 64, "\r\n"), written(label, der, 76, "\n"), written(label, der, 9999, "\n"), indented];
    for text in texts {
        let key = VerifyingKey::from_pem(&text).ok();
        let is_same = match (&plain, &key) {
            (Some(one), Some(other)) => is_same(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        assert!(is_same, "not as with lines of 64:\n{text}");
    }
    let private = written("PRIVATE KEY", der, 64, "\n");
    assert!(VerifyingKey::from_pem(&private).is_err(), "a private key");
    if plain.is_some() {
        let two = written(label, der, 64, "\n").repeat(2);
        assert!(VerifyingKey::from_pem(&two).is_err(), "which of the two is meant?");
    }
}

fn written(label: &str, der: &[u8], width: usize, end: &str) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<&str> = body.as_bytes().chunks(width).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----{end}{}{end}-----END {label}-----{end}", lines.join(end))
}

fn is_same(one: &VerifyingKey, other: &VerifyingKey) -> bool {
    one.is_same_public_key(other) && one.algorithms() == other.algorithms()
}
