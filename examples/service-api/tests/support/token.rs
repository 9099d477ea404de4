//! Tokens, read and made without the service.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto::aws_lc};
use portcullis::clock::{Clock, SystemClock};
use serde_json::{Value, json};

pub(crate) fn header(token: &str) -> Value {
    part(token, 0)
}

pub(crate) fn claims(token: &str) -> Value {
    part(token, 1)
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemClock.now().as_secs()
}

/// Makes a token like an attacker who knows a secret: the one that consists of this byte.
pub(crate) fn signed_for_an_hour(id: &str, byte: u8) -> String {
    signed_with(id, byte, json!({}))
}

/// The same with further claims, or others.
pub(crate) fn signed_with(id: &str, byte: u8, further: Value) -> String {
    let encoded = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let header = json!({ "alg": "HS256", "kid": id });
    let mut claims = json!({
        "iss": "https://service.test", "aud": "https://orders.test", "sub": "reader",
        "iat": now(), "exp": now() + 3600, "scope": "orders:read",
    });
    let Value::Object(further) = further else { panic!("claims are an object") };
    claims.as_object_mut().unwrap().extend(further);
    let message = format!("{}.{}", encoded(&header), encoded(&claims));
    let key = EncodingKey::from_secret(&[byte; 48]).unwrap();
    let signer = (aws_lc::DEFAULT_PROVIDER.signer_factory)(&Algorithm::HS256, &key).unwrap();
    let signature = signer.try_sign(message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn part(token: &str, at: usize) -> Value {
    let text = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}
