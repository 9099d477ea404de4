//! Keys that are derived from labels, and tokens that can also be wrong.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use crc::{CRC_16_XMODEM, Crc};
use data_encoding::BASE32_NOPAD;
use portcullis_nats::nkey::KeyPair;
use serde_json::{Value, json};

/// The instant of all cases, as in the other files.
pub(crate) const NOW: i64 = 1_790_000_000;

/// When tokens were issued.
pub(crate) const IAT: i64 = 1_780_000_000;

/// What clients sign.
pub(crate) const NONCE: &str = "q8Vn0cT2bW4yLxk";

/// The text of the key with these bytes, as a public one.
pub(crate) fn public_text(prefix: u8, key: &[u8]) -> String {
    text_of([&[prefix], key].concat())
}

/// The text of a seed of a key with this prefix.
pub(crate) fn seed_text(prefix: u8, private: &[u8]) -> String {
    text_of([&[(18 << 3) | prefix >> 5, prefix << 3], private].concat())
}

fn text_of(mut bytes: Vec<u8>) -> String {
    let checksum = Crc::<u16>::new(&CRC_16_XMODEM).checksum(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    BASE32_NOPAD.encode(&bytes)
}

/// The key with this label, whose first letter is the role: `op`, `acc-scoped`, `user-2`.
pub(crate) fn key(label: &str) -> KeyPair {
    let letter = match label.as_bytes()[0] {
        b'o' => 14,
        b'a' => 0,
        b'u' => 20,
        b'n' => 13,
        other => panic!("{other}"),
    };
    KeyPair::from_seed(&seed_text(letter << 3, &hash(&format!("portcullis nats-more {label}")))).unwrap()
}

fn hash(text: &str) -> Vec<u8> {
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}

/// The public text of a label.
pub(crate) fn id(label: &str) -> String {
    key(label).public_key().to_string()
}

/// The text of a value, with the members of each object in order, whatever features `serde_json` has.
pub(crate) fn text(value: &Value) -> String {
    sorted(value).to_string()
}

pub(crate) fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            members.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect()
        }
        Value::Array(elements) => elements.iter().map(sorted).collect(),
        value => value.clone(),
    }
}

/// Puts the members of the second object over those of the first; `null` takes one away.
pub(crate) fn over(mut base: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        if value.is_null() {
            base.as_object_mut().unwrap().remove(name);
        } else {
            base[name] = value.clone();
        }
    }
    base
}

/// The header of version 2.
pub(crate) fn header() -> Value {
    json!({"typ": "JWT", "alg": "ed25519-nkey"})
}

/// The header of version 1. It is not signed, so only this text is accepted, and that with `JWT`.
pub(crate) const OLD_HEADER: &str = r#"{"typ":"jwt","alg":"ed25519"}"#;

/// Which part of the token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signs {
    HeaderAndClaims,
    Claims,
}

/// A token with any header and claims.
pub(crate) fn raw(signer: &str, header: &str, claims: &str, signs: Signs) -> String {
    let (header, claims) = (URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let both = format!("{header}.{claims}");
    let signed = if signs == Signs::Claims { &claims } else { &both };
    format!("{both}.{}", URL_SAFE_NO_PAD.encode(key(signer).sign(signed.as_bytes())))
}

/// A token of version 2.
pub(crate) fn token(signer: &str, claims: &Value) -> String {
    raw(signer, &text(&header()), &text(claims), Signs::HeaderAndClaims)
}

/// The claims of a user of version 2: these members in `nats`.
pub(crate) fn user(signer: &str, subject: &str, nats: &Value) -> Value {
    let own = json!({"subs": -1, "data": -1, "payload": -1, "type": "user", "version": 2});
    json!({"iat": IAT, "iss": id(signer), "name": "someone", "sub": id(subject), "nats": over(own, nats)})
}

/// The limits of an account that allow everything.
pub(crate) fn unlimited() -> Value {
    json!({"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1})
}

/// The claims of an account of version 2.
pub(crate) fn account(signer: &str, subject: &str, nats: &Value) -> Value {
    let own = json!({"limits": unlimited(), "type": "account", "version": 2});
    json!({"iat": IAT, "iss": id(signer), "name": "acct", "sub": id(subject), "nats": over(own, nats)})
}

/// The claims of an operator of version 2.
pub(crate) fn operator(signer: &str, subject: &str, nats: &Value) -> Value {
    let own = json!({"type": "operator", "version": 2});
    json!({"iat": IAT, "iss": id(signer), "name": "op", "sub": id(subject), "nats": over(own, nats)})
}

/// The claims of an activation of version 2.
pub(crate) fn activation(signer: &str, importer: &str, nats: &Value) -> Value {
    let own = json!({"subject": "orders.>", "kind": "stream", "type": "activation", "version": 2});
    json!({"iat": IAT, "iss": id(signer), "name": "orders", "sub": id(importer), "nats": over(own, nats)})
}
