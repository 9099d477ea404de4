//! The introspection endpoint (RFC 7662).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use portcullis_issuer::{
    documents::GrantType,
    refresh::{DangerUncheckedSubjects, MemoryRefreshStore, RefreshKeys, Sessions},
    server::{
        AuthorizationServer, AuthorizationServerBuilder, Client, ClientList, ClientSecret, EndpointRequest,
        Introspection, OAuthError, OAuthErrorCode, ResourceServer, ServerEvent, TokenResponse,
    },
};
use portcullis_test::MockIssuer;
use serde_json::{Value, json};
use support::{
    T,
    desk::{BILLS, Desk, ISSUER, ORDERS, SECRET, basic, claims, clients, form},
    minutes, secs,
};

const OTHER_SECRET: &str = "fedcba9876543210fedcba9876543210";

fn secret(text: &str) -> ClientSecret {
    ClientSecret::from_secret(text).unwrap()
}

fn desk() -> Desk {
    let mut clients = clients();
    clients.push(
        Client::confidential("both", secret(SECRET))
            .grants([GrantType::ClientCredentials])
            .resource(ORDERS)
            .resource(BILLS)
            .combines_resources(),
    );
    Desk::with_settings(clients, |builder| {
        builder
            .resource_server(ResourceServer::with_secret(ORDERS, secret(OTHER_SECRET)).id("orders"))
            .resource_server(ResourceServer::with_secret(BILLS, secret(OTHER_SECRET)))
    })
}

async fn asked(desk: &Desk, id: &str, secret: &str, token: &str) -> Result<Introspection, OAuthError> {
    let (body, header) = (form(&[("token", token)]), basic(id, secret));
    desk.server.introspect(&EndpointRequest::new(body.as_bytes()).authorization(&header)).await
}

async fn introspect(desk: &Desk, token: &str) -> Value {
    desk.confirm();
    let answer = asked(desk, "orders", OTHER_SECRET, token).await.unwrap();
    let body: Value = serde_json::from_str(&answer.to_json()).unwrap();
    assert_eq!(body["active"], json!(answer.is_active()));
    body
}

async fn log_in(desk: &Desk) -> TokenResponse {
    desk.redeem("page", &desk.code("page", &[]).await).await.unwrap()
}

#[tokio::test]
async fn a_service_is_told_what_a_token_for_it_says() {
    let desk = desk();
    let response = log_in(&desk).await;
    let body = introspect(&desk, response.access().token()).await;
    let mut expected = claims(&response);
    expected["active"] = json!(true);
    expected["token_type"] = json!("Bearer");
    assert_eq!(body, expected);
    assert_eq!((&body["aud"], &body["sub"], &body["client_id"]), (&json!(ORDERS), &json!("alice"), &json!("page")));
}

#[tokio::test]
async fn an_application_s_own_claims_are_not_told() {
    let desk = desk();
    let mut claims = claims(&log_in(&desk).await);
    claims["salary"] = json!(100);
    claims["roles"] = json!(["clerk"]);
    claims["act"] = json!({ "sub": "helpdesk" });
    let body = introspect(&desk, &desk.sign("at+jwt", &claims)).await;
    assert_eq!((&body["salary"], &body["roles"], &body["act"]), (&Value::Null, &claims["roles"], &claims["act"]));
}

#[tokio::test]
async fn a_token_for_another_service_is_not_active() {
    let desk = desk();
    let [bills, orders] = [BILLS, ORDERS].map(|resource| [("resource", resource)]);
    let code = desk.code("page", &[]).await;
    let bills = desk.redeem_with("page", &code, support::desk::VERIFIER, &bills).await.unwrap();
    assert_eq!(introspect(&desk, bills.access().token()).await, json!({ "active": false }));
    assert!(asked(&desk, "https%3A%2F%2Fbills.test", OTHER_SECRET, bills.access().token()).await.unwrap().is_active());
    let code = desk.code("page", &[]).await;
    let orders = desk.redeem_with("page", &code, support::desk::VERIFIER, &orders).await.unwrap();
    assert_eq!(introspect(&desk, orders.access().token()).await["active"], json!(true));
    let both = desk.token_as("both", SECRET, &[("grant_type", "client_credentials")]).await.unwrap();
    assert_eq!(introspect(&desk, both.access().token()).await["active"], json!(true));
}

