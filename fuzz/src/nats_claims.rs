//! Claims of NATS tokens under a right signature, and octets as the text of a token.

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_nats::{
    claims::{Account, Activation, Operator, User},
    nkey::KeyPair,
    token::{Kind, Token, Version},
};
use serde_json::{Map, Value};

use super::strict::{self, Reading};

/// Signs the octets as the claims of each kind and version.
pub fn check(octets: &[u8]) {
    if let Ok(text) = str::from_utf8(octets) {
        check_text::<User>(text);
        check_text::<Account>(text);
    }
    let claims = match strict::read(octets) {
        Reading::Strict(claims) => Some(claims),
        Reading::PerhapsNumber | Reading::Other => None,
    };
    let issuer = claims.as_ref().and_then(|claims| claims.get("iss")).and_then(Value::as_str).unwrap_or_default();
    let key = KEYS.iter().find(|key| key.public_key().as_str() == issuer).unwrap_or(&KEYS[0]);
    for version in [Version::V1, Version::V2] {
        let token = sign(key, version, octets);
        check_kind::<User>(&token, version, claims.as_ref());
        check_kind::<Account>(&token, version, claims.as_ref());
        check_kind::<Operator>(&token, version, claims.as_ref());
        check_kind::<Activation>(&token, version, claims.as_ref());
    }
}

/// What is read says what its claims say, and no other text does.
fn check_kind<K: Kind>(token: &str, version: Version, claims: Option<&Map<String, Value>>) {
    let Ok(read) = Token::<K>::read(token) else { return };
    let claims = claims.expect("accepted, although it is no strict JSON");
    let registered = &read.registered;
    assert_eq!(read.version, version);
    assert_eq!(claims.get("iss").and_then(Value::as_str), Some(registered.issuer.as_str()));
    assert_eq!(claims.get("sub").and_then(Value::as_str), Some(registered.subject.as_str()));
    assert!(K::ISSUERS.contains(&registered.issuer.role()) && registered.subject.role() == K::SUBJECT);
    for (name, read) in [("name", &registered.name), ("jti", &registered.id), ("aud", &registered.audience)] {
        assert_eq!(claims.get(name).and_then(Value::as_str).unwrap_or_default(), read, "{name}");
    }
    let number = |name: &str| claims.get(name).map_or(0, |value| value.as_i64().unwrap_or_default());
    let instant = |seconds: i64| u64::try_from(seconds).unwrap_or_default().min(YEAR_9999);
    assert_eq!(registered.issued_at.as_secs().min(YEAR_9999), instant(number("iat")));
    let end = registered.expires_at.map(|end| end.as_secs().min(YEAR_9999));
    assert_eq!(end, Some(number("exp")).filter(|end| *end != 0).map(instant));
    let inner = claims.get("nats").and_then(|nats| nats.get("type")).and_then(Value::as_str);
    let outer = claims.get("type").and_then(Value::as_str).filter(|name| !name.is_empty());
    assert_eq!(outer.or(inner).unwrap_or_default(), K::NAME);
    check_text::<K>(token);
    let mut other = token.as_bytes().to_vec();
    let signature = token.rfind('.').unwrap() + 1;
    other[signature] = if other[signature] == b'A' { b'B' } else { b'A' };
    assert!(Token::<K>::read(str::from_utf8(&other).unwrap()).is_err(), "another signature");
}

/// A text that is read is one of three parts, and nothing can be put around it.
fn check_text<K: Kind>(text: &str) {
    if Token::<K>::read(text).is_err() {
        return;
    }
    assert_eq!(text.split('.').count(), 3);
    for other in [format!("{text}="), format!("{text}."), format!("{text}\n"), format!(" {text}")] {
        assert!(Token::<K>::read(&other).is_err(), "{other:?}");
    }
}

/// The latest instant that there is.
const YEAR_9999: u64 = 253_402_300_799;

fn sign(key: &KeyPair, version: Version, claims: &[u8]) -> String {
    let header = if version == Version::V1 { "ed25519" } else { "ed25519-nkey" };
    let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"typ":"JWT","alg":"{header}"}}"#));
    let claims = URL_SAFE_NO_PAD.encode(claims);
    let both = format!("{header}.{claims}");
    let signed = if version == Version::V1 { &claims } else { &both };
    format!("{both}.{}", URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())))
}

/// An operator, two accounts and a user, whose public keys are in the corpus.
static KEYS: LazyLock<[KeyPair; 4]> = LazyLock::new(|| SEEDS.map(|seed| KeyPair::from_seed(seed).unwrap()));

const SEEDS: [&str; 4] = [
    "SOAHBJ3RMBVMYQRQJVUSNS445IQMJK67R6V742QDIFXS6DN5SF4Y2YPNVE",
    "SAAMJJ3DBDQX6OJOPNCWQYSMJOJPIEJVOAN4J5VQ7EHK6HNBQGUIJWTA2M",
    "SAAPX2XBYWLQZFI3RZ3K63PCVCVO3R7U7NTXBWUTPRHVTTOVZNMG23F43U",
    "SUADATQRL7IQISC6AQNIDZVYSJYMOGCAVMMXNV5HDUVPOOWZ4IZXZLOMV4",
];
