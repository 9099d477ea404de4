//! Clients whose id is the URL of a document about them.
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
use portcullis_core::{Algorithm, Clock};
use portcullis_issuer::{
    SigningKey,
    documents::{ClientAuthentication, GrantType},
    server::{
        AuthorizationError, ClientList, Clients, Decision, Deletion, Denial, MetadataDocuments, OAuthErrorCode, Visitor,
    },
};
use portcullis_jwks::{Fetch, FetchError, OutsideDocuments, TenantKeys};
use portcullis_test::MockIssuer;
use serde_json::{Value, json};
use support::desk::{BROWSER, Desk, ORDERS, clients, parameter, query};
use tokio::{task::JoinSet, time::advance};

const ID: &str = "https://app.example.com/oauth/client.json";
const CALLBACK: &str = "https://app.example.com/callback";

/// Documents by their URLs.
#[derive(Clone, Debug, Default)]
struct Web(Arc<Mutex<Pages>>);

#[derive(Debug, Default)]
struct Pages {
    by_url: HashMap<String, (u16, String, &'static str)>,
    fetches: usize,
    is_down: bool,
    is_silent: bool,
    /// The one that answers all the same.
    answers: Option<&'static str>,
}

impl Fetch for Web {
    async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        let (is_silent, answer) = {
            let mut web = self.0.lock().unwrap();
            web.fetches += 1;
            if web.is_down {
                return Err(FetchError::unreachable(io::Error::from(io::ErrorKind::ConnectionRefused)));
            }
            let missing = || (404, String::new(), "");
            let is_silent = web.is_silent && !web.answers.is_some_and(|url| request.uri() == url);
            (is_silent, web.by_url.get(&request.uri().to_string()).cloned().unwrap_or_else(missing))
        };
        if is_silent {
            return pending().await;
        }
        // As on a network: others run meanwhile.
        tokio::task::yield_now().await;
        let (status, body, cache_control) = answer;
        let response = Response::builder().status(status).header("content-type", "application/json");
        Ok(response.header("cache-control", cache_control).body(body.into_bytes()).unwrap())
    }
}

impl Web {
    fn with(document: &Value) -> Self {
        let web = Self::default();
        web.put(ID, &document.to_string(), "max-age=3600");
        web
    }

    fn put(&self, url: &str, body: &str, cache_control: &'static str) {
        self.0.lock().unwrap().by_url.insert(url.to_owned(), (200, body.to_owned(), cache_control));
    }

    fn fetches(&self) -> usize {
        self.0.lock().unwrap().fetches
    }

    fn clients(&self) -> MetadataDocuments {
        let documents = OutsideDocuments::new(self.clone());
        MetadataDocuments::new(documents).scope("orders:read orders:write").resource(ORDERS)
    }
}

