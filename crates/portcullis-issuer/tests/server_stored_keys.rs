//! Clients in a store that have keys, or exchange tokens, and the rows of all clients.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use portcullis_core::{Algorithm, KeySet, UnixTime};
use portcullis_issuer::{
    SigningKey,
    documents::{ClientAuthentication, GrantType},
    records::{MemoryRecordStore, NewRecord, Record, RecordKey, RecordKind, RecordStore, Swapped},
    refresh::{LateRetry, RefreshPolicy, Rotation},
    server::{
        Client, ClientSecret, Clients, Deletion, ExchangePolicy, OAuthError, OAuthErrorCode, StoredClientError,
        StoredClients, TokenResponse,
    },
};
use portcullis_test::{MockIssuer, TokenBuilder};
use serde_json::{Value, json};
use support::{
    desk::{BILLS, CALLBACK, Desk, ISSUER, ORDERS, SECRET, clients},
    secs,
};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A desk whose clients are in a store.
struct Place {
    desk: Desk,
    clients: StoredClients,
    records: MemoryRecordStore,
    keys: MockIssuer,
}

fn program(client: Client) -> Client {
    client.grants([GrantType::ClientCredentials]).scope("orders:read").resource(ORDERS)
}

fn with_keys(id: &str, keys: &MockIssuer) -> Client {
    program(Client::with_jwks(id, &keys.jwks()).unwrap())
}

fn key_of(id: &str) -> RecordKey {
    RecordKey::new(RecordKind::Client, "", id).unwrap()
}

impl Place {
    fn new() -> Self {
        let records = MemoryRecordStore::new();
        let clients = StoredClients::new(records.clone());
        let desk = Desk::of(clients.clone(), |builder| builder);
        let keys = MockIssuer::new().named("signer").audience(ISSUER).clock(desk.clock.clone());
        Self { desk, clients, records, keys }
    }

    fn assertion(&self) -> TokenBuilder {
        self.keys.token().subject("signer").without("client_id").expires_in(secs(60)).typ("JWT")
    }

    async fn present(&self, assertion: &str) -> Result<TokenResponse, OAuthError> {
        let parameters =
            [("grant_type", "client_credentials"), ("client_assertion_type", TYPE), ("client_assertion", assertion)];
        self.desk.token(&parameters).await
    }

    async fn code(&self, assertion: &TokenBuilder) -> Option<OAuthErrorCode> {
        self.present(&assertion.sign()).await.err().map(|error| error.code())
    }

    async fn record(&self, id: &str) -> Record {
        self.records.find(&key_of(id)).await.unwrap().unwrap()
    }

    async fn row(&self, id: &str) -> Value {
        serde_json::from_str(self.record(id).await.text()).unwrap()
    }

    /// Writes a row as an instance of another version does.
    async fn put(&self, id: &str, row: &str) {
        assert_eq!(self.records.swap(&key_of(id), None, Some(NewRecord::new(row))).await.unwrap(), Swapped::Stored);
    }
}

/// Returns the row of this client, after it was stored, read and stored again.
async fn row_of(client: &Client) -> String {
    let text = async |client: &Client| {
        let records = MemoryRecordStore::new();
        let clients = StoredClients::new(records.clone());
        clients.create(client).await.unwrap();
        let row = records.find(&key_of(client.id())).await.unwrap().unwrap().text().to_owned();
        (row, clients.read(client.id()).await.unwrap().unwrap())
    };
    let (row, read) = text(client).await;
    assert_eq!(text(read.client()).await.0, row);
    row
}

