//! Token exchange (RFC 8693).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use portcullis_core::revocation::Revocation;
use portcullis_issuer::{
    StoreError,
    documents::GrantType,
    records::MemoryRecordStore,
    refresh::{DangerUncheckedSubjects, EndReason, FamilyId, MemoryRefreshStore, RefreshKeys, Sessions},
    server::{
        AuthorizationServer, Client, ClientList, ClientSecret, Clients, EndpointRequest, ExchangePolicy, OAuthError,
        OAuthErrorCode, RetryAfter, ServerEvent, StoredClients, TokenResponse,
    },
};
use serde_json::{Value, json};
use support::{
    desk::{BILLS, Desk, ISSUER, ORDERS, SECRET, basic, claims, clients, form, parameter},
    minutes, secs,
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

fn exchanging(id: &str, policy: ExchangePolicy) -> Client {
    Client::confidential(id, ClientSecret::from_secret(SECRET).unwrap()).grants([]).exchange(policy)
}

fn for_bills() -> ExchangePolicy {
    ExchangePolicy::new().tokens_for(ORDERS).resource(BILLS).scope("orders:read bills:read").role("clerk")
}

/// The desk, and services that call each other.
fn all_clients() -> Vec<Client> {
    let mut all = clients();
    all.extend([
        exchanging("orders", for_bills()),
        exchanging("bills", ExchangePolicy::new().tokens_for(BILLS).resource(ORDERS).scope("orders:read")),
        exchanging("twin", for_bills().danger_impersonates()),
        exchanging("echo", ExchangePolicy::new().tokens_for(ORDERS).resource(ORDERS).scope("orders:read")),
        exchanging("desk", ExchangePolicy::new().tokens_of("page").resource(ORDERS).resource(BILLS)),
    ]);
    all
}

fn desk() -> Desk {
    Desk::with(all_clients())
}

async fn log_in(desk: &Desk) -> TokenResponse {
    desk.redeem("page", &desk.code("page", &[]).await).await.unwrap()
}

async fn exchange(desk: &Desk, client: &str, token: &str, more: &[(&str, &str)]) -> Result<TokenResponse, OAuthError> {
    let mut parameters = vec![("grant_type", GRANT), ("subject_token", token), ("subject_token_type", ACCESS_TOKEN)];
    parameters.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    parameters.extend(more.iter().filter(|(_, value)| !value.is_empty()));
    desk.token_as(client, SECRET, &parameters).await
}

async fn code(desk: &Desk, client: &str, token: &str, more: &[(&str, &str)]) -> Option<OAuthErrorCode> {
    exchange(desk, client, token, more).await.err().map(|error| error.code())
}

#[tokio::test]
async fn a_service_exchanges_the_token_of_its_caller_for_one_of_the_next_service() {
    let desk = desk();
    let request = desk.ask("page", &[("resource", ORDERS)]).await;
    let visitor = desk.alice().version(3).acr("mfa");
    let answer = desk.grant(&request, &visitor, &["orders:read", "orders:write"]).await;
    let subject = desk.redeem("page", &parameter(answer.location(), "code").unwrap()).await.unwrap();
    let response = exchange(&desk, "orders", subject.access().token(), &[]).await.unwrap();
    let (old, new) = (claims(&subject), claims(&response));
    assert_eq!(
        (&new["sub"], &new["client_id"], &new["aud"], &new["act"], &new["scope"]),
        (&json!("alice"), &json!("orders"), &json!(BILLS), &json!({ "sub": "orders" }), &json!("orders:read"))
    );
    for kept in ["iss", "sid", "ver", "exp", "auth_time", "acr"] {
        assert_ne!(old[kept], Value::Null, "{kept}");
        assert_eq!(new[kept], old[kept], "{kept}");
    }
    assert_ne!(new["jti"], old["jti"]);
    assert!(desk.accepts_at(BILLS, response.access().token()) && response.refresh_token().is_none());
    let body: Value = serde_json::from_str(&response.to_json()).unwrap();
    assert_eq!((&body["issued_token_type"], &body["token_type"]), (&json!(ACCESS_TOKEN), &json!("Bearer")));
    let told = desk.events(|event| match event {
        ServerEvent::Exchanged { client_id, token_of, impersonates } => {
            Some((client_id.clone(), token_of.clone(), *impersonates))
        }
        _ => None,
    });
    assert_eq!(told, [("orders".to_owned(), "page".to_owned(), false)]);
}

#[tokio::test]
async fn what_ends_the_session_ends_the_exchanged_token() {
    let desk = desk();
    let subject = log_in(&desk).await;
    let response = exchange(&desk, "orders", subject.access().token(), &[]).await.unwrap();
    assert!(desk.accepts_at(BILLS, response.access().token()));
    let session = claims(&subject)["sid"].as_str().and_then(FamilyId::from_session_id).unwrap();
    desk.sessions.end(session, EndReason::LoggedOut).await.unwrap();
    assert!(!desk.accepts_at(BILLS, response.access().token()));
    assert_eq!(code(&desk, "orders", subject.access().token(), &[]).await, Some(OAuthErrorCode::InvalidRequest));
    let other = log_in(&desk).await;
    assert_eq!(code(&desk, "orders", other.access().token(), &[]).await, None);
}

#[tokio::test]
async fn an_exchanged_token_does_not_outlive_its_subject_token() {
    let desk = desk();
    let subject = log_in(&desk).await;
    desk.clock.advance(secs(599));
    let response = exchange(&desk, "orders", subject.access().token(), &[]).await.unwrap();
    assert_eq!((&claims(&response)["exp"], response.access().expires_in()), (&claims(&subject)["exp"], 1));
    desk.clock.advance(secs(1));
    assert!(desk.accepts(&subject), "services forgive the difference of clocks");
    assert_eq!(code(&desk, "orders", subject.access().token(), &[]).await, Some(OAuthErrorCode::InvalidRequest));
}

#[tokio::test]
async fn an_exchange_gives_no_scope_that_the_token_or_the_client_does_not_have() {
    let desk = desk();
    let subject = log_in(&desk).await;
    for (scope, refused) in [
        ("orders:read", None),
        ("orders:write", Some(OAuthErrorCode::InvalidScope)), // the token has it, the rules do not
        ("bills:read", Some(OAuthErrorCode::InvalidScope)),   // the rules have it, the token does not
        ("orders:read admin", Some(OAuthErrorCode::InvalidScope)),
    ] {
        assert_eq!(code(&desk, "orders", subject.access().token(), &[("scope", scope)]).await, refused, "{scope}");
    }
    // Rules without scopes give none.
    let response = exchange(&desk, "desk", subject.access().token(), &[("resource", BILLS)]).await.unwrap();
    assert_eq!(claims(&response)["scope"], Value::Null);
}

#[tokio::test]
async fn an_exchange_keeps_the_roles_that_its_rules_name() {
    let desk = desk();
    let mut subject = claims(&log_in(&desk).await);
    subject["roles"] = json!(["admin", "clerk"]);
    let response = exchange(&desk, "orders", &desk.sign("at+jwt", &subject), &[]).await.unwrap();
    assert_eq!(claims(&response)["roles"], json!(["clerk"]));
    subject["roles"] = json!(["admin"]);
    let response = exchange(&desk, "orders", &desk.sign("at+jwt", &subject), &[]).await.unwrap();
    assert_eq!(claims(&response)["roles"], Value::Null);
}

#[tokio::test]
async fn an_exchange_is_for_a_service_that_its_rules_name() {
    let desk = desk();
    let subject = log_in(&desk).await;
    let token = subject.access().token();
    for name in ["resource", "audience"] {
        assert_eq!(code(&desk, "orders", token, &[(name, BILLS)]).await, None);
        for target in [ORDERS, "https://other.test", "orders"] {
            assert_eq!(code(&desk, "orders", token, &[(name, target)]).await, Some(OAuthErrorCode::InvalidTarget));
        }
    }
    // One for each token, and the client says which.
    assert_eq!(code(&desk, "desk", token, &[]).await, Some(OAuthErrorCode::InvalidTarget));
    let both = [("resource", ORDERS), ("audience", BILLS)];
    assert_eq!(code(&desk, "desk", token, &both).await, Some(OAuthErrorCode::InvalidTarget));
    assert_eq!(code(&desk, "desk", token, &[("resource", ORDERS), ("audience", ORDERS)]).await, None);
}

#[tokio::test]
async fn a_client_exchanges_only_the_tokens_that_its_rules_name() {
    let desk = desk();
    let subject = log_in(&desk).await;
    let own = desk.token_as("worker", SECRET, &[("grant_type", "client_credentials")]).await.unwrap();
    // For the service, whichever client has got it.
    assert_eq!(code(&desk, "orders", own.access().token(), &[]).await, None);
    assert_eq!(code(&desk, "bills", subject.access().token(), &[]).await, Some(OAuthErrorCode::InvalidRequest));
    // Of the client, whatever it is for.
    assert_eq!(code(&desk, "desk", subject.access().token(), &[("resource", BILLS)]).await, None);
    let refused = code(&desk, "desk", own.access().token(), &[("resource", BILLS)]).await;
    assert_eq!(refused, Some(OAuthErrorCode::InvalidRequest));
    // Not at all.
    assert_eq!(code(&desk, "worker", subject.access().token(), &[]).await, Some(OAuthErrorCode::UnauthorizedClient));
    let (body, header) = (form(&[("grant_type", GRANT), ("client_id", "page")]), basic("page", ""));
    let request = EndpointRequest::new(body.as_bytes());
    assert_eq!(desk.server.token(&request).await.unwrap_err().code(), OAuthErrorCode::UnauthorizedClient);
    assert!(desk.server.token(&request.authorization(&header)).await.is_err());
}

#[tokio::test]
async fn only_access_tokens_are_exchanged_and_only_for_access_tokens() {
    let desk = desk();
    let subject = log_in(&desk).await;
    let token = subject.access().token();
    let refused = Some(OAuthErrorCode::InvalidRequest);
    for more in [
        [("subject_token_type", ID_TOKEN)],
        [("subject_token_type", "urn:ietf:params:oauth:token-type:refresh_token")],
        [("subject_token_type", "urn:ietf:params:oauth:token-type:jwt")],
        [("subject_token_type", "")],
        [("subject_token", "")],
        [("requested_token_type", ID_TOKEN)],
        [("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")],
        [("actor_token", token)],
        [("actor_token_type", ACCESS_TOKEN)],
    ] {
        assert_eq!(code(&desk, "orders", token, &more).await, refused, "{more:?}");
    }
    assert_eq!(code(&desk, "orders", token, &[("requested_token_type", ACCESS_TOKEN)]).await, None);
    assert_eq!(code(&desk, "orders", subject.refresh_token().unwrap(), &[]).await, refused);
}

#[tokio::test]
async fn what_is_no_access_token_is_refused_whatever_type_the_request_names() {
    let desk = desk();
    let good = claims(&log_in(&desk).await);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let mut id_token = with("aud", json!("page"));
    id_token["nonce"] = json!("n");
    for (typ, claims) in [
        ("JWT", &id_token),
        ("JWT", &good),
        ("logout+jwt", &good),
        ("at+jwt", &with("cnf", json!({ "jkt": "x" }))),
        ("at+jwt", &with("aud", json!("page"))),
        ("at+jwt", &with("iss", json!("https://other.test"))),
        ("at+jwt", &with("act", json!("orders"))),
        ("at+jwt", &with("act", json!({ "iss": ISSUER }))),
        ("at+jwt", &with("act", json!({ "sub": "desk", "tenant": "acme" }))),
        ("at+jwt", &with("act", json!({ "sub": "desk", "act": { "sub": "" } }))),
    ] {
        let refused = code(&desk, "orders", &desk.sign(typ, claims), &[]).await;
        assert_eq!(refused, Some(OAuthErrorCode::InvalidRequest), "{typ} {claims}");
    }
    assert_eq!(code(&desk, "orders", &desk.sign("at+jwt", &good), &[]).await, None);
}

#[tokio::test]
async fn a_token_that_names_who_may_act_is_exchanged_by_that_client_alone() {
    let desk = desk();
    let mut claims = claims(&log_in(&desk).await);
    for (may_act, refused) in [
        (json!({ "sub": "orders" }), None),
        (json!({ "sub": "orders", "iss": ISSUER }), None),
        (json!({ "sub": "bills" }), Some(OAuthErrorCode::InvalidRequest)),
        (json!({ "sub": "orders", "iss": "https://other.test" }), Some(OAuthErrorCode::InvalidRequest)),
        (json!({ "sub": "orders", "tenant": "acme" }), Some(OAuthErrorCode::InvalidRequest)),
        (json!({ "iss": ISSUER }), Some(OAuthErrorCode::InvalidRequest)),
        (json!("orders"), Some(OAuthErrorCode::InvalidRequest)),
        (json!(null), Some(OAuthErrorCode::InvalidRequest)),
        (json!([]), Some(OAuthErrorCode::InvalidRequest)),
    ] {
        claims["may_act"] = may_act.clone();
        assert_eq!(code(&desk, "orders", &desk.sign("at+jwt", &claims), &[]).await, refused, "{may_act}");
    }
}

#[tokio::test]
async fn field_bug_keycloak_52691_no_exchange_leaves_out_who_has_acted_before() {
    let desk = desk();
    let subject = log_in(&desk).await;
    let first = exchange(&desk, "orders", subject.access().token(), &[]).await.unwrap();
    let second = exchange(&desk, "bills", first.access().token(), &[]).await.unwrap();
    let chain = json!({ "sub": "bills", "act": { "sub": "orders" } });
    assert_eq!((&claims(&second)["act"], &claims(&second)["client_id"]), (&chain, &json!("bills")));
    // A client that does not name itself leaves the others where they are.
    let third = exchange(&desk, "twin", second.access().token(), &[]).await.unwrap();
    assert_eq!((&claims(&third)["act"], &claims(&third)["client_id"]), (&chain, &json!("twin")));
    let mut foreign = claims(&subject);
    foreign["act"] = json!({ "sub": "agent", "iss": "https://other.test" });
    let response = exchange(&desk, "orders", &desk.sign("at+jwt", &foreign), &[]).await.unwrap();
    assert_eq!(claims(&response)["act"], json!({ "sub": "orders", "act": foreign["act"] }));
}

#[tokio::test]
async fn a_chain_of_exchanges_ends() {
    let desk = desk();
    let mut token = log_in(&desk).await.access().token().to_owned();
    for _ in 0..8 {
        token = exchange(&desk, "echo", &token, &[]).await.unwrap().access().token().to_owned();
    }
    assert_eq!(code(&desk, "echo", &token, &[]).await, Some(OAuthErrorCode::InvalidRequest));
}

#[tokio::test]
async fn a_client_that_impersonates_passes_for_a_user_and_never_for_an_application() {
    let desk = desk();
    let subject = log_in(&desk).await;
    let response = exchange(&desk, "twin", subject.access().token(), &[]).await.unwrap();
    assert_eq!((&claims(&response)["act"], &claims(&response)["sub"]), (&Value::Null, &json!("alice")));
    // Its `sub` would be the application's, and its `client_id` not: services would take it for a user of that name.
    let own = desk.token_as("worker", SECRET, &[("grant_type", "client_credentials")]).await.unwrap();
    assert_eq!(code(&desk, "twin", own.access().token(), &[]).await, Some(OAuthErrorCode::InvalidRequest));
    let acting = exchange(&desk, "orders", own.access().token(), &[]).await.unwrap();
    assert_eq!(claims(&acting)["act"], json!({ "sub": "orders" }));
}

#[tokio::test]
async fn a_token_that_may_have_been_revoked_is_neither_exchanged_nor_refused() {
    let desk = desk();
    let subject = log_in(&desk).await;
    let body = form(&[
        ("grant_type", GRANT),
        ("subject_token", subject.access().token()),
        ("subject_token_type", ACCESS_TOKEN),
    ]);
    let header = basic("orders", SECRET);
    let request = EndpointRequest::new(body.as_bytes()).authorization(&header);
    desk.clock.advance(minutes(5));
    let error = desk.server.token(&request).await.unwrap_err();
    assert_eq!((error.code(), error.code().status()), (OAuthErrorCode::TemporarilyUnavailable, 503));
    desk.confirm();
    assert!(desk.server.token(&request).await.is_ok());
}

#[tokio::test]
async fn a_token_that_is_revoked_while_the_new_one_is_signed_is_not_exchanged() {
    let desk = desk();
    let subject = log_in(&desk).await;
    let (id, expires_at) = (subject.access().token_id(), subject.access().expires_at());
    *desk.revoked_while_signing.lock().unwrap() = Some(Revocation::token(ISSUER, id, expires_at));
    assert_eq!(code(&desk, "orders", subject.access().token(), &[]).await, Some(OAuthErrorCode::InvalidRequest));
    let other = log_in(&desk).await;
    *desk.revoked_while_signing.lock().unwrap() = Some(Revocation::token(ISSUER, id, expires_at));
    assert_eq!(code(&desk, "orders", other.access().token(), &[]).await, None);
}

/// Clients that are deleted after so many look-ups.
#[derive(Debug)]
struct Vanishing(ClientList, AtomicUsize);

impl Clients for Vanishing {
    async fn find(&self, client_id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        let is_there = self.1.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        if is_there { self.0.find(client_id).await } else { Ok(None) }
    }
}

#[tokio::test]
async fn a_client_that_is_deleted_while_the_token_is_signed_gets_none() {
    let desk = desk();
    let subject = log_in(&desk).await;
    let body = form(&[
        ("grant_type", GRANT),
        ("subject_token", subject.access().token()),
        ("subject_token_type", ACCESS_TOKEN),
    ]);
    let header = basic("orders", SECRET);
    let request = EndpointRequest::new(body.as_bytes()).authorization(&header);
    desk.confirm();
    for (look_ups, refused) in [(1, Some(OAuthErrorCode::InvalidClient)), (2, None)] {
        let list = Vanishing(ClientList::new(all_clients()).unwrap(), AtomicUsize::new(look_ups));
        let sessions = desk.sessions.clone();
        let server = AuthorizationServer::builder(sessions, desk.key.clone(), desk.records.clone(), list)
            .authorization_endpoint("https://id.test/authorize")
            .build()
            .unwrap();
        assert_eq!(server.token(&request).await.err().map(|error| error.code()), refused);
    }
}

#[tokio::test]
async fn a_limit_is_asked_about_client_and_user_when_both_are_proven() {
    let desk = Desk::with_settings(all_clients(), |builder| {
        builder.rate_limit(|attempt| match (attempt.client_id, attempt.subject) {
            (Some("orders"), Some("alice")) => Err(RetryAfter::new(secs(7))),
            _ => Ok(()),
        })
    });
    let subject = log_in(&desk).await;
    let error = exchange(&desk, "orders", subject.access().token(), &[]).await.unwrap_err();
    assert_eq!((error.code(), error.retry_after()), (OAuthErrorCode::TooManyRequests, Some(secs(7))));
    assert_eq!(code(&desk, "twin", subject.access().token(), &[]).await, None);
    assert_eq!(code(&desk, "orders", "x", &[]).await, Some(OAuthErrorCode::InvalidRequest));
}

#[tokio::test]
async fn without_a_view_of_revocations_nothing_is_exchanged() {
    let desk = desk();
    let subject = log_in(&desk).await;
    let (issuer, keys) = (desk.sessions.issuer().clone(), RefreshKeys::new(1, [1; 32]).unwrap());
    let blind = Sessions::new(issuer, MemoryRefreshStore::new(), keys, desk.log.clone(), DangerUncheckedSubjects);
    let list = ClientList::new(all_clients()).unwrap();
    let (key, records) = (desk.key.clone(), desk.records.clone());
    let built = AuthorizationServer::builder(blind.clone(), key, records, list.clone()).build();
    let error = built.unwrap_err().to_string();
    assert!(error.contains("token exchange needs a view of revocations"), "{error}");
    // A registry that does not say what its clients use.
    let list = Vanishing(list, AtomicUsize::new(9));
    let server = AuthorizationServer::builder(blind, desk.key.clone(), desk.records.clone(), list).build().unwrap();
    let body = form(&[
        ("grant_type", GRANT),
        ("subject_token", subject.access().token()),
        ("subject_token_type", ACCESS_TOKEN),
    ]);
    let header = basic("orders", SECRET);
    let request = EndpointRequest::new(body.as_bytes()).authorization(&header);
    assert_eq!(server.token(&request).await.unwrap_err().code(), OAuthErrorCode::ServerError);
    desk.confirm();
    assert!(desk.server.token(&request).await.is_ok());
}

#[test]
fn rules_that_cannot_work_are_refused_at_start() {
    let secret = || ClientSecret::from_secret(SECRET).unwrap();
    assert!(ClientList::new([exchanging("orders", for_bills())]).is_ok());
    for (client, why) in [
        (exchanging("orders", ExchangePolicy::new().resource(BILLS)), "may exchange no token"),
        (exchanging("orders", ExchangePolicy::new().tokens_for(ORDERS)), "for no service"),
        (Client::public("page").resource(ORDERS).grants([]).exchange(for_bills()), "without proving who it is"),
        (
            exchanging("orders", for_bills()).grants([GrantType::ClientCredentials]).resource(ORDERS),
            "call `exchange` after `grants`",
        ),
        (Client::confidential("orders", secret()).grants([GrantType::TokenExchange]), "without rules"),
    ] {
        let error = ClientList::new([client]).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn rules_of_an_unchecked_registry_for_a_service_that_the_server_does_not_have_are_a_fault_and_no_refusal() {
    let desk = desk();
    let subject = log_in(&desk).await;
    for (resource, refused) in [("https://other.test", Some(OAuthErrorCode::ServerError)), (BILLS, None)] {
        let rules = ExchangePolicy::new().tokens_for(ORDERS).resource(resource);
        let list = ClientList::new([exchanging("orders", rules)]).unwrap();
        let server = desk.server_of(Vanishing(list, AtomicUsize::new(9)));
        let body = form(&[
            ("grant_type", GRANT),
            ("subject_token", subject.access().token()),
            ("subject_token_type", ACCESS_TOKEN),
        ]);
        let header = basic("orders", SECRET);
        let answer = server.token(&EndpointRequest::new(body.as_bytes()).authorization(&header)).await;
        assert_eq!(answer.err().map(|error| error.code()), refused, "{resource}");
    }
}

#[test]
fn the_metadata_names_the_grant_if_a_client_has_it() {
    let grants = |desk: &Desk| -> Value {
        serde_json::from_str::<Value>(desk.server.metadata().body()).unwrap()["grant_types_supported"].clone()
    };
    assert!(grants(&desk()).as_array().unwrap().contains(&json!(GRANT)));
    assert!(!grants(&Desk::new()).as_array().unwrap().contains(&json!(GRANT)));
}

#[tokio::test]
async fn a_service_may_be_named_with_the_slash_that_url_libraries_add() {
    let desk = desk();
    let token = log_in(&desk).await;
    let with_slash = format!("{BILLS}/");
    let exchanged = exchange(&desk, "orders", token.access().token(), &[("resource", &with_slash)]).await.unwrap();
    assert_eq!(claims(&exchanged)["aud"], json!(BILLS));
    let elsewhere = format!("{BILLS}/x");
    let refused = code(&desk, "orders", token.access().token(), &[("resource", &elsewhere)]).await;
    assert_eq!(refused, Some(OAuthErrorCode::InvalidTarget));
}

#[tokio::test]
async fn deleting_a_program_ends_what_was_exchanged_from_its_tokens() {
    for (deleted, is_live) in [("worker", false), ("orders", false), ("server", true)] {
        let records = MemoryRecordStore::new();
        let stored = StoredClients::new(records);
        for client in all_clients() {
            stored.create(&client).await.unwrap();
        }
        let desk = Desk::of(stored, |builder| builder);
        let token = desk.token_as("worker", SECRET, &[("grant_type", "client_credentials")]).await.unwrap();
        let exchanged = exchange(&desk, "orders", token.access().token(), &[]).await.unwrap();
        let (subject, client) = (claims(&exchanged)["sub"].clone(), claims(&exchanged)["client_id"].clone());
        assert_eq!((subject, client), (json!("worker"), json!("orders")));
        assert!(desk.accepts_at(BILLS, exchanged.access().token()));
        desk.server.delete_client(deleted).await.unwrap();
        assert_eq!(desk.accepts_at(BILLS, exchanged.access().token()), is_live, "{deleted}");
    }
}
