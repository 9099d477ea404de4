//! Clients that prove who they are by an assertion (`private_key_jwt`, RFC 7523).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use portcullis_core::{
    Algorithm, Clock, KeySet, Secret, UnixTime,
    keys::{KeyHint, KeySource, KeySourceError, KeySourceErrorKind, Resolved},
    policy::TokenSpec,
};
use portcullis_issuer::{
    StoreError, TokenIssuer,
    documents::GrantType,
    records::MemoryRecordStore,
    refresh::{DangerUncheckedSubjects, RefreshKeys, Sessions},
    server::{
        AuthorizationServer, Client, ClientList, ClientSecret, Clients, Deletion, EndpointRequest, OAuthError,
        OAuthErrorCode, ServerEvent, StoredClients, TokenResponse,
    },
};
use portcullis_test::{FixedClock, MockIssuer, MockKeys, TokenBuilder};
use serde_json::{Value, json};
use support::{
    desk::{Desk, ISSUER, ORDERS, SECRET, basic, clients, form},
    minutes, secs,
};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A desk with the client `signer`, and what signs for it.
struct Signer {
    desk: Desk,
    keys: MockIssuer,
}

fn keys_of(name: &str) -> MockIssuer {
    MockIssuer::new().named(name).audience(ISSUER)
}

fn client(keys: impl KeySource) -> Client {
    Client::with_keys("signer", keys).grants([GrantType::ClientCredentials]).scope("orders:read").resource(ORDERS)
}

impl Signer {
    fn new() -> Self {
        Self::with(|client| client)
    }

    fn with(settings: impl FnOnce(Client) -> Client) -> Self {
        let keys = keys_of("signer");
        let mut clients = clients();
        clients.push(settings(client(keys.keys())));
        let desk = Desk::with(clients);
        Self { keys: keys.clock(desk.clock.clone()), desk }
    }

    /// An assertion as clients make them.
    fn assertion(&self) -> TokenBuilder {
        self.keys.token().subject("signer").without("client_id").expires_in(secs(60)).typ("JWT")
    }

    /// Presents it to another instance.
    async fn present_to(&self, server: &AuthorizationServer, assertion: &str) -> Option<OAuthErrorCode> {
        let parameters =
            [("grant_type", "client_credentials"), ("client_assertion_type", TYPE), ("client_assertion", assertion)];
        self.desk.token_of(server, &parameters).await.err().map(|error| error.code())
    }

    async fn present(&self, assertion: &str) -> Result<TokenResponse, OAuthError> {
        self.present_with(assertion, &[]).await
    }

    async fn present_with(&self, assertion: &str, more: &[(&str, &str)]) -> Result<TokenResponse, OAuthError> {
        let mut parameters = vec![
            ("grant_type", "client_credentials"),
            ("client_assertion_type", TYPE),
            ("client_assertion", assertion),
        ];
        parameters.extend(more);
        self.desk.token(&parameters).await
    }

    async fn code(&self, assertion: &TokenBuilder) -> Option<OAuthErrorCode> {
        self.present(&assertion.sign()).await.err().map(|error| error.code())
    }
}

#[tokio::test]
async fn a_client_proves_who_it_is_by_an_assertion() {
    let signer = Signer::new();
    let response = signer.present(&signer.assertion().sign()).await.unwrap();
    assert!(signer.desk.accepts(&response));
    for good in [
        signer.assertion().typ("client-authentication+jwt"),
        signer.assertion().without_header("typ"),
        signer.assertion().without("iat"),
        signer.assertion().expires_in(minutes(5)),
    ] {
        assert_eq!(signer.code(&good).await, None);
    }
    let named = signer.present_with(&signer.assertion().sign(), &[("client_id", "signer")]).await;
    assert!(named.is_ok());
    let other = signer.present_with(&signer.assertion().sign(), &[("client_id", "worker")]).await;
    assert_eq!(other.unwrap_err().code(), OAuthErrorCode::InvalidRequest);
}