#[tokio::test]
async fn what_is_no_live_access_token_is_not_active_and_the_answer_does_not_say_why() {
    let desk = desk();
    let response = log_in(&desk).await;
    let good = claims(&response);
    let changed = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let stranger = MockIssuer::new().named(ISSUER).audience(ORDERS).clock(desk.clock.clone());
    for token in [
        "x".to_owned(),
        "a.b.c".to_owned(),
        response.refresh_token().unwrap().to_owned(),
        stranger.token().typ("at+jwt").sign(),
        desk.sign("JWT", &good),
        desk.sign("at+jwt", &changed("iss", json!("https://other.test"))),
        desk.sign("at+jwt", &changed("cnf", json!({ "jkt": "x" }))),
        desk.sign("at+jwt", &changed("exp", json!(T.as_secs() - 1))),
    ] {
        assert_eq!(introspect(&desk, &token).await, json!({ "active": false }), "{token}");
    }
    assert_eq!(introspect(&desk, &desk.sign("at+jwt", &good)).await["active"], json!(true));
}

#[tokio::test]
async fn a_token_is_not_active_after_its_expiry_without_leeway() {
    let desk = desk();
    let response = log_in(&desk).await;
    desk.clock.advance(secs(599));
    assert_eq!(introspect(&desk, response.access().token()).await["active"], json!(true));
    desk.clock.advance(secs(1));
    assert!(desk.accepts(&response), "services forgive the difference of clocks");
    assert_eq!(introspect(&desk, response.access().token()).await, json!({ "active": false }));
}

#[tokio::test]
async fn a_token_that_has_ended_is_not_active_and_one_that_may_have_is_neither() {
    let desk = desk();
    let (response, other) = (log_in(&desk).await, log_in(&desk).await);
    let body = form(&[("client_id", "page"), ("token", response.refresh_token().unwrap())]);
    desk.server.revoke(&EndpointRequest::new(body.as_bytes())).await.unwrap();
    assert_eq!(introspect(&desk, response.access().token()).await, json!({ "active": false }));
    assert_eq!(introspect(&desk, other.access().token()).await["active"], json!(true));
    desk.clock.advance(minutes(5));
    let error = asked(&desk, "orders", OTHER_SECRET, other.access().token()).await.unwrap_err();
    assert_eq!((error.code(), error.code().status()), (OAuthErrorCode::TemporarilyUnavailable, 503));
    // What is known to have ended stays so.
    let ended = asked(&desk, "orders", OTHER_SECRET, response.access().token()).await.unwrap();
    assert!(!ended.is_active());
    assert_eq!(introspect(&desk, other.access().token()).await["active"], json!(true));
}

#[tokio::test]
async fn only_a_declared_service_may_ask_and_an_unknown_one_is_refused_in_the_same_words() {
    let desk = desk();
    let response = log_in(&desk).await;
    let token = response.access().token();
    let wrong = asked(&desk, "orders", SECRET, token).await.unwrap_err();
    let unknown = asked(&desk, "unknown", OTHER_SECRET, token).await.unwrap_err();
    let client = asked(&desk, "worker", SECRET, token).await.unwrap_err();
    for error in [&unknown, &client] {
        assert_eq!(
            (error.code(), error.to_json(), error.challenge()),
            (wrong.code(), wrong.to_json(), wrong.challenge())
        );
    }
    assert_eq!((wrong.code().status(), wrong.challenge().is_some()), (401, true));
    let body = form(&[("token", token), ("client_id", "orders")]);
    let by_name = desk.server.introspect(&EndpointRequest::new(body.as_bytes())).await;
    assert_eq!(by_name.unwrap_err().code(), OAuthErrorCode::InvalidClient);
    let page = form(&[("token", token), ("client_id", "page")]);
    assert!(desk.server.introspect(&EndpointRequest::new(page.as_bytes())).await.is_err(), "a public client");
    assert_eq!(asked(&desk, "orders", OTHER_SECRET, "").await.unwrap_err().code(), OAuthErrorCode::InvalidRequest);
    // A service is no client.
    let tokens = desk.token_as("orders", OTHER_SECRET, &[("grant_type", "client_credentials")]).await;
    assert_eq!(tokens.unwrap_err().code(), OAuthErrorCode::InvalidClient);
    assert!(asked(&desk, "orders", OTHER_SECRET, token).await.is_ok());
    let refused = desk.events(|event| match event {
        ServerEvent::ResourceServerRefused { id } => Some(id.clone()),
        _ => None,
    });
    assert_eq!(refused, [Some("orders".to_owned()), None, None, Some("orders".to_owned()), None]);
}

