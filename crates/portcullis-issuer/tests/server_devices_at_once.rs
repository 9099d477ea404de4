//! A device that asks many times at once.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use portcullis_issuer::server::{
    AuthorizationServer, ClientList, DeviceAuthorization, EndpointRequest, OAuthErrorCode, TokenResponse,
};
use support::{
    desk::{Desk, clients, form},
    records::WatchedRecords,
};
use tokio::task::JoinSet;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A server that is watched, and a device that has asked for a code.
async fn waiting(desk: &Desk) -> (AuthorizationServer, WatchedRecords, DeviceAuthorization) {
    let records = WatchedRecords::new(&desk.records);
    let clients = ClientList::new(clients()).unwrap();
    let server = AuthorizationServer::builder(desk.sessions.clone(), desk.key.clone(), records.clone(), clients)
        .authorization_endpoint("https://id.test/authorize")
        .verification_page("https://id.test/device")
        .build()
        .unwrap();
    let body = form(&[("client_id", "cli")]);
    let device = server.device_authorization(&EndpointRequest::new(body.as_bytes())).await.unwrap();
    records.calls();
    (server, records, device)
}

async fn poll(server: &AuthorizationServer, code: &str) -> Result<TokenResponse, OAuthErrorCode> {
    let body = form(&[("grant_type", GRANT), ("client_id", "cli"), ("device_code", code)]);
    server.token(&EndpointRequest::new(body.as_bytes())).await.map_err(|error| error.code())
}

#[tokio::test]
async fn a_thousand_questions_of_one_device_at_once_cost_a_few_store_calls_each() {
    let desk = Desk::new();
    let (server, records, device) = waiting(&desk).await;
    let mut polls = JoinSet::new();
    for _ in 0..1000 {
        let (server, code) = (server.clone(), device.device_code().to_owned());
        polls.spawn(async move { poll(&server, &code).await.unwrap_err() });
    }
    let answers = polls.join_all().await;
    let count = |code: OAuthErrorCode| answers.iter().filter(|&&answer| answer == code).count();
    assert_eq!((count(OAuthErrorCode::AuthorizationPending), count(OAuthErrorCode::SlowDown)), (1, 999));
    let calls = records.calls();
    assert!(calls <= 4 * 1000, "{calls}");
}

#[tokio::test]
async fn one_question_at_a_time_costs_as_much() {
    let desk = Desk::new();
    let (server, records, device) = waiting(&desk).await;
    assert_eq!(poll(&server, device.device_code()).await.unwrap_err(), OAuthErrorCode::AuthorizationPending);
    assert!(records.calls() <= 4);
}

#[tokio::test]
async fn a_question_during_which_the_user_decides_is_answered_with_the_decision() {
    for allows in [true, false] {
        let desk = Desk::new();
        let (server, records, device) = waiting(&desk).await;
        let (alice, user_code, other) = (desk.alice(), device.user_code(), server.clone());
        records.before_swap(async move {
            let request = other.device_request(&user_code).await.unwrap().unwrap();
            let ticket = request.ticket(&alice).await.unwrap();
            let question = other.resume_device(&ticket, &alice).await.unwrap();
            if allows { question.allow(["orders:read"]).await.unwrap() } else { question.deny().await.unwrap() }
        });
        let answer = poll(&server, device.device_code()).await;
        if allows {
            assert!(desk.accepts(&answer.unwrap()));
        } else {
            assert_eq!(answer.unwrap_err(), OAuthErrorCode::AccessDenied);
        }
    }
}
