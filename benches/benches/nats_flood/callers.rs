//! Who calls: users of known accounts, and those of accounts that someone has made up.

use std::{collections::HashMap, sync::Arc, thread};

use axum::body::Body;
use http::{HeaderName, HeaderValue, Request, header::AUTHORIZATION};
use portcullis::possession::{NonceIssuer, SignedNonces};
use portcullis_core::{Clock, clock::SystemClock};
use portcullis_nats::nkey::{AccountKey, KeyPair, Role};

use crate::tokens::{self, ORIGIN, TARGET};

/// A user's token, and the key with which its proofs are signed.
pub struct Caller {
    token: String,
    signer: KeyPair,
}

/// The known accounts, their users with proofs, and their users without.
pub struct Users {
    pub known: HashMap<AccountKey, String>,
    pub proven: Vec<Caller>,
    pub bearer: Vec<String>,
    account: KeyPair,
    /// Those of all services.
    pub nonces: Arc<SignedNonces>,
}

/// Proofs of one request for each of many callers, in one piece of memory that is used again: what the process needs more of
/// memory afterwards is needed by the service.
#[derive(Default)]
pub struct Proofs {
    text: Vec<u8>,
    len: usize,
}

impl Users {
    pub fn new(operator: &KeyPair) -> Self {
        const ACCOUNTS: usize = 4;
        const OF_EACH: usize = 16;
        let accounts: Vec<KeyPair> = (0..ACCOUNTS).map(|_| key(Role::Account)).collect();
        let token = |account: &KeyPair| tokens::account(operator, account.public_key(), SystemClock.now());
        let id = |account: &KeyPair| AccountKey::try_from(*account.public_key()).expect("an account");
        let each = || accounts.iter().flat_map(|account| (0..OF_EACH).map(move |_| account));
        Self {
            known: accounts.iter().map(|account| (id(account), token(account))).collect(),
            proven: each().map(|account| Caller::new(account, None)).collect(),
            bearer: each().map(|account| user(account, &key(Role::User), true)).collect(),
            account: accounts.into_iter().next().expect("there is one"),
            nonces: Arc::new(SignedNonces::random().expect("random numbers")),
        }
    }

    /// Returns a nonce, which is good for a minute.
    pub fn nonce(&self) -> String {
        self.nonces.issue(ORIGIN, SystemClock.now()).as_str().to_owned()
    }

    /// Returns users of a known account who do not hold their keys: their proofs are signed by another one.
    pub fn impostors(&self, count: usize) -> Vec<Caller> {
        let other = key(Role::User);
        on_two_threads(count, || Caller::new(&self.account, Some(other.clone())))
    }
}

/// Returns users of accounts that no operator knows, each of another one, with right proofs.
pub fn made_up(count: usize) -> Vec<Caller> {
    on_two_threads(count, || Caller::new(&key(Role::Account), None))
}

impl Caller {
    fn new(account: &KeyPair, signer: Option<KeyPair>) -> Self {
        let own = key(Role::User);
        Self { token: user(account, &own, false), signer: signer.unwrap_or(own) }
    }

    fn proof(&self, nonce: &str) -> String {
        tokens::proof(&self.signer, &self.token, nonce, SystemClock.now())
    }

    /// Returns a request with a fresh proof.
    pub fn request(&self, nonce: &str) -> Request<Body> {
        self.request_with(self.proof(nonce).as_bytes())
    }

    /// Returns a request with a proof that was made before.
    pub fn request_with(&self, proof: &[u8]) -> Request<Body> {
        let mut request = request("NatsUser", &self.token);
        let proof = HeaderValue::from_bytes(proof).expect("a header value");
        request.headers_mut().insert(HeaderName::from_static("nats-proof"), proof);
        request
    }
}

impl Proofs {
    /// Signs a proof for each caller.
    pub fn sign(&mut self, callers: &[Caller], nonce: &str) {
        self.len = callers[0].proof(nonce).len();
        self.text.resize(callers.len() * self.len, 0);
        let (half, len) = (callers.len().div_ceil(2), self.len);
        let sign = |(callers, text): (&[Caller], &mut [u8])| {
            for (caller, place) in callers.iter().zip(text.chunks_mut(len)) {
                place.copy_from_slice(caller.proof(nonce).as_bytes());
            }
        };
        thread::scope(|scope| {
            for part in callers.chunks(half).zip(self.text.chunks_mut(half * len)) {
                scope.spawn(move || sign(part));
            }
        });
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.text.chunks_exact(self.len)
    }
}

/// Returns the request of a user without a proof.
pub fn bearer_request(token: &str) -> Request<Body> {
    request("Bearer", token)
}

fn request(scheme: &str, token: &str) -> Request<Body> {
    let value = HeaderValue::try_from(format!("{scheme} {token}")).expect("a header value");
    Request::get(TARGET).header(AUTHORIZATION, value).body(Body::empty()).expect("a request")
}

fn user(account: &KeyPair, user: &KeyPair, is_bearer: bool) -> String {
    tokens::user(account, user.public_key(), SystemClock.now(), is_bearer)
}

fn key(role: Role) -> KeyPair {
    KeyPair::generate(role).expect("a key")
}

fn on_two_threads<T: Send>(count: usize, make: impl Fn() -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let part = |count| {
            let make = &make;
            scope.spawn(move || (0..count).map(|_| make()).collect::<Vec<T>>())
        };
        let parts = [part(count / 2), part(count - count / 2)];
        parts.into_iter().flat_map(|part| part.join().expect("a thread that ends")).collect()
    })
}