#[tokio::test]
async fn a_service_may_prove_who_it_is_by_an_assertion() {
    let keys = MockIssuer::new().named(ORDERS).audience(ISSUER);
    let service = ResourceServer::with_keys(ORDERS, keys.keys());
    let desk = Desk::with_settings(clients(), |builder| builder.resource_server(service));
    let keys = keys.clock(desk.clock.clone());
    let response = log_in(&desk).await;
    let assertion = keys.token().subject(ORDERS).expires_in(secs(60)).typ("JWT").sign();
    let body = form(&[
        ("token", response.access().token()),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", &assertion),
    ]);
    let request = EndpointRequest::new(body.as_bytes());
    assert!(desk.server.introspect(&request).await.unwrap().is_active());
    assert_eq!(desk.server.introspect(&request).await.unwrap_err().code(), OAuthErrorCode::InvalidClient, "a replay");
    let metadata: Value = serde_json::from_str(desk.server.metadata().body()).unwrap();
    assert_eq!(metadata["introspection_endpoint_auth_methods_supported"], json!(["private_key_jwt"]));
    assert!(metadata["introspection_endpoint_auth_signing_alg_values_supported"].is_array());
}

#[test]
fn the_metadata_names_the_endpoint_if_a_service_may_ask() {
    let document = |desk: &Desk| -> Value { serde_json::from_str(desk.server.metadata().body()).unwrap() };
    let with = document(&desk());
    assert_eq!(with["introspection_endpoint"], json!("https://id.test/oauth/introspect"));
    assert_eq!(with["introspection_endpoint_auth_methods_supported"], json!(["client_secret_basic"]));
    assert_eq!(document(&Desk::new())["introspection_endpoint"], Value::Null);
}

#[test]
fn services_that_cannot_work_are_refused_at_start() {
    let desk = Desk::new();
    let build = |services: Vec<ResourceServer>, has_view: bool| {
        let sessions = if has_view {
            desk.sessions.clone()
        } else {
            let (issuer, keys) = (desk.sessions.issuer().clone(), RefreshKeys::new(1, [1; 32]).unwrap());
            Sessions::new(issuer, MemoryRefreshStore::new(), keys, desk.log.clone(), DangerUncheckedSubjects)
        };
        let list = ClientList::new(clients()).unwrap();
        let builder = AuthorizationServer::builder(sessions, desk.key.clone(), desk.records.clone(), list)
            .authorization_endpoint("https://id.test/authorize");
        services.into_iter().fold(builder, AuthorizationServerBuilder::resource_server).build()
    };
    let orders = || ResourceServer::with_secret(ORDERS, secret(SECRET));
    assert!(build(vec![orders()], true).is_ok());
    let unknown = ResourceServer::with_secret("https://other.test", secret(SECRET));
    for (services, has_view, why) in [
        (vec![unknown], true, "the specification does not have"),
        (vec![orders(), orders()], true, "two resource servers"),
        (vec![orders().id("")], true, "has no id"),
        (vec![orders().secret(secret(SECRET)).secret(secret(SECRET))], true, "more than two secrets"),
        (vec![orders()], false, "needs a view of revocations"),
    ] {
        let error = build(services, has_view).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}
