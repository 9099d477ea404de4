//! The provider's keys change while requests run.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use tokio::{
    sync::Barrier,
    task::{JoinSet, yield_now},
};

use super::{
    grants::{authorization_code, client_credentials, code, redeem},
    provider::Provider,
    service::{Answer, Service},
};

/// Requests at the moment of the rotation.
const REQUESTS: usize = 10_000;
/// Different tokens among them, half of them RS256 and half ES256: two new key ids at once.
const TOKENS: usize = 40;
/// Clients that never stop while the keys change.
const CLIENTS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_at_the_moment_of_a_rotation() {
    let Some(mut provider) = Provider::start().await else { return };
    let service = Service::start(&provider).await;
    let old = machine_tokens(&provider, 2).await;
    let load = Load::start(&service, &old);
    let before = provider.counts().await;

    let rotated = provider.rotate().await;
    let new = machine_tokens(&provider, TOKENS).await;
    for token in &new {
        let kid = key_id(token);
        assert!(rotated.published[..2].contains(&kid), "{kid} is no new key: {rotated:?}");
    }
    assert_eq!(provider.counts().await, before, "the new keys have not been requested yet");
    let burst = burst(&service, &new, REQUESTS).await;
    let load = load.stop().await;

    assert_eq!(burst, Tally::all_accepted(REQUESTS));
    assert!(load.accepted > 0, "no request with an old token ran meanwhile");
    assert_eq!(load, Tally::all_accepted(load.accepted));
    let after = provider.counts().await;
    assert_eq!(after.jwks, before.jwks + 1, "one rotation, one fetch: {before:?}, then {after:?}");
}

#[tokio::test]
async fn keys_that_are_no_longer_published_are_no_longer_good() {
    let Some(mut provider) = Provider::start().await else { return };
    let service = Service::start(&provider).await;
    let old = machine_tokens(&provider, 4).await;
    // Two were seen before the rotation, two were not.
    assert_eq!(burst(&service, &old[..2], 2).await, Tally::all_accepted(2));

    provider.replace().await;
    let new = machine_tokens(&provider, 2).await;
    assert_eq!(burst(&service, &new, 2).await, Tally::all_accepted(2));
    for token in &old {
        assert_eq!(service.get("/orders", token).await.refusal(), (401, "key_unknown".to_owned()));
    }
    assert_eq!(burst(&service, &new, 2).await, Tally::all_accepted(2));
}

/// The test's own server: what began under the old keys is ended under the new ones.
#[tokio::test]
async fn a_login_outlives_a_rotation() {
    let Some(mut provider) = Provider::start().await else { return };
    let service = Service::start(&provider).await;
    let resource = provider.audience().to_owned();
    let before = authorization_code(&provider, Some(&resource), "openid orders:read").await;
    let code = code(&provider, Some(&resource), "openid orders:read").await;
    provider.rotate().await;
    let after = redeem(&provider, &code, Some(&resource)).await;
    assert_ne!(key_id(&before.access), key_id(&after.access));
    for tokens in [before, after] {
        assert_eq!(service.get("/me", &tokens.access).await.greeting(), "alice");
    }
}

/// Tokens with the scope, one after the other by RS256 and ES256.
async fn machine_tokens(provider: &Provider, count: usize) -> Vec<String> {
    let mut tokens = Vec::with_capacity(count);
    for client in ["machine", "machine-es256"].into_iter().cycle().take(count) {
        tokens.push(client_credentials(provider, client, provider.audience(), "orders:read").await);
    }
    tokens
}

/// All at once: every request is a task of its own, and none is sent before all of them can be.
async fn burst(service: &Service, tokens: &[String], requests: usize) -> Tally {
    let mut tasks = JoinSet::new();
    let start = Arc::new(Barrier::new(requests));
    for token in tokens.iter().cycle().take(requests) {
        let (service, token, start) = (service.clone(), token.clone(), Arc::clone(&start));
        tasks.spawn(async move {
            start.wait().await;
            service.get("/orders", &token).await
        });
    }
    let mut tally = Tally::default();
    while let Some(answer) = tasks.join_next().await {
        tally.add(&answer.unwrap());
    }
    tally
}

/// What became of requests with valid tokens.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    accepted: usize,
    /// By status and code.
    refused: BTreeMap<(u16, String), usize>,
}

impl Tally {
    fn all_accepted(accepted: usize) -> Self {
        Self { accepted, refused: BTreeMap::new() }
    }

    fn add(&mut self, answer: &Answer) {
        if answer.is_ok() {
            self.accepted += 1;
        } else {
            *self.refused.entry(answer.refusal()).or_default() += 1;
        }
    }
}

/// Clients that send one request after the other until they are stopped.
struct Load {
    clients: JoinSet<Tally>,
    is_over: Arc<AtomicBool>,
}

impl Load {
    fn start(service: &Service, tokens: &[String]) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut clients = JoinSet::new();
        for token in tokens.iter().cycle().take(CLIENTS) {
            clients.spawn(client(service.clone(), token.clone(), Arc::clone(&is_over)));
        }
        Self { clients, is_over }
    }

    async fn stop(mut self) -> Tally {
        self.is_over.store(true, Ordering::Relaxed);
        let mut total = Tally::default();
        while let Some(tally) = self.clients.join_next().await {
            let Tally { accepted, refused } = tally.unwrap();
            total.accepted += accepted;
            for (refusal, count) in refused {
                *total.refused.entry(refusal).or_default() += count;
            }
        }
        total
    }
}

async fn client(service: Service, token: String, is_over: Arc<AtomicBool>) -> Tally {
    let mut tally = Tally::default();
    while !is_over.load(Ordering::Relaxed) {
        tally.add(&service.get("/orders", &token).await);
        // An answer that never waits would keep the others from running.
        yield_now().await;
    }
    tally
}

fn key_id(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}
