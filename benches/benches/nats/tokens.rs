//! Tokens of accounts and users, and proofs, made by hand: tens of thousands of them, without the checks of the crate's own mint.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::UnixTime;
use portcullis_nats::{
    nkey::{KeyPair, PublicKey},
    proof::{Proof, RequestId, Signed},
};
use serde_json::{Value, json};

/// The service's own name.
pub const ORIGIN: &str = "https://api.example.com";

/// What is requested.
pub const TARGET: &str = "/orders/42";

/// Returns the token of an account that allows everything.
pub fn account(operator: &KeyPair, account: &PublicKey, issued_at: UnixTime) -> String {
    let limits = json!({"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1});
    sign(operator, account, issued_at, &json!({"type": "account", "version": 2, "limits": limits}))
}

/// Returns the token of a user with some permissions, who may have to prove that it holds its key.
pub fn user(account: &KeyPair, user: &PublicKey, issued_at: UnixTime, is_bearer: bool) -> String {
    let mut claims = json!({
        "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1,
        "pub": {"allow": ["orders.>"], "deny": ["orders.secret"]}, "sub": {"allow": ["events.*"]},
    });
    if is_bearer {
        claims["bearer_token"] = Value::Bool(true);
    }
    sign(account, user, issued_at, &claims)
}

/// Returns the proof of one request, as `Nats-Proof` has it. It has always the same length.
pub fn proof(user: &KeyPair, token: &str, nonce: &str, now: UnixTime) -> String {
    let id = RequestId::random().expect("random numbers");
    let signed = Signed::new(ORIGIN, "GET", TARGET, now, id.as_str()).with_nonce(nonce);
    Proof::new(&signed, user.sign(&signed.octets(token))).to_string()
}

fn sign(signer: &KeyPair, subject: &PublicKey, issued_at: UnixTime, nats: &Value) -> String {
    let claims = json!({
        "jti": "6QSXUPPWDRAC4EPYWFAOIHTNTM5LTXB7JNZNNTIBZ2AAKLBRPB5Q", "iat": issued_at.as_secs(), "iss": signer.public_key().as_str(),
        "sub": subject.as_str(), "name": "alice", "nats": nats,
    });
    let header = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"ed25519-nkey"}"#);
    let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signer.sign(input.as_bytes())))
}
