//! An issuer with a key of every algorithm, which serves its key set.

use std::time::Duration;

use axum::{Router, body::Body, http::Response, routing::get};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis::{Admission, Algorithm, JwtAuthenticator, KeySet, RemoteKeys, policy::TokenSpec};
use portcullis_issuer::{
    AccessToken, SigningKey, TokenIssuer,
    documents::{KEY_SET_PATH, PublishedDocument, PublishedKey},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

const ISSUER: &str = "https://id.test";
const SERVICE: &str = "https://orders.test";

/// As long as the hash of HS512.
const SECRET: [u8; 64] = *b"sixty-four bytes that both sides of the shared secret know, okay";

#[derive(Debug)]
pub(crate) struct House {
    url: String,
    minted: Vec<(SigningKey, Algorithm, String)>,
    _server: JoinSet<()>,
}

/// What a library is asked.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) algorithm: Algorithm,
    pub(crate) token: String,
    /// What was done to the token.
    pub(crate) what: &'static str,
    /// Whether the token is as it was minted.
    pub(crate) is_good: bool,
    pub(crate) claims: Value,
    url: String,
}

impl House {
    pub(crate) async fn open() -> Self {
        let mut minted = Vec::new();
        for &algorithm in Algorithm::ALL {
            let key = if algorithm.is_symmetric() {
                SigningKey::secret(algorithm.name(), algorithm, &SECRET)
            } else {
                SigningKey::generate(algorithm)
            };
            let issuer = TokenIssuer::new(spec(), key.clone().unwrap()).unwrap();
            let content = AccessToken::for_user("alice", "web").scope("orders:read").role("clerk").session("s-1");
            let token = issuer.mint(&content.version(7)).await.unwrap().token().to_owned();
            minted.push((key.unwrap(), algorithm, token));
        }
        let public = minted.iter().filter(|(_, algorithm, _)| !algorithm.is_symmetric());
        let keys = public.map(|(key, ..)| PublishedKey::of(key).unwrap());
        let (server, url) = serve(PublishedDocument::key_set(keys, Duration::from_secs(300)).unwrap()).await;
        Self { url, minted, _server: server }
    }

    /// Each token, as it was minted and with one bit changed.
    pub(crate) fn questions(&self) -> Vec<Question> {
        let ask = |(_, algorithm, token): &(SigningKey, Algorithm, String)| {
            let question = |what, is_good, token: String| Question {
                algorithm: *algorithm,
                claims: claims(&token),
                token,
                what,
                is_good,
                url: self.url.clone(),
            };
            let bits = decode(token, 2).len() * 8;
            [
                question("nothing changed", true, token.clone()),
                question("the first bit of the signature changed", false, flip(token, 2, 0)),
                question("a bit in the middle of the signature changed", false, flip(token, 2, bits / 2 + 3)),
                question("the last bit of the signature changed", false, flip(token, 2, bits - 1)),
                question("another subject", false, rewrite(token)),
            ]
        };
        self.minted.iter().flat_map(ask).collect()
    }

    /// A service with these keys, which are not asked for the secrets.
    pub(crate) fn service(&self, algorithm: Algorithm, fetched: &RemoteKeys) -> Admission {
        let (key, ..) = self.minted.iter().find(|(_, other, _)| *other == algorithm).unwrap();
        let trusted = if algorithm.is_symmetric() {
            spec().trusted_at(SERVICE, KeySet::from(key.verifying_key()))
        } else {
            spec().trusted_at(SERVICE, fetched.clone())
        };
        Admission::new(JwtAuthenticator::new(trusted.unwrap()).unwrap())
    }

    /// The key set, fetched.
    pub(crate) async fn fetch(&self) -> RemoteKeys {
        let keys = RemoteKeys::from_url(&self.url).start().unwrap();
        keys.require(Duration::from_secs(60)).await.unwrap();
        keys
    }
}

impl Question {
    pub(crate) fn to_json(&self) -> Value {
        let alg = self.algorithm.name();
        let mut question = json!({ "token": self.token, "alg": alg, "issuer": ISSUER, "audience": SERVICE });
        if self.algorithm.is_symmetric() {
            question["key"] = json!({ "kty": "oct", "kid": alg, "alg": alg, "k": URL_SAFE_NO_PAD.encode(SECRET) });
        } else {
            question["url"] = json!(self.url);
        }
        question
    }
}

fn spec() -> TokenSpec {
    TokenSpec::new(ISSUER).audience(SERVICE)
}

async fn serve(key_set: PublishedDocument) -> (JoinSet<()>, String) {
    let answer = async move || {
        let answer = key_set.answer(None);
        let response = Response::builder().status(answer.status());
        let response = answer.headers().fold(response, |response, (name, value)| response.header(name, value));
        response.body(Body::from(answer.body().to_owned())).unwrap()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{KEY_SET_PATH}", listener.local_addr().unwrap());
    let app = Router::new().route(KEY_SET_PATH, get(answer));
    let mut server = JoinSet::new();
    server.spawn(async { axum::serve(listener, app).await.unwrap() });
    (server, url)
}

fn decode(token: &str, part: usize) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token.split('.').nth(part).unwrap()).unwrap()
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&decode(token, 1)).unwrap()
}

fn replace(token: &str, part: usize, bytes: &[u8]) -> String {
    let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    parts[part] = URL_SAFE_NO_PAD.encode(bytes);
    parts.join(".")
}

fn flip(token: &str, part: usize, bit: usize) -> String {
    let mut bytes = decode(token, part);
    bytes[bit / 8] ^= 0x80 >> (bit % 8);
    replace(token, part, &bytes)
}

/// Another subject, which differs by one bit.
fn rewrite(token: &str) -> String {
    let claims = String::from_utf8(decode(token, 1)).unwrap();
    let other = claims.replacen("\"alice\"", "\"alicd\"", 1);
    assert_ne!(claims, other);
    replace(token, 1, other.as_bytes())
}
