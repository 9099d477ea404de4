//! Clients whose keys are at a URL (`jwks_uri`).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::{
    collections::HashMap,
    future::pending,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{Request, Response};
use portcullis_issuer::{
    documents::GrantType,
    records::MemoryRecordStore,
    server::{Client, ClientList, OAuthErrorCode, StoredClients},
};
use portcullis_jwks::{Fetch, FetchError, TenantKeys};
use portcullis_test::MockIssuer;
use support::{
    desk::{Desk, ISSUER, ORDERS, clients},
    secs,
};
use tokio::time::advance;

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const KEYS: &str = "https://app.example.com/jwks";

/// Documents by their URLs.
#[derive(Clone, Debug, Default)]
struct Web(Arc<Mutex<Pages>>);

#[derive(Debug, Default)]
struct Pages {
    by_url: HashMap<String, (u16, String)>,
    fetches: usize,
    is_down: bool,
    is_silent: bool,
}

impl Fetch for Web {
    async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        let (is_silent, answer) = {
            let mut web = self.0.lock().unwrap();
            web.fetches += 1;
            if web.is_down {
                return Err(FetchError::unreachable(io::Error::from(io::ErrorKind::ConnectionRefused)));
            }
            let missing = || (404, String::new());
            (web.is_silent, web.by_url.get(&request.uri().to_string()).cloned().unwrap_or_else(missing))
        };
        if is_silent {
            return pending().await;
        }
        let response = Response::builder().status(answer.0).header("content-type", "application/jwk-set+json");
        Ok(response.body(answer.1.into_bytes()).unwrap())
    }
}

/// A desk, the client `signer` with its keys on the web, and what signs for it.
struct Place {
    web: Web,
    desk: Desk,
    keys: MockIssuer,
}

fn at(uri: &str) -> Client {
    let client = Client::with_jwks_uri("signer", uri).grants([GrantType::ClientCredentials]);
    client.scope("orders:read").resource(ORDERS)
}

fn keys_of(name: &str) -> MockIssuer {
    MockIssuer::new().named(name).audience(ISSUER)
}

impl Place {
    fn new() -> Self {
        Self::with(at(KEYS), |keys| keys)
    }

    fn with(client: Client, settings: impl Fn(TenantKeys) -> TenantKeys) -> Self {
        let web = Web::default();
        let mut all = clients();
        all.push(client);
        let fetch = web.clone();
        let keys = settings(TenantKeys::new().keys(move |keys| keys.fetch(fetch.clone())));
        let desk = Desk::of(ClientList::new(all).unwrap(), |builder| builder.client_key_sets(keys));
        let keys = keys_of("signer").clock(desk.clock.clone());
        let place = Self { web, desk, keys };
        place.publish();
        place
    }

    /// Publishes the keys as they are now.
    fn publish(&self) {
        self.put(KEYS, 200, &self.keys.jwks());
    }

    fn put(&self, url: &str, status: u16, body: &str) {
        self.web.0.lock().unwrap().by_url.insert(url.to_owned(), (status, body.to_owned()));
    }

    fn fetches(&self) -> usize {
        self.web.0.lock().unwrap().fetches
    }

    /// Proves to be the client. Returns what is answered if that is not enough.
    async fn prove(&self) -> Option<OAuthErrorCode> {
        self.prove_with(&self.assertion()).await
    }

    fn assertion(&self) -> String {
        self.keys.token().subject("signer").without("client_id").expires_in(secs(60)).typ("JWT").sign()
    }

    async fn prove_with(&self, assertion: &str) -> Option<OAuthErrorCode> {
        let parameters =
            [("grant_type", "client_credentials"), ("client_assertion_type", TYPE), ("client_assertion", assertion)];
        self.desk.token(&parameters).await.err().map(|error| error.code())
    }
}

