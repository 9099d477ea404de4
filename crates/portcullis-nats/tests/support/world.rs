//! Keys, tokens that can also be wrong, and requests with proofs.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]
#![allow(clippy::needless_pass_by_value, reason = "so that a claim is written at the call")]

use std::net::IpAddr;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::{
    UnixTime,
    authenticator::{Channel, Header, RequestView},
};
use portcullis_nats::{
    nkey::{AccountKey, KeyPair, OperatorKey, PublicKey, Role},
    proof::{Proof, RequestId, Signed},
};
use serde_json::{Value, json};

/// The instant of all tests.
pub const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

/// The service.
pub const ORIGIN: &str = "https://api.example.com";

/// An operator, one of its accounts, and a user of that.
#[derive(Debug)]
pub struct World {
    pub operator: KeyPair,
    pub account: KeyPair,
    pub user: KeyPair,
}

pub fn key(role: Role) -> KeyPair {
    KeyPair::generate(role).unwrap()
}

impl World {
    pub fn new() -> Self {
        Self { operator: key(Role::Operator), account: key(Role::Account), user: key(Role::User) }
    }

    pub fn operator_key(&self) -> OperatorKey {
        OperatorKey::try_from(*self.operator.public_key()).unwrap()
    }

    pub fn account_id(&self) -> AccountKey {
        id(&self.account)
    }

    /// The account's token, with these claims besides those that every account here has.
    pub fn account_token(&self, claims: Value) -> String {
        account_token(&self.operator, self.account.public_key(), NOW, claims)
    }

    /// The user's token, with these claims.
    pub fn user_token(&self, claims: Value) -> String {
        user_token(&self.account, self.user.public_key(), claims)
    }

    /// The usual user: who may publish below `orders`, and subscribe to events.
    pub fn usual_user(&self) -> String {
        self.user_token(usual())
    }
}

/// What the usual user may do.
pub fn usual() -> Value {
    json!({"pub": {"allow": ["orders.>"], "deny": ["orders.secret"]}, "sub": {"allow": ["events.*"]}})
}

pub fn id(account: &KeyPair) -> AccountKey {
    AccountKey::try_from(*account.public_key()).unwrap()
}

pub fn account_token(operator: &KeyPair, id: &PublicKey, issued_at: UnixTime, claims: Value) -> String {
    let unlimited = json!({
        "type": "account", "version": 2,
        "limits": {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1},
    });
    sign(operator, id, json!({"iat": issued_at.as_secs(), "name": "acme", "nats": merged(unlimited, claims)}))
}

pub fn user_token(signer: &KeyPair, user: &PublicKey, claims: Value) -> String {
    user_token_at(signer, user, NOW, claims)
}

pub fn user_token_at(signer: &KeyPair, user: &PublicKey, issued_at: UnixTime, claims: Value) -> String {
    let unlimited = json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1});
    sign(signer, user, json!({"iat": issued_at.as_secs(), "name": "alice", "nats": merged(unlimited, claims)}))
}

/// Signs claims, whatever they are. `iss` and `sub` are added.
pub fn sign(signer: &KeyPair, subject: &PublicKey, claims: Value) -> String {
    let names = json!({"jti": "TEST", "iss": signer.public_key().as_str(), "sub": subject.as_str()});
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let header = encode(br#"{"typ":"JWT","alg":"ed25519-nkey"}"#);
    let input = format!("{header}.{}", encode(merged(names, claims).to_string().as_bytes()));
    format!("{input}.{}", encode(&signer.sign(input.as_bytes())))
}

/// Signs a user's claims of version 1, under this header, which is not signed.
pub fn sign_v1(signer: &KeyPair, subject: &PublicKey, header: &str, nats: Value) -> String {
    let claims = json!({
        "jti": "TEST", "iat": NOW.as_secs(), "iss": signer.public_key().as_str(), "sub": subject.as_str(), "name": "alice", "type": "user",
        "nats": nats,
    });
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let claims = encode(claims.to_string().as_bytes());
    format!("{}.{claims}.{}", encode(header.as_bytes()), encode(&signer.sign(claims.as_bytes())))
}

/// Returns both objects in one; `null` removes a member.
pub fn merged(mut base: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        if value.is_null() {
            base.as_object_mut().unwrap().remove(name);
        } else {
            base[name] = value.clone();
        }
    }
    base
}

/// A request as the layer shows it.
#[derive(Clone, Debug)]
pub struct TestRequest {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub peer: Option<IpAddr>,
}

impl TestRequest {
    pub fn new(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), headers: Vec::new(), peer: None }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn from(mut self, peer: &str) -> Self {
        self.peer = Some(peer.parse().unwrap());
        self
    }

    /// Adds the proof of this key for that token.
    pub fn proven(self, key: &KeyPair, token: &str, nonce: &str, made_at: UnixTime) -> Self {
        let id = RequestId::random().unwrap();
        let digest = self.headers.iter().find(|(name, _)| name == "Content-Digest").map(|(_, value)| value.clone());
        let digest = digest.unwrap_or_default();
        let signed = Signed::new(ORIGIN, &self.method, &self.target, made_at, id.as_str());
        let signed = signed.with_nonce(nonce).with_content_digest(&digest);
        let proof = Proof::new(&signed, key.sign(&signed.octets(token))).to_string();
        self.with("Nats-Proof", proof)
    }
}

impl RequestView for TestRequest {
    fn method(&self) -> &str {
        &self.method
    }

    fn target(&self) -> &str {
        &self.target
    }

    fn header(&self, name: &str) -> Header<'_> {
        let mut values = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        match (values.next(), values.next()) {
            (None, _) => Header::Absent,
            (Some((_, value)), None) => Header::One(value.as_bytes()),
            _ => Header::Several,
        }
    }

    fn channel(&self) -> Channel<'_> {
        self.peer.map_or(Channel::default(), |peer| Channel::default().with_peer(peer))
    }
}