#[tokio::test]
async fn an_assertion_for_anyone_else_or_of_anyone_else_is_refused() {
    let signer = Signer::new();
    let audiences = [
        json!([ISSUER]),
        json!([ISSUER, "https://other.test"]),
        json!("https://id.test/oauth/token"),
        json!("https://id.test/"),
        json!("https://other.test"),
        json!([]),
    ];
    for audience in audiences {
        let refused = signer.code(&signer.assertion().claim("aud", &audience)).await;
        assert_eq!(refused, Some(OAuthErrorCode::InvalidClient), "{audience}");
    }
    let stranger = keys_of("signer").clock(signer.desk.clock.clone());
    let forged = stranger.token().subject("signer").expires_in(secs(60)).typ("JWT");
    for refused in [
        forged,
        signer.assertion().claim("iss", "worker"),
        signer.assertion().claim("iss", ISSUER),
        signer.assertion().subject("worker"),
        signer.assertion().subject("unknown"),
        signer.assertion().typ("at+jwt"),
        signer.assertion().typ("dpop+jwt"),
        signer.assertion().without("jti"),
        signer.assertion().without("exp"),
        signer.assertion().without("iss"),
        signer.assertion().without("sub"),
        signer.assertion().without("aud"),
        signer.assertion().claim("cnf", json!({ "jkt": "x" })),
    ] {
        assert_eq!(signer.code(&refused).await, Some(OAuthErrorCode::InvalidClient));
    }
    for text in ["", "x", "a.b.c", "..", "e30.e30.e30"] {
        assert!(signer.present(text).await.is_err(), "{text:?}");
    }
    assert_eq!(signer.code(&signer.assertion()).await, None);
}

#[tokio::test]
async fn an_assertion_lives_for_five_minutes_at_most() {
    let signer = Signer::new();
    for (refused, accepted) in [
        // Longer than five minutes from its making, and from now if it does not say when it was made.
        (signer.assertion().expires_in(secs(301)), signer.assertion().expires_in(secs(300))),
        (
            signer.assertion().without("iat").expires_in(secs(331)),
            signer.assertion().without("iat").expires_in(secs(330)),
        ),
        (
            signer.assertion().issued_at(support::T.plus(secs(31))).expires_in(secs(90)),
            signer.assertion().issued_at(support::T.plus(secs(30))).expires_in(secs(90)),
        ),
    ] {
        assert_eq!(signer.code(&refused).await, Some(OAuthErrorCode::InvalidClient));
        assert_eq!(signer.code(&accepted).await, None);
    }
    let [late, later] = [signer.assertion(), signer.assertion()];
    signer.desk.clock.advance(secs(89));
    assert_eq!(signer.code(&late).await, None, "a clock may differ by the leeway");
    signer.desk.clock.advance(secs(1));
    assert_eq!(signer.code(&later).await, Some(OAuthErrorCode::InvalidClient));
}

#[tokio::test]
async fn an_assertion_is_accepted_once() {
    let signer = Signer::new();
    let text = signer.assertion().token_id("one").sign();
    let all = tokio::join!(signer.present(&text), signer.present(&text), signer.present(&text));
    assert_eq!([all.0, all.1, all.2].iter().filter(|answer| answer.is_ok()).count(), 1);
    // Another one with the same id, and the same one as long as it would be accepted.
    assert_eq!(signer.code(&signer.assertion().token_id("one")).await, Some(OAuthErrorCode::InvalidClient));
    signer.desk.clock.advance(secs(89));
    assert_eq!(signer.present(&text).await.unwrap_err().code(), OAuthErrorCode::InvalidClient);
    assert_eq!(signer.code(&signer.assertion().token_id("two")).await, None);
    let replays = signer.desk.events(|event| matches!(event, ServerEvent::AssertionReplayed { .. }).then_some(()));
    assert_eq!(replays.len(), 4);
}

#[tokio::test]
async fn an_assertion_that_is_refused_does_not_use_up_its_id() {
    let signer = Signer::new();
    let refused = signer.assertion().token_id("one").claim("aud", json!([ISSUER]));
    assert_eq!(signer.code(&refused).await, Some(OAuthErrorCode::InvalidClient));
    assert_eq!(signer.code(&signer.assertion().token_id("one")).await, None);
}

#[tokio::test]
async fn a_client_may_have_to_say_the_type_of_its_assertions() {
    let signer = Signer::with(Client::typed_assertions_only);
    for refused in [signer.assertion(), signer.assertion().without_header("typ")] {
        assert_eq!(signer.code(&refused).await, Some(OAuthErrorCode::InvalidClient));
    }
    for typ in ["client-authentication+jwt", "application/Client-Authentication+JWT"] {
        assert_eq!(signer.code(&signer.assertion().typ(typ)).await, None, "{typ}");
    }
}