fn document() -> Value {
    json!({
        "client_id": ID,
        "client_name": "Orders on the move",
        "redirect_uris": [CALLBACK, "http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "software_version": "what is not known is ignored",
    })
}

/// The document with another member.
fn with(name: &str, value: Value) -> Value {
    let mut document = document();
    document[name] = value;
    document
}

async fn is_client(document: Value) -> bool {
    Web::with(&document).clients().find(ID).await.unwrap().is_some()
}

#[tokio::test]
async fn a_client_that_publishes_its_metadata_gets_tokens_and_its_user_is_asked() {
    let web = Web::with(&document());
    let desk = Desk::of(ClientList::new(clients()).unwrap().or(web.clients()), |builder| builder);
    let request = desk.ask(ID, &[("redirect_uri", CALLBACK)]).await;
    let is_asked = matches!(request.decide(Some(&desk.alice())).await.unwrap(), Decision::Ask(_));
    assert!(is_asked && !request.client().is_first_party());
    assert_eq!(request.client().display_name(), "Orders on the move");
    let answer = desk.grant(&request, &desk.alice(), &["orders:read"]).await;
    let code = parameter(answer.location(), "code").unwrap();
    let more = [("redirect_uri", CALLBACK)];
    let tokens = desk.redeem_with(ID, &code, support::desk::VERIFIER, &more).await.unwrap();
    assert!(desk.accepts(&tokens) && tokens.refresh_token().is_some());
    assert_eq!(web.fetches(), 1);
    let metadata: Value = serde_json::from_str(desk.server.metadata().body()).unwrap();
    assert_eq!(metadata["client_id_metadata_document_supported"], json!(true));
    // Other clients are where they were, and nothing is fetched for them.
    assert!(desk.redeem("page", &desk.code("page", &[]).await).await.is_ok());
    assert_eq!(web.fetches(), 1);
    let metadata: Value = serde_json::from_str(Desk::new().server.metadata().body()).unwrap();
    assert!(metadata.get("client_id_metadata_document_supported").is_none());
}

#[tokio::test]
async fn rfc9700_4_11_2_a_wrong_request_of_an_outsider_leads_nowhere_before_the_user_has_said_a_word() {
    let web = Web::with(&document());
    let desk = Desk::of(ClientList::new(clients()).unwrap().or(web.clients()), |builder| builder);
    let wrong = [("redirect_uri", CALLBACK), ("scope", "admin")];
    let refused = desk.server.authorization_request(&query(ID, &wrong)).await.unwrap_err();
    assert!(matches!(refused, AuthorizationError::Page(_)), "{refused:?}");
    // A client that was registered is told.
    let told = desk.server.authorization_request(&query("page", &[("scope", "admin")])).await.unwrap_err();
    assert!(matches!(told, AuthorizationError::Redirect(_)), "{told:?}");
    let request = desk.ask(ID, &[("redirect_uri", CALLBACK)]).await;
    assert!(parameter(request.deny(Denial::Denied).location(), "error").is_some());
}

#[tokio::test]
async fn a_document_is_about_its_own_url_byte_for_byte() {
    assert!(is_client(document()).await);
    for other in ["https://app.example.com/oauth/client.jso", "https://APP.example.com/oauth/client.json", "", "web"] {
        assert!(!is_client(with("client_id", json!(other))).await, "{other}");
    }
    let web = Web::with(&document());
    web.put("https://evil.example/client", &document().to_string(), "");
    assert!(web.clients().find("https://evil.example/client").await.unwrap().is_none());
}

#[tokio::test]
async fn a_document_has_no_secret() {
    for (name, value) in [
        ("client_secret", json!("0123456789abcdef0123456789abcdef")),
        ("client_secret_expires_at", json!(0)),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("token_endpoint_auth_method", json!("client_secret_post")),
        ("token_endpoint_auth_method", json!("client_secret_jwt")),
        ("token_endpoint_auth_method", json!("private_key_jwt")),
    ] {
        assert!(!is_client(with(name, value.clone())).await, "{name}: {value}");
    }
    assert!(is_client(with("token_endpoint_auth_method", Value::Null)).await);
}

#[tokio::test]
async fn a_client_with_keys_in_its_document_has_to_prove_that_it_has_them() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let jwk: Value = serde_json::from_str(&key.public_jwk().unwrap()).unwrap();
    let mut with_keys = with("token_endpoint_auth_method", json!("private_key_jwt"));
    with_keys["jwks"] = json!({ "keys": [jwk] });
    let client = Web::with(&with_keys.clone()).clients().find(ID).await.unwrap().unwrap();
    assert_eq!(client.authentication(), ClientAuthentication::PrivateKeyJwt);
    with_keys["jwks"]["keys"][0] =
        json!({ "kty": "oct", "kid": "a", "alg": "HS256", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0" });
    assert!(!is_client(with_keys.clone()).await);
}

#[tokio::test]
async fn a_client_may_have_its_keys_at_a_url_of_the_internet() {
    let at = |uri: &str| {
        let mut document = with("token_endpoint_auth_method", json!("private_key_jwt"));
        document["jwks_uri"] = json!(uri);
        document
    };
    let good = at("https://keys.example.com/jwks?a=b");
    assert!(is_client(good.clone()).await);
    for inside in [
        "",
        "https://127.0.0.1/jwks",
        "https://169.254.169.254/latest",
        "https://redis/jwks",
        "https://vault.internal/jwks",
        "http://keys.example.com/jwks",
        "https://user@keys.example.com/jwks",
        "https://keys.example.com/jwks#a",
    ] {
        assert!(!is_client(at(inside)).await, "{inside}");
    }
    // Those of a public client are not used.
    assert!(is_client(with("jwks_uri", json!("https://127.0.0.1/jwks"))).await);
    let mut both = good.clone();
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    both["jwks"] = json!({ "keys": [serde_json::from_str::<Value>(&key.public_jwk().unwrap()).unwrap()] });
    assert!(!is_client(both).await);
    for (host, is_allowed) in [("keys.example.com", true), ("keys.example.com.", false), ("other.example.com", false)] {
        let clients = Web::with(&good).clients().allow_hosts(move |asked| [host, "app.example.com"].contains(&asked));
        assert_eq!(clients.find(ID).await.unwrap().is_some(), is_allowed, "{host}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_of_a_document_proves_who_it_is_by_the_keys_at_its_url() {
    let mut document = with("token_endpoint_auth_method", json!("private_key_jwt"));
    document["jwks_uri"] = json!("https://app.example.com/jwks");
    let web = Web::with(&document);
    let fetch = web.clone();
    let sets = TenantKeys::new().keys(move |keys| keys.fetch(fetch.clone()));
    let desk = Desk::of(web.clients(), |builder| builder.client_key_sets(sets));
    let keys = MockIssuer::new().named(ID).audience(support::desk::ISSUER).clock(desk.clock.clone());
    web.put("https://app.example.com/jwks", &keys.jwks(), "max-age=3600");
    let code = desk.code(ID, &[("redirect_uri", CALLBACK)]).await;
    let assertion = |keys: &MockIssuer| {
        keys.token().subject(ID).without("client_id").expires_in(Duration::from_secs(60)).typ("JWT").sign()
    };
    let redeem = async |assertion: &str| {
        let more = [
            ("redirect_uri", CALLBACK),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
        ];
        desk.redeem_with(ID, &code, support::desk::VERIFIER, &more).await
    };
    let stranger = MockIssuer::new().named(ID).audience(support::desk::ISSUER).clock(desk.clock.clone());
    stranger.replace_key();
    assert!(redeem(&assertion(&stranger)).await.is_err());
    assert!(desk.accepts(&redeem(&assertion(&keys)).await.unwrap()));
}

#[tokio::test]
async fn a_redirect_uri_is_of_the_clients_own_origin_or_of_the_users_machine() {
    for uri in
        [CALLBACK, "https://app.example.com/other?a=b", "http://localhost:7777/callback", "http://[::1]/callback"]
    {
        assert!(is_client(with("redirect_uris", json!([uri]))).await, "{uri}");
    }
    let elsewhere = ["https://evil.example/callback", "https://app.example.com.evil.example/callback"];
    let broken =
        ["http://app.example.com/callback", "com.example.app:/callback", "https://app.example.com:8443/callback"];
    for uri in elsewhere.into_iter().chain(broken) {
        assert!(!is_client(with("redirect_uris", json!([CALLBACK, uri]))).await, "{uri}");
    }
    for uri in ["https://app.example.com/callback#a", "javascript:alert(1)", "https://app.example.com@evil.example/c"] {
        let all = Web::with(&with("redirect_uris", json!([uri]))).clients().allow_redirect_uris(|_, _| true);
        assert!(all.find(ID).await.unwrap().is_none(), "{uri}");
    }
    assert!(!is_client(with("redirect_uris", json!([]))).await);
    let web = Web::with(&with("redirect_uris", json!(["com.example.app:/callback"])));
    let rule = |id: &str, uri: &str| id == ID && uri == "com.example.app:/callback";
    assert!(web.clients().allow_redirect_uris(rule).find(ID).await.unwrap().is_some());
}

#[tokio::test]
async fn what_a_client_may_have_is_said_by_the_server() {
    let greedy = with("scope", json!("orders:read admin"));
    let client = Web::with(&greedy).clients().find(ID).await.unwrap().unwrap();
    assert_eq!(client.allowed_scopes().collect::<Vec<_>>(), ["orders:read"]);
    assert_eq!(client.resources().collect::<Vec<_>>(), [ORDERS]);
    let machine = with("grant_types", json!(["client_credentials"]));
    assert!(!is_client(machine).await);
    let more = with("grant_types", json!(["authorization_code", "client_credentials"]));
    let client = Web::with(&more).clients().find(ID).await.unwrap().unwrap();
    let grants: Vec<_> = client.allowed_grants().map(GrantType::name).collect();
    assert_eq!(grants, ["authorization_code"]);
    let name = |name: &str| Web::with(&with("client_name", json!(name))).clients();
    for (given, shown) in [("Orders", "Orders"), ("", ID), ("a\u{202e}b", ID), ("a\nb", ID), (&"x".repeat(101), ID)] {
        assert_eq!(name(given).find(ID).await.unwrap().unwrap().display_name(), shown);
    }
}

#[tokio::test]
async fn nothing_is_fetched_for_an_id_that_is_no_url_of_a_document_or_of_a_host_that_is_not_allowed() {
    let web = Web::with(&document());
    let clients = web.clients().allow_hosts(|host| host == "app.example.com");
    for id in [
        "page",
        "http://app.example.com/oauth/client.json",
        "https://app.example.com/",
        "https://app.example.com/oauth/client.json?a",
        "https://app.example.com/oauth/../client.json",
        "https://user@app.example.com/oauth/client.json",
        "https://evil.example/client.json",
        "https://app.example.com.evil.example/client.json",
    ] {
        assert!(clients.find(id).await.unwrap().is_none(), "{id}");
    }
    assert_eq!(web.fetches(), 0);
    assert!(clients.find(ID).await.unwrap().is_some());
    for inside in
        ["https://127.0.0.1/client", "https://169.254.169.254/latest", "https://redis/client", "https://0x7f.1/c"]
    {
        assert!(web.clients().find(inside).await.unwrap().is_none(), "{inside}");
    }
    assert_eq!(web.fetches(), 1);
}

#[tokio::test]
async fn what_cannot_be_fetched_is_not_wrong() {
    let web = Web::with(&document());
    web.0.lock().unwrap().is_down = true;
    let desk = Desk::of(web.clients(), |builder| builder);
    let ask =
        async || desk.server.authorization_request(&support::desk::query(ID, &[("redirect_uri", CALLBACK)])).await;
    let code = |error| match error {
        AuthorizationError::Page(error) => error.code(),
        other => panic!("{other:?}"),
    };
    assert_eq!(code(ask().await.unwrap_err()), OAuthErrorCode::TemporarilyUnavailable);
    for (status, expected) in [
        (404, OAuthErrorCode::InvalidRequest),
        (302, OAuthErrorCode::InvalidRequest),
        (429, OAuthErrorCode::TemporarilyUnavailable),
        (503, OAuthErrorCode::TemporarilyUnavailable),
    ] {
        let web = Web::with(&document());
        web.0.lock().unwrap().by_url.get_mut(ID).unwrap().0 = status;
        let desk = Desk::of(web.clients(), |builder| builder);
        let query = support::desk::query(ID, &[("redirect_uri", CALLBACK)]);
        assert_eq!(code(desk.server.authorization_request(&query).await.unwrap_err()), expected, "{status}");
    }
    let large = with("client_uri", json!("x".repeat(5 * 1024)));
    assert!(!is_client(large).await);
    assert!(is_client(with("client_uri", json!("x".repeat(4 * 1024)))).await);
}

#[tokio::test(start_paused = true)]
async fn a_document_is_fetched_again_when_it_is_no_longer_fresh() {
    for (cache_control, fresh) in
        [("max-age=3600", 3600), ("max-age=0", 300), ("no-store", 300), ("max-age=999999", 86_400)]
    {
        let web = Web::default();
        web.put(ID, &document().to_string(), cache_control);
        let clients = web.clients();
        assert!(clients.find(ID).await.unwrap().is_some());
        advance(Duration::from_secs(fresh - 1)).await;
        assert!(clients.find(ID).await.unwrap().is_some());
        assert_eq!(web.fetches(), 1, "{cache_control}");
        web.0.lock().unwrap().by_url.clear();
        advance(Duration::from_secs(1)).await;
        assert!(clients.find(ID).await.unwrap().is_none());
        assert_eq!(web.fetches(), 2, "{cache_control}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_attempt_is_not_repeated_for_a_minute() {
    for is_down in [true, false] {
        let web = Web::default();
        web.0.lock().unwrap().is_down = is_down;
        let clients = web.clients();
        for _ in 0..3 {
            assert!(clients.find(ID).await.is_err() == is_down);
            advance(Duration::from_secs(19)).await;
        }
        assert_eq!(web.fetches(), 1);
        web.0.lock().unwrap().is_down = false;
        web.put(ID, &document().to_string(), "");
        advance(Duration::from_secs(3)).await;
        assert!(clients.find(ID).await.unwrap().is_some());
        assert_eq!(web.fetches(), 2);
    }
}

#[tokio::test]
async fn many_requests_of_one_client_share_a_fetch() {
    let web = Web::with(&document());
    let clients = web.clients();
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let clients = clients.clone();
        requests.spawn(async move { clients.find(ID).await.unwrap().is_some() });
    }
    assert!(requests.join_all().await.into_iter().all(|is_client| is_client));
    assert_eq!(web.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn at_most_64_documents_are_fetched_at_once() {
    let web = Web::default();
    web.0.lock().unwrap().is_silent = true;
    let clients = web.clients();
    let mut requests = JoinSet::new();
    for at in 0..100 {
        let clients = clients.clone();
        requests.spawn(async move { clients.find(&format!("https://app{at}.example.com/client")).await.is_err() });
    }
    assert!(requests.join_all().await.into_iter().all(|is_unavailable| is_unavailable));
    assert_eq!(web.fetches(), 64);
    // Those that found no place were not tried, so they are not kept.
    web.0.lock().unwrap().is_silent = false;
    for at in 64..100 {
        assert!(clients.find(&format!("https://app{at}.example.com/client")).await.unwrap().is_none());
    }
    assert_eq!(web.fetches(), 100);
}

#[tokio::test]
async fn deleting_such_a_client_begins_with_the_rule_that_refuses_its_host() {
    let web = Web::with(&document());
    let fixed = web.clients().delete(ID).await.unwrap();
    assert!(matches!(fixed, Deletion::Fixed { why } if why.contains("refuse its host")), "{fixed:?}");
    let refusing = web.clients().allow_hosts(|host| host != "app.example.com");
    assert_eq!(refusing.delete(ID).await.unwrap(), Deletion::Gone);
    assert_eq!(web.clients().delete("page").await.unwrap(), Deletion::Gone);
}

#[tokio::test]
async fn a_document_is_an_object_and_no_list_of_the_same_values() {
    let object = json!({ "client_id": ID, "client_name": null, "redirect_uris": [CALLBACK] });
    assert!(is_client(object).await);
    let list = json!([ID, null, [CALLBACK], null, null, null, null, null, null, null, null]);
    assert!(!is_client(list).await);
}

#[tokio::test]
async fn nothing_is_fetched_for_the_name_of_a_user() {
    let web = Web::default();
    let desk = Desk::of(ClientList::new(clients()).unwrap().or(web.clients()), |builder| builder);
    let request = desk.ask("house", &[]).await;
    let decided = async |name: &str| request.decide(Some(&Visitor::new(name, BROWSER, desk.clock.now()))).await.is_ok();
    // It could be the name of a client, whose document may appear tomorrow.
    assert!(!decided("https://alice.example.com/me").await);
    assert!(decided("https://alice.example.com/").await && decided("alice").await);
    assert_eq!(web.fetches(), 0);
    let few = web.clients().allow_hosts(|host| host.ends_with(".agents.example"));
    let desk = Desk::of(ClientList::new(clients()).unwrap().or(few), |builder| builder);
    let request = desk.ask("house", &[]).await;
    let visitor = Visitor::new("https://alice.example.com/me", BROWSER, desk.clock.now());
    assert!(request.decide(Some(&visitor)).await.is_ok());
    assert_eq!(web.fetches(), 0);
}

/// Names many slow documents of as many hosts, until all places are taken.
async fn flood(web: &Web, clients: &MetadataDocuments) -> JoinSet<bool> {
    web.0.lock().unwrap().is_silent = true;
    let (mut requests, before) = (JoinSet::new(), web.fetches());
    for at in 0..200 {
        let clients = clients.clone();
        requests.spawn(async move { clients.find(&format!("https://evil{at}.example.com/client")).await.is_err() });
    }
    while web.fetches() < before + 64 {
        tokio::task::yield_now().await;
    }
    requests
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_known_outlives_a_flood_of_slow_ids() {
    let web = Web::default();
    web.put(ID, &document().to_string(), "max-age=300");
    let clients = web.clients();
    assert!(clients.find(ID).await.unwrap().is_some());
    advance(Duration::from_secs(301)).await;
    // There are places for those that were accepted before.
    let requests = flood(&web, &clients).await;
    web.0.lock().unwrap().answers = Some(ID);
    let before = web.fetches();
    assert!(clients.find(ID).await.unwrap().is_some());
    assert_eq!(web.fetches(), before + 1, "its document was not fetched again");
    // One that was never seen has to wait.
    assert!(clients.find("https://new.example.com/client").await.is_err());
    drop(requests);
}

#[tokio::test(start_paused = true)]
async fn a_client_is_used_for_an_hour_while_its_document_cannot_be_fetched() {
    let web = Web::default();
    web.put(ID, &document().to_string(), "max-age=300");
    let clients = web.clients();
    assert!(clients.find(ID).await.unwrap().is_some());
    web.0.lock().unwrap().is_down = true;
    advance(Duration::from_secs(301)).await;
    assert!(clients.find(ID).await.unwrap().is_some());
    assert!(clients.find("https://new.example.com/client").await.is_err());
    advance(Duration::from_secs(3500)).await;
    assert!(clients.find(ID).await.unwrap().is_some());
    advance(Duration::from_secs(100)).await;
    assert!(clients.find(ID).await.is_err(), "a client without a document is used for ever");
    // An answer that there is none ends it at once, also when the next attempt fails.
    web.0.lock().unwrap().is_down = false;
    advance(Duration::from_secs(61)).await;
    assert!(clients.find(ID).await.unwrap().is_some());
    web.0.lock().unwrap().by_url.clear();
    advance(Duration::from_secs(301)).await;
    assert!(clients.find(ID).await.unwrap().is_none());
    web.0.lock().unwrap().is_down = true;
    advance(Duration::from_secs(61)).await;
    assert!(clients.find(ID).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn at_most_four_documents_of_one_host_are_fetched_at_once() {
    let web = Web::default();
    web.0.lock().unwrap().is_silent = true;
    let clients = web.clients();
    for (hosts, expected) in [(1, 4), (3, 12)] {
        let before = web.fetches();
        let mut requests = JoinSet::new();
        for at in 0..30 {
            let (clients, host) = (clients.clone(), at % hosts);
            let id = format!("https://app{host}.example.com/{hosts}/{at}");
            requests.spawn(async move { clients.find(&id).await.is_err() });
        }
        assert!(requests.join_all().await.into_iter().all(|is_unavailable| is_unavailable));
        assert_eq!(web.fetches() - before, expected, "{hosts} hosts");
    }
}