#[tokio::test(start_paused = true)]
async fn the_keys_of_a_client_are_fetched_once_for_many_requests() {
    let place = Place::new();
    assert_eq!(place.fetches(), 0);
    for _ in 0..5 {
        assert_eq!(place.prove().await, None);
    }
    assert_eq!(place.fetches(), 1);
    let stranger = keys_of("signer").clock(place.desk.clock.clone());
    stranger.replace_key();
    let forged = stranger.token().subject("signer").without("client_id").expires_in(secs(60)).typ("JWT");
    assert_ne!(place.prove_with(&forged.sign()).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_a_client_has_replaced_is_found_and_never_refused_before() {
    let place = Place::new();
    assert_eq!(place.prove().await, None);
    place.keys.rotate();
    place.publish();
    let mut is_accepted = false;
    for _ in 0..31 {
        match place.prove().await {
            None => {
                is_accepted = true;
                break;
            }
            Some(code) => assert_eq!(code, OAuthErrorCode::TemporarilyUnavailable),
        }
        advance(secs(1)).await;
    }
    assert!(is_accepted);
    // One that is not published is looked for, and then refused.
    place.keys.replace_key();
    let mut code = None;
    for _ in 0..62 {
        code = place.prove().await;
        if code == Some(OAuthErrorCode::InvalidClient) {
            break;
        }
        advance(secs(1)).await;
    }
    assert_eq!(code, Some(OAuthErrorCode::InvalidClient));
}

#[tokio::test(start_paused = true)]
async fn keys_that_cannot_be_fetched_are_an_outage_and_not_a_wrong_client() {
    let unavailable = Some(OAuthErrorCode::TemporarilyUnavailable);
    for (status, body) in
        [(404, ""), (302, ""), (429, ""), (500, ""), (200, "no keys"), (200, "{}"), (200, r#"{"keys":[]}"#)]
    {
        let place = Place::new();
        place.put(KEYS, status, body);
        assert_eq!(place.prove().await, unavailable, "{status} {body}");
    }
    let place = Place::new();
    place.web.0.lock().unwrap().is_silent = true;
    assert_eq!(place.prove().await, unavailable);
    let place = Place::new();
    place.web.0.lock().unwrap().is_down = true;
    assert_eq!(place.prove().await, unavailable);
    // No one gets in meanwhile by the name alone.
    let by_name = place.desk.token(&[("grant_type", "client_credentials"), ("client_id", "signer")]).await;
    assert_eq!(by_name.unwrap_err().code(), OAuthErrorCode::InvalidClient);
    place.web.0.lock().unwrap().is_down = false;
    advance(secs(60)).await;
    assert_eq!(place.prove().await, None);
    // An outage after that is not noticed for a while.
    place.web.0.lock().unwrap().is_down = true;
    advance(Duration::from_secs(1800)).await;
    assert_eq!(place.prove().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_client_cannot_make_the_server_ask_a_host_of_its_own_network() {
    for inside in [
        "https://127.0.0.1/jwks",
        "https://localhost/jwks",
        "https://10.0.0.1/jwks",
        "https://169.254.169.254/latest",
        "https://[::1]/jwks",
        "https://redis/jwks",
        "https://vault.internal/jwks",
        "https://orders.default.svc/jwks",
        "https://0x7f.1/jwks",
        "https://app.example.com@127.0.0.1/jwks",
        "http://127.0.0.1/jwks",
    ] {
        let Ok(_) = ClientList::new([at(inside)]) else { continue };
        let place = Place::with(at(inside), |keys| keys);
        place.put(inside, 200, &place.keys.jwks());
        let code = place.prove().await;
        assert_eq!((code, place.fetches()), (Some(OAuthErrorCode::ServerError), 0), "{inside}");
    }
    assert!(ClientList::new([at("http://app.example.com/jwks")]).is_err());
    let near = "https://redis.example.com/jwks";
    let place = Place::with(at(near), |keys| keys);
    place.put(near, 200, &place.keys.jwks());
    assert_eq!(place.prove().await, None);
    // A host of the house that the operator has named.
    let house = "https://vault.internal/jwks";
    let web = Web::default();
    let fetch = web.clone();
    let keys = TenantKeys::new().keys(move |keys| keys.fetch(fetch.clone()).danger_allow_private("vault.internal"));
    let desk = Desk::of(ClientList::new([at(house)]).unwrap(), |builder| builder.client_key_sets(keys));
    let place = Place { web, keys: keys_of("signer").clock(desk.clock.clone()), desk };
    place.put(house, 200, &place.keys.jwks());
    assert_eq!(place.prove().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_key_set_of_an_outsider_has_64_kib_at_most() {
    for (len, expected) in [(64 * 1024, None), (64 * 1024 + 1, Some(OAuthErrorCode::TemporarilyUnavailable))] {
        let place = Place::new();
        let jwks = place.keys.jwks();
        place.put(KEYS, 200, &format!("{jwks}{}", " ".repeat(len - jwks.len())));
        assert_eq!(place.prove().await, expected, "{len}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fetches_no_keys_says_that_it_is_not_the_clients_fault() {
    let desk = Desk::with(vec![at(KEYS)]);
    let place = Place { web: Web::default(), keys: keys_of("signer").clock(desk.clock.clone()), desk };
    assert_eq!(place.prove().await, Some(OAuthErrorCode::ServerError));
}

#[tokio::test(start_paused = true)]
async fn a_stored_client_has_its_keys_at_a_url() {
    let (web, stored) = (Web::default(), StoredClients::new(MemoryRecordStore::new()));
    stored.create(&at(KEYS)).await.unwrap();
    let fetch = web.clone();
    let keys = TenantKeys::new().keys(move |keys| keys.fetch(fetch.clone()));
    let desk = Desk::of(stored.clone(), |builder| builder.client_key_sets(keys));
    let place = Place { web, keys: keys_of("signer").clock(desk.clock.clone()), desk };
    place.publish();
    assert_eq!(place.prove().await, None);
    // At another URL, there are other keys.
    let read = stored.read("signer").await.unwrap().unwrap();
    let other = "https://other.example.com/jwks";
    stored.update(&at(other), read.version()).await.unwrap();
    assert_eq!(place.prove().await, Some(OAuthErrorCode::TemporarilyUnavailable));
    place.put(other, 200, &place.keys.jwks());
    advance(secs(60)).await;
    assert_eq!(place.prove().await, None);
}