type Changes<T> = [(&'static str, fn(T) -> T)];

/// Makes sure that each of these changes is in the row of the client that is made of it, and comes back.
async fn assert_stored<T>(changes: &Changes<T>, base: impl Fn() -> T, client: impl Fn(T) -> Client) {
    let mut rows = vec![row_of(&client(base())).await];
    for (name, change) in changes {
        let row = row_of(&client(change(base()))).await;
        assert!(!rows.contains(&row), "{name}");
        rows.push(row);
    }
}

fn confidential() -> Client {
    Client::confidential("a", ClientSecret::from_secret(SECRET).unwrap()).redirect_uri(CALLBACK).resource(ORDERS)
}

#[tokio::test]
async fn each_option_of_a_client_is_in_its_row_and_comes_back() {
    let changes: &Changes<Client> = &[
        ("public", |_| Client::public("a").redirect_uri(CALLBACK).resource(ORDERS)),
        ("keys", |_| with_keys("a", &MockIssuer::new())),
        ("keys at a URL", |_| program(Client::with_jwks_uri("a", "https://app.test/jwks"))),
        ("typed_assertions_only", |_| with_keys("a", &MockIssuer::new()).typed_assertions_only()),
        ("secret", |client| client.secret(ClientSecret::from_secret(&SECRET.repeat(2)).unwrap())),
        ("end of a secret", |client| {
            client
                .secret(ClientSecret::from_secret(&SECRET.repeat(2)).unwrap().until(UnixTime::from_secs(2_000_000_000)))
        }),
        ("name", |client| client.name("Orders")),
        ("redirect_uri", |client| client.redirect_uri("https://app.test/other")),
        ("grants", |client| client.grants([GrantType::AuthorizationCode])),
        ("scope", |client| client.scope("orders:read")),
        ("resource", |client| client.resource(BILLS)),
        ("refresh", |client| client.refresh_policy(RefreshPolicy::new().idle(secs(60)))),
        ("lifetime", |client| client.access_token_lifetime(secs(60))),
        ("combines_resources", Client::combines_resources),
        ("first_party", Client::first_party),
        ("danger_without_question", Client::danger_without_question),
        ("log_out_at", |client| client.back_channel_logout_uri("https://app.test/log-out")),
        ("exchange", |client| client.exchange(ExchangePolicy::new().tokens_for(ORDERS).resource(BILLS))),
    ];
    assert_stored(changes, confidential, |client| client).await;
}

#[tokio::test]
async fn each_rule_of_refresh_tokens_and_of_an_exchange_is_stored() {
    let policies: &Changes<RefreshPolicy> = &[
        ("grace", |policy| policy.grace(secs(7))),
        ("idle", |policy| policy.idle(secs(7))),
        ("absolute", |policy| policy.absolute(secs(7))),
        ("rotation", |policy| policy.rotation(Rotation::Never)),
        ("late_retry", |policy| policy.late_retry(LateRetry::RefuseOnly)),
        ("danger", RefreshPolicy::danger_public_client_keeps_its_token),
    ];
    assert_stored(policies, RefreshPolicy::new, |policy| confidential().refresh_policy(policy)).await;
    let rules: &Changes<ExchangePolicy> = &[
        ("tokens_for", |rules| rules.tokens_for(BILLS)),
        ("tokens_of", |rules| rules.tokens_of("page")),
        ("resource", |rules| rules.resource(ORDERS)),
        ("scope", |rules| rules.scope("orders:read")),
        ("role", |rules| rules.role("clerk")),
        ("danger_impersonates", ExchangePolicy::danger_impersonates),
        ("api_tokens", ExchangePolicy::api_tokens),
        ("acts_for_users", ExchangePolicy::acts_for_users),
    ];
    let base = || ExchangePolicy::new().tokens_for(ORDERS).resource(BILLS);
    assert_stored(rules, base, |rules| confidential().exchange(rules)).await;
}

#[tokio::test]
async fn a_stored_client_proves_who_it_is_by_its_keys() {
    let place = Place::new();
    place.clients.create(&with_keys("signer", &place.keys)).await.unwrap();
    assert!(place.desk.accepts(&place.present(&place.assertion().sign()).await.unwrap()));
    let stranger = MockIssuer::new().named("signer").audience(ISSUER).clock(place.desk.clock.clone());
    stranger.replace_key();
    let forged = stranger.token().subject("signer").without("client_id").expires_in(secs(60)).typ("JWT");
    assert_eq!(place.code(&forged).await, Some(OAuthErrorCode::InvalidClient));
    // No one gets in by the name alone, which would do for a public client.
    let by_name = place.desk.token(&[("grant_type", "client_credentials"), ("client_id", "signer")]).await;
    assert_eq!(by_name.unwrap_err().code(), OAuthErrorCode::InvalidClient);
    let metadata: Value = serde_json::from_str(place.desk.server.metadata().body()).unwrap();
    assert!(metadata["token_endpoint_auth_methods_supported"].as_array().unwrap().contains(&json!("private_key_jwt")));
    assert!(metadata["grant_types_supported"].as_array().unwrap().contains(&json!(GrantType::TokenExchange.name())));
}

#[tokio::test]
async fn a_stored_client_takes_only_typed_assertions_if_it_was_stored_so() {
    let place = Place::new();
    let typed = with_keys("signer", &place.keys).typed_assertions_only();
    place.clients.create(&typed).await.unwrap();
    assert_eq!(place.code(&place.assertion()).await, Some(OAuthErrorCode::InvalidClient));
    assert_eq!(place.code(&place.assertion().typ("client-authentication+jwt")).await, None);
    let read = place.clients.read("signer").await.unwrap().unwrap();
    place.clients.update(&with_keys("signer", &place.keys), read.version()).await.unwrap();
    assert_eq!(place.code(&place.assertion()).await, None);
}

#[tokio::test]
async fn a_key_that_was_replaced_in_the_store_is_refused_at_once() {
    let place = Place::new();
    place.clients.create(&with_keys("signer", &place.keys)).await.unwrap();
    let old = place.assertion().sign();
    place.keys.replace_key();
    assert_eq!(place.code(&place.assertion()).await, Some(OAuthErrorCode::InvalidClient));
    let read = place.clients.read("signer").await.unwrap().unwrap();
    place.clients.update(&with_keys("signer", &place.keys), read.version()).await.unwrap();
    assert_eq!(place.code(&place.assertion()).await, None);
    assert_eq!(place.present(&old).await.unwrap_err().code(), OAuthErrorCode::InvalidClient);
}

#[tokio::test]
async fn a_private_key_or_a_secret_is_never_stored() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let jwk: Value = serde_json::from_str(&key.public_jwk().unwrap()).unwrap();
    let set = |jwk: Value| json!({ "keys": [jwk] }).to_string();
    let mut private = jwk.clone();
    private["d"] = json!("870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE");
    let error = Client::with_jwks("a", &set(private)).unwrap_err().to_string();
    assert!(error.contains("private key: remove the members d"), "{error}");
    assert!(!error.contains("870MB"), "{error}");
    let secret = json!({ "kty": "oct", "alg": "HS256", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0" });
    let error = Client::with_jwks("a", &set(secret)).unwrap_err().to_string();
    assert!(error.contains("secret") && !error.contains("c2Vj"), "{error}");
    for text in ["", "{}", r#"{"keys":[]}"#, jwk.to_string().as_str()] {
        assert!(Client::with_jwks("a", text).is_err(), "{text}");
    }
    let padded = |len: usize| format!("{}{}", set(jwk.clone()), " ".repeat(len - set(jwk.clone()).len()));
    assert!(Client::with_jwks("a", &padded(16 * 1024)).is_ok());
    assert!(Client::with_jwks("a", &padded(16 * 1024 + 1)).is_err());
    // Of a public key, only what is needed is kept.
    let mut more = jwk.clone();
    more["note"] = json!("the passphrase is correct horse battery staple");
    let place = Place::new();
    place.clients.create(&program(Client::with_jwks("a", &set(more)).unwrap())).await.unwrap();
    assert!(!place.record("a").await.text().contains("horse"));
    assert_eq!(place.row("a").await["client"]["keys"]["from"]["jwks"]["keys"][0]["x"], jwk["x"]);
}

#[tokio::test]
async fn keys_in_a_source_of_the_applications_own_are_not_stored() {
    let place = Place::new();
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let source = program(Client::with_keys("a", KeySet::from(key.verifying_key())));
    let error = place.clients.create(&source).await.unwrap_err();
    assert!(matches!(error, StoredClientError::Invalid(_)) && error.to_string().contains("with_jwks"), "{error}");
    assert!(place.clients.read("a").await.unwrap().is_none(), "it would be public");
    place.clients.create(&with_keys("a", &place.keys)).await.unwrap();
    let read = place.clients.read("a").await.unwrap().unwrap();
    assert!(matches!(place.clients.update(&source, read.version()).await, Err(StoredClientError::Invalid(_))));
    let authentication = place.clients.read("a").await.unwrap().unwrap().client().authentication();
    assert_eq!(authentication, ClientAuthentication::PrivateKeyJwt);
}

#[tokio::test]
async fn a_stored_client_exchanges_tokens_by_its_rules() {
    let place = Place::new();
    let page = clients().into_iter().find(|client| client.id() == "page").unwrap();
    let exchanging = |id: &str, rules| {
        Client::confidential(id, ClientSecret::from_secret(SECRET).unwrap()).grants([]).exchange(rules)
    };
    let rules = |audience: &str| ExchangePolicy::new().tokens_for(audience).resource(BILLS).scope("orders:read");
    for client in [page, exchanging("orders", rules(ORDERS)), exchanging("bills", rules(BILLS))] {
        place.clients.create(&client).await.unwrap();
    }
    let subject = place.desk.redeem("page", &place.desk.code("page", &[]).await).await.unwrap();
    let parameters = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", subject.access().token()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
    ];
    let exchanged = place.desk.token_as("orders", SECRET, &parameters).await.unwrap();
    assert!(place.desk.accepts_at(BILLS, exchanged.access().token()));
    assert!(place.desk.token_as("bills", SECRET, &parameters).await.is_err());
}

/// Rows that an earlier version has written are read by every later one.
#[tokio::test]
async fn a_clients_row_is_read_as_it_was_written() {
    let place = Place::new();
    let [first, second] = [include_str!("rows/client-v1.json"), include_str!("rows/client-v2.json")].map(str::trim);
    for (id, row) in [("first", first), ("second", second)] {
        place.put(id, row).await;
        let read = place.clients.read(id).await.unwrap().unwrap();
        assert!(read.client().problems().is_empty());
        place.clients.update(read.client(), read.version()).await.unwrap();
        assert_eq!(place.row(id).await, serde_json::from_str::<Value>(row).unwrap());
    }
    assert_eq!(place.record("first").await.text(), first, "older instances read it");
    let read = place.clients.read("first").await.unwrap().unwrap();
    assert_eq!(read.client().authentication(), ClientAuthentication::ClientSecretBasic);
    let read = place.clients.read("second").await.unwrap().unwrap();
    assert_eq!(read.client().authentication(), ClientAuthentication::PrivateKeyJwt);
    // What is left of a deleted client is read by older instances, too.
    assert_eq!(Clients::delete(&place.clients, "second").await.unwrap(), Deletion::Gone);
    assert_eq!(place.row("second").await, json!({ "v": 1, "longest": 2_592_000_000_u64 }));
}

#[tokio::test]
async fn a_clients_row_of_a_later_version_or_a_damaged_one_is_an_error_and_left_alone() {
    let second = include_str!("rows/client-v2.json").trim();
    let mut with_secret: Value = serde_json::from_str(second).unwrap();
    let first: Value = serde_json::from_str(include_str!("rows/client-v1.json")).unwrap();
    with_secret["client"]["secrets"] = first["client"]["secrets"].clone();
    let mut private: Value = serde_json::from_str(second).unwrap();
    private["client"]["keys"]["from"]["jwks"]["keys"][0]["d"] = json!("AQAB");
    for row in [
        second.replacen("\"v\":2", "\"v\":3", 1),
        second.replacen("\"v\":2", "\"v\":0", 1),
        second.replacen("{\"jwks\"", "{\"hsm\"", 1),
        with_secret.to_string(),
        private.to_string(),
        "{}".to_owned(),
    ] {
        let place = Place::new();
        place.put("a", &row).await;
        let version = place.record("a").await.version();
        let client = with_keys("a", &place.keys);
        assert!(place.clients.read("a").await.is_err(), "{row}");
        assert!(place.clients.list().await.is_err(), "{row}");
        assert!(matches!(place.clients.create(&client).await, Err(StoredClientError::Taken)), "{row}");
        let token = place.desk.token(&[("grant_type", "client_credentials"), ("client_id", "a")]).await;
        assert_eq!(token.unwrap_err().code(), OAuthErrorCode::TemporarilyUnavailable, "{row}");
        assert_eq!((place.record("a").await.text(), place.record("a").await.version()), (row.as_str(), version));
    }
    for row in [second.replacen("\"v\":2", "\"v\":3", 1), "{}".to_owned()] {
        let place = Place::new();
        place.put("a", &row).await;
        let version = place.record("a").await.version();
        assert!(place.clients.update(&with_keys("a", &place.keys), version).await.is_err(), "{row}");
        assert!(Clients::delete(&place.clients, "a").await.is_err(), "{row}");
        assert_eq!(place.record("a").await.text(), row);
    }
}