#[tokio::test]
async fn a_client_has_one_way_to_prove_who_it_is() {
    let signer = Signer::new();
    // A client with keys has no secret, and no client is public by leaving out its proof.
    let with_secret = signer.desk.token_as("signer", SECRET, &[("grant_type", "client_credentials")]).await;
    assert_eq!(with_secret.unwrap_err().code(), OAuthErrorCode::InvalidClient);
    let by_name = signer.desk.token(&[("grant_type", "client_credentials"), ("client_id", "signer")]).await;
    assert_eq!(by_name.unwrap_err().code(), OAuthErrorCode::InvalidClient);
    // One with a secret has no keys.
    let worker = keys_of("worker").clock(signer.desk.clock.clone());
    let text = worker.token().subject("worker").expires_in(secs(60)).typ("JWT").sign();
    assert_eq!(signer.present(&text).await.unwrap_err().code(), OAuthErrorCode::InvalidClient);
    // Two proofs in one request.
    let text = signer.assertion().sign();
    let more = [("client_secret", SECRET)];
    assert_eq!(signer.present_with(&text, &more).await.unwrap_err().code(), OAuthErrorCode::InvalidRequest);
    let parameters =
        [("grant_type", "client_credentials"), ("client_assertion_type", TYPE), ("client_assertion", text.as_str())];
    let (body, header) = (form(&parameters), basic("worker", SECRET));
    let both = signer.desk.server.token(&EndpointRequest::new(body.as_bytes()).authorization(&header)).await;
    assert_eq!(both.unwrap_err().code(), OAuthErrorCode::InvalidRequest);
    assert!(signer.present(&text).await.is_ok(), "a request with two proofs has used up the assertion");
}

#[tokio::test]
async fn the_type_of_the_assertion_is_named_exactly() {
    let signer = Signer::new();
    let text = signer.assertion().sign();
    for (parameters, code) in [
        (vec![("client_assertion", text.as_str())], OAuthErrorCode::InvalidRequest),
        (vec![("client_assertion_type", TYPE)], OAuthErrorCode::InvalidRequest),
        (
            vec![
                ("client_assertion", text.as_str()),
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"),
            ],
            OAuthErrorCode::InvalidClient,
        ),
    ] {
        let mut all = vec![("grant_type", "client_credentials")];
        all.extend(parameters);
        assert_eq!(signer.desk.token(&all).await.unwrap_err().code(), code);
    }
    assert!(signer.present(&text).await.is_ok());
}

/// Keys that cannot be fetched.
#[derive(Debug)]
struct Down;

impl KeySource for Down {
    fn resolve(&self, _: KeyHint<'_>, _: UnixTime) -> Resolved {
        Resolved::Fault(KeySourceError::new(KeySourceErrorKind::Unavailable, "the provider is down"))
    }
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_are_no_refusal() {
    let desk = Desk::with(vec![client(Down)]);
    let keys = keys_of("signer").clock(desk.clock.clone());
    let text = keys.token().subject("signer").expires_in(secs(60)).typ("JWT").sign();
    let parameters =
        [("grant_type", "client_credentials"), ("client_assertion_type", TYPE), ("client_assertion", text.as_str())];
    let error = desk.token(&parameters).await.unwrap_err();
    assert_eq!((error.code(), error.code().status()), (OAuthErrorCode::TemporarilyUnavailable, 503));
    assert_eq!(error.retry_after(), Some(secs(1)));
}

/// Keys that count how often something is made of them.
#[derive(Clone, Debug)]
struct Counted(MockKeys, Arc<AtomicUsize>);

impl KeySource for Counted {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        self.0.resolve(hint, now)
    }

    fn problem(&self) -> Option<String> {
        self.1.fetch_add(1, Ordering::SeqCst);
        None
    }
}

#[tokio::test]
async fn what_verifies_the_assertions_of_a_client_is_made_once_and_follows_its_keys() {
    let (keys, made) = (keys_of("signer"), Arc::<AtomicUsize>::default());
    let desk = Desk::with(vec![client(Counted(keys.keys(), Arc::clone(&made)))]);
    let signer = Signer { keys: keys.clock(desk.clock.clone()), desk };
    assert_eq!(signer.code(&signer.assertion()).await, None);
    let before = made.load(Ordering::SeqCst);
    let old = signer.assertion().sign();
    signer.keys.rotate();
    assert_eq!(signer.code(&signer.assertion()).await, None);
    signer.keys.retire_old();
    assert_eq!(signer.code(&signer.assertion()).await, None);
    assert_eq!(signer.present(&old).await.unwrap_err().code(), OAuthErrorCode::InvalidClient);
    assert_eq!(made.load(Ordering::SeqCst), before, "made again for a request");
}

