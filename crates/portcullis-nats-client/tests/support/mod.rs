//! An operator with an account and a user, and a real service that lets the user in.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test uses a part of it, and may panic")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::Request,
    middleware::map_request,
    response::Response,
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use portcullis::{
    Admission, AuthLayer, Claims,
    content_digest::ContentDigestLayer,
    nonce::{NonceHeader, NonceLayer},
    possession::SignedNonces,
};
use portcullis_nats::{
    TrustChain, TrustChainBuilder,
    accounts::{AccountResolver, MemoryAccounts},
    nkey::{AccountKey, KeyPair, OperatorKey, PublicKey, Role},
    proof::ProofVerifier,
};
use portcullis_nats_client::{Creds, ProofSigner, UnixTime};
use portcullis_test::FixedClock;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

/// The instant at which every test begins.
pub const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

pub fn secs(number: u64) -> Duration {
    Duration::from_secs(number)
}

/// An operator, one of its accounts, and a user of that.
pub struct World {
    pub operator: KeyPair,
    pub account: KeyPair,
    pub user: KeyPair,
}

impl World {
    pub fn new() -> Self {
        let key = |role| KeyPair::generate(role).unwrap();
        Self { operator: key(Role::Operator), account: key(Role::Account), user: key(Role::User) }
    }

    pub fn account_id(&self) -> AccountKey {
        AccountKey::try_from(*self.account.public_key()).unwrap()
    }

    pub fn account_token(&self, issued_at: UnixTime, revocations: &Value) -> String {
        let limits = json!({"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1});
        let nats = json!({"type": "account", "version": 2, "limits": limits, "revocations": revocations});
        sign(&self.operator, self.account.public_key(), json!({"iat": issued_at.as_secs(), "nats": nats}))
    }

    /// A token of the user, with these claims besides the usual ones.
    pub fn user_token(&self, claims: &Value) -> String {
        user_token(&self.account, self.user.public_key(), claims)
    }

    pub fn creds(&self) -> Creds {
        self.creds_with(&json!({}))
    }

    pub fn creds_with(&self, claims: &Value) -> Creds {
        Creds::new(self.user_token(claims), self.user.clone()).unwrap()
    }
}

pub fn user_token(account: &KeyPair, user: &PublicKey, claims: &Value) -> String {
    let nats = json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1, "pub": {"allow": [">"]}});
    let mut all = json!({"iat": NOW.as_secs(), "name": "alice", "nats": nats});
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    sign(account, user, all)
}

fn sign(signer: &KeyPair, subject: &PublicKey, mut claims: Value) -> String {
    claims["iss"] = signer.public_key().as_str().into();
    claims["sub"] = subject.as_str().into();
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let input =
        format!("{}.{}", encode(br#"{"typ":"JWT","alg":"ed25519-nkey"}"#), encode(claims.to_string().as_bytes()));
    format!("{input}.{}", encode(&signer.sign(input.as_bytes())))
}

async fn subject(claims: Claims) -> String {
    claims.subject().unwrap_or_default().to_owned()
}

/// A service on a free port, which ends with this value.
pub struct Service {
    pub world: World,
    pub origin: String,
    pub clock: FixedClock,
    pub accounts: MemoryAccounts,
    requests: Arc<AtomicUsize>,
    _server: JoinSet<()>,
}

pub type HttpClient = Client<HttpConnector, Full<Bytes>>;

impl Service {
    /// One that looks accounts up.
    pub async fn start() -> Self {
        let accounts = MemoryAccounts::new();
        let resolver = accounts.clone();
        let service = Self::start_with(accounts, |builder| builder.resolver(resolver)).await;
        service.accounts.insert(service.world.account_id(), service.world.account_token(NOW, &json!({})));
        service
    }

    /// One to which callers bring their account along.
    pub async fn start_stapled() -> Self {
        Self::start_with(MemoryAccounts::new(), |builder| builder.stapled(secs(3600))).await
    }

    async fn start_with<R: AccountResolver>(
        accounts: MemoryAccounts,
        with: impl FnOnce(TrustChainBuilder) -> TrustChainBuilder<R>,
    ) -> Self {
        let (world, clock) = (World::new(), FixedClock::at(NOW));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let nonces = Arc::new(SignedNonces::random().unwrap());
        let chain = with(TrustChain::builder())
            .operator_key(OperatorKey::try_from(*world.operator.public_key()).unwrap())
            .proofs(ProofVerifier::new(origin.clone()).unwrap().nonces(Arc::clone(&nonces)))
            .tenant_per_account()
            .build()
            .unwrap();
        let nonce_layer = NonceLayer::new(NonceHeader::nats(), nonces, origin.clone()).clock(clock.clone());
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let app = Router::new()
            .route("/orders/{id}", get(subject))
            .route("/echo", post(async |body: Bytes| body).layer(ContentDigestLayer::if_present()))
            .layer(AuthLayer::new(Admission::new(chain).clock(clock.clone())))
            .layer(nonce_layer)
            .layer(map_request(move |request: Request| {
                counted.fetch_add(1, Ordering::Relaxed);
                std::future::ready(request)
            }));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { world, origin, clock, accounts, requests, _server: server }
    }

    pub fn signer(&self) -> ProofSigner {
        ProofSigner::new(&self.world.creds(), self.origin.clone()).unwrap()
    }

    pub fn client() -> HttpClient {
        Client::builder(TokioExecutor::new()).build_http()
    }

    pub fn get(&self, path: &str) -> http::Request<Full<Bytes>> {
        http::Request::get(format!("{}{path}", self.origin)).body(Full::default()).unwrap()
    }

    pub fn post(&self, body: &'static str) -> http::Request<Full<Bytes>> {
        http::Request::post(format!("{}/echo", self.origin)).body(Full::from(body)).unwrap()
    }

    /// How many requests have arrived.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

pub async fn text<B: http_body_util::BodyExt>(answer: Response<B>) -> String
where
    B::Error: std::fmt::Debug,
{
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}