/// A registry of an application's own, which is changed while the server runs.
#[derive(Clone, Debug)]
struct Registry(Arc<Mutex<Arc<Client>>>);

impl Clients for Registry {
    async fn find(&self, client_id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        Ok(Some(self.0.lock().unwrap().clone()).filter(|client| client.id() == client_id))
    }
}

#[tokio::test]
async fn a_client_that_is_changed_is_verified_by_its_new_keys_at_once() {
    let (first, second) = (keys_of("signer"), keys_of("signer"));
    let registry = Registry(Arc::new(Mutex::new(Arc::new(client(first.keys())))));
    let desk = Desk::of(registry.clone(), |builder| builder);
    let [first, second] = [first, second].map(|keys| keys.clock(desk.clock.clone()));
    let change = |to: Client| *registry.0.lock().unwrap() = Arc::new(to);
    let by =
        |keys: &MockIssuer| keys.token().subject("signer").without("client_id").expires_in(secs(60)).typ("JWT").sign();
    let code = async |keys: &MockIssuer| {
        let text = by(keys);
        let more = [("grant_type", "client_credentials"), ("client_assertion_type", TYPE), ("client_assertion", &text)];
        desk.token(&more).await.err().map(|error| error.code())
    };
    assert_eq!((code(&first).await, code(&second).await), (None, Some(OAuthErrorCode::InvalidClient)));
    change(client(second.keys()));
    assert_eq!((code(&first).await, code(&second).await), (Some(OAuthErrorCode::InvalidClient), None));
    // It is checked again, too: now it also has a secret, which no client with keys may have.
    let weak = client(second.keys()).secret(ClientSecret::from_secret(SECRET).unwrap());
    change(weak);
    assert_eq!(code(&second).await, Some(OAuthErrorCode::ServerError));
    let secret = Secret::new("k", Algorithm::Hs256, *b"a secret of at least 32 bytes, ok").unwrap();
    change(client(KeySet::from(secret)));
    assert_eq!(code(&second).await, Some(OAuthErrorCode::ServerError));
    change(client(second.keys()));
    assert_eq!(code(&second).await, None);
}

#[tokio::test]
async fn a_stored_client_is_made_once_for_each_version_and_what_is_changed_or_deleted_is_so_at_once() {
    let clients = StoredClients::new(MemoryRecordStore::new());
    let desk = Desk::of(clients.clone(), |builder| builder);
    let [first, second] = [(), ()].map(|()| keys_of("signer").clock(desk.clock.clone()));
    let with = |keys: &MockIssuer| {
        let client = Client::with_jwks("signer", &keys.jwks()).unwrap().grants([GrantType::ClientCredentials]);
        client.scope("orders:read").resource(ORDERS)
    };
    let code = async |keys: &MockIssuer| {
        let text = keys.token().subject("signer").without("client_id").expires_in(secs(60)).typ("JWT").sign();
        let more = [("grant_type", "client_credentials"), ("client_assertion_type", TYPE), ("client_assertion", &text)];
        desk.token(&more).await.err().map(|error| error.code())
    };
    let find = async || Clients::find(&clients, "signer").await.unwrap();
    let refused = Some(OAuthErrorCode::InvalidClient);
    clients.create(&with(&first)).await.unwrap();
    let made = find().await.unwrap();
    assert_eq!((code(&first).await, code(&second).await), (None, refused));
    assert!(Arc::ptr_eq(&made, &find().await.unwrap()), "made again for a request");
    let read = clients.read("signer").await.unwrap().unwrap();
    clients.update(&with(&second), read.version()).await.unwrap();
    assert_eq!((code(&first).await, code(&second).await), (refused, None));
    assert!(!Arc::ptr_eq(&made, &find().await.unwrap()));
    assert_eq!(Clients::delete(&clients, "signer").await.unwrap(), Deletion::Gone);
    assert_eq!((code(&first).await, code(&second).await), (refused, refused));
    assert!(find().await.is_none());
}

#[tokio::test]
async fn a_client_of_two_servers_proves_who_it_is_to_each_by_an_assertion_for_it() {
    let keys = keys_of("signer");
    let client = client(keys.keys());
    let here = Desk::with(vec![client.clone()]);
    let there = Desk::named("https://other.test", vec![client]);
    let keys = keys.clock(here.clock.clone());
    let code = async |desk: &Desk, audience: &str| {
        let text = keys.token().subject("signer").claim("aud", audience).expires_in(secs(60)).typ("JWT").sign();
        let more = [("grant_type", "client_credentials"), ("client_assertion_type", TYPE), ("client_assertion", &text)];
        desk.token(&more).await.err().map(|error| error.code())
    };
    let refused = Some(OAuthErrorCode::InvalidClient);
    for _ in 0..2 {
        assert_eq!((code(&here, ISSUER).await, code(&here, "https://other.test").await), (None, refused));
        assert_eq!((code(&there, "https://other.test").await, code(&there, ISSUER).await), (None, refused));
    }
}

#[tokio::test]
async fn an_assertion_by_a_shared_secret_is_refused() {
    let keys = MockIssuer::with_secret("k", Algorithm::Hs256, "a secret of at least 32 bytes, ok");
    let desk = Desk::with(vec![client(keys.keys())]);
    let keys = keys.named("signer").audience(ISSUER).clock(desk.clock.clone());
    let text = keys.token().subject("signer").expires_in(secs(60)).typ("JWT").sign();
    let parameters =
        [("grant_type", "client_credentials"), ("client_assertion_type", TYPE), ("client_assertion", text.as_str())];
    assert_eq!(desk.token(&parameters).await.unwrap_err().code(), OAuthErrorCode::InvalidClient);
}

#[test]
fn clients_whose_keys_cannot_be_used_are_refused_at_start() {
    let keys = || keys_of("signer").keys();
    assert!(ClientList::new([client(keys())]).is_ok());
    let secret = Secret::new("k", Algorithm::Hs256, *b"a secret of at least 32 bytes, ok").unwrap();
    for (client, why) in [
        (client(KeySet::from(secret)), "only RS256"),
        (client(keys()).secret(ClientSecret::from_secret(SECRET).unwrap()), "keys and a secret"),
        (Client::with_keys(" signer", keys()).resource(ORDERS).grants([GrantType::ClientCredentials]), "white space"),
    ] {
        let error = ClientList::new([client]).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn the_metadata_names_the_way_if_a_client_has_keys() {
    let document = |desk: &Desk| -> Value { serde_json::from_str(desk.server.metadata().body()).unwrap() };
    let with = document(&Signer::new().desk);
    assert_eq!(
        with["token_endpoint_auth_methods_supported"],
        json!(["none", "client_secret_basic", "private_key_jwt"])
    );
    let algorithms =
        json!(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519"]);
    assert_eq!(with["token_endpoint_auth_signing_alg_values_supported"], algorithms);
    assert_eq!(with["revocation_endpoint_auth_signing_alg_values_supported"], algorithms);
    let without = document(&Desk::new());
    assert_eq!(without["token_endpoint_auth_methods_supported"], json!(["none", "client_secret_basic"]));
    assert_eq!(without["token_endpoint_auth_signing_alg_values_supported"], Value::Null);
}

#[tokio::test]
async fn an_assertion_is_accepted_once_also_by_an_instance_whose_clock_is_late() {
    for late in [0, 250, 700] {
        let signer = Signer::new();
        let desk = &signer.desk;
        let clock = FixedClock::at(UnixTime::from_secs(desk.clock.now().as_secs() - late));
        let issuer = TokenIssuer::new(TokenSpec::new(ISSUER).audience(ORDERS), desk.key.clone()).unwrap();
        let keys = RefreshKeys::new(1, [1; 32]).unwrap();
        let sessions = Sessions::new(
            issuer.clock(clock.clone()),
            desk.store.clone(),
            keys,
            desk.log.clone(),
            DangerUncheckedSubjects,
        );
        let clients = ClientList::new([client(signer.keys.keys())]).unwrap();
        let other = AuthorizationServer::builder(sessions, desk.key.clone(), desk.records.clone(), clients);
        let other = other.build().unwrap();
        let used = signer.assertion().expires_in(minutes(5)).sign();
        assert!(signer.present(&used).await.is_ok());
        // The first one is accepted there, as by any instance, and none a second time.
        let fresh = || signer.assertion().sign();
        assert_eq!(signer.present_to(&other, &fresh()).await, None, "{late}");
        for _ in 0..14 {
            assert_eq!(signer.present_to(&other, &used).await, Some(OAuthErrorCode::InvalidClient), "{late}");
            desk.clock.advance(secs(60));
            clock.advance(secs(60));
        }
        assert_eq!(signer.present_to(&other, &fresh()).await, None, "{late}");
    }
}
