//! Devices without a browser (RFC 8628).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use portcullis_core::Clock;
use portcullis_issuer::{
    refresh::EndReason,
    server::{
        DeviceAuthorization, EndpointRequest, OAuthError, OAuthErrorCode, OpenDeviceRequest, ServerEvent,
        TokenResponse, Visitor,
    },
};
use serde_json::{Value, json};
use support::{
    desk::{BILLS, BROWSER, Desk, ORDERS, SECRET, basic, claims, form},
    secs,
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn ask(desk: &Desk, more: &[(&str, &str)]) -> Result<DeviceAuthorization, OAuthError> {
    let body = form(&[&[("client_id", "cli")], more].concat());
    desk.server.device_authorization(&EndpointRequest::new(body.as_bytes())).await
}

async fn poll_as(desk: &Desk, client_id: &str, code: &str) -> Result<TokenResponse, OAuthErrorCode> {
    let parameters = [("grant_type", GRANT), ("client_id", client_id), ("device_code", code)];
    desk.token(&parameters).await.map_err(|error| error.code())
}

async fn poll(desk: &Desk, device: &DeviceAuthorization) -> Result<TokenResponse, OAuthErrorCode> {
    poll_as(desk, "cli", device.device_code()).await
}

async fn refused(desk: &Desk, device: &DeviceAuthorization) -> OAuthErrorCode {
    poll(desk, device).await.unwrap_err()
}

/// The question, as the form of Alice's page sends it back.
async fn question(desk: &Desk, device: &DeviceAuthorization) -> OpenDeviceRequest {
    let alice = desk.alice().version(2);
    let request = desk.server.device_request(&device.user_code()).await.unwrap().unwrap();
    let ticket = request.ticket(&alice).await.unwrap();
    desk.server.resume_device(&ticket, &alice).await.unwrap()
}

async fn grant(desk: &Desk, device: &DeviceAuthorization) {
    let question = question(desk, device).await;
    question.allow(question.request().scopes()).await.unwrap();
}

#[tokio::test]
async fn a_device_gets_tokens_when_its_user_has_entered_the_code() {
    let desk = Desk::new();
    let device = ask(&desk, &[("scope", "orders:read")]).await.unwrap();
    let body: Value = serde_json::from_str(&device.to_json()).unwrap();
    assert_eq!((&body["expires_in"], &body["interval"]), (&json!(600), &json!(5)));
    assert_eq!(body["verification_uri"], json!("https://id.test/device"));
    let complete = format!("https://id.test/device?user_code={}", device.user_code());
    assert_eq!(body["verification_uri_complete"], json!(complete));
    assert_eq!(refused(&desk, &device).await, OAuthErrorCode::AuthorizationPending);
    let entered = device.user_code().to_lowercase().replace('-', " ");
    let request = desk.server.device_request(&entered).await.unwrap().unwrap();
    assert_eq!((request.client().id(), request.user_code()), ("cli", device.user_code()));
    assert_eq!(request.scopes().chain(request.resources()).collect::<Vec<_>>(), ["orders:read", ORDERS]);
    question(&desk, &device).await.allow(["orders:read"]).await.unwrap();
    assert!(desk.server.consent_of("alice", "cli").await.unwrap().is_some());
    let response = poll(&desk, &device).await.unwrap();
    assert!(desk.accepts(&response));
    let claims = claims(&response);
    assert_eq!((&claims["sub"], &claims["scope"], &claims["ver"]), (&json!("alice"), &json!("orders:read"), &json!(2)));
    let next =
        [("grant_type", "refresh_token"), ("client_id", "cli"), ("refresh_token", response.refresh_token().unwrap())];
    assert!(desk.accepts(&desk.token(&next).await.unwrap()));
}

#[tokio::test]
async fn pitfall_10_a_code_of_a_device_that_comes_again_ends_its_session() {
    let desk = Desk::new();
    let device = ask(&desk, &[]).await.unwrap();
    grant(&desk, &device).await;
    let response = poll(&desk, &device).await.unwrap();
    desk.clock.advance(secs(300));
    assert!(desk.accepts(&response));
    assert_eq!(refused(&desk, &device).await, OAuthErrorCode::InvalidGrant);
    assert!(!desk.accepts(&response), "the access token of a replayed code is still good");
    let session = &desk.store.dump()[0];
    assert_eq!(session.ended, Some(EndReason::Reuse));
    assert_eq!(desk.events(|event| matches!(event, ServerEvent::CodeReplayed { .. }).then_some(())).len(), 1);
}

#[tokio::test]
async fn pitfall_10_a_replay_is_noticed_after_the_request_of_the_device_is_forgotten() {
    let desk = Desk::new();
    let device = ask(&desk, &[]).await.unwrap();
    grant(&desk, &device).await;
    poll(&desk, &device).await.unwrap();
    desk.clock.advance(secs(3600));
    assert!(desk.store.dump()[0].ended.is_none());
    assert_eq!(refused(&desk, &device).await, OAuthErrorCode::InvalidGrant);
    assert_eq!(desk.store.dump()[0].ended, Some(EndReason::Reuse));
}

#[tokio::test]
async fn of_two_questions_at_once_at_most_one_gets_tokens() {
    let desk = Desk::new();
    let device = ask(&desk, &[]).await.unwrap();
    grant(&desk, &device).await;
    let (one, two) = tokio::join!(poll(&desk, &device), poll(&desk, &device));
    assert!(one.is_ok() != two.is_ok());
    assert_eq!(desk.store.dump().len(), 1);
}

#[tokio::test]
async fn a_device_that_asks_too_often_waits_longer() {
    let desk = Desk::new();
    let device = ask(&desk, &[]).await.unwrap();
    assert_eq!(refused(&desk, &device).await, OAuthErrorCode::AuthorizationPending);
    // The seconds since the question before, and the answer. The interval begins with 5 s, of which one is tolerance.
    for (waited, answer) in [
        (4, OAuthErrorCode::AuthorizationPending),
        (3, OAuthErrorCode::SlowDown),
        (8, OAuthErrorCode::SlowDown),
        (14, OAuthErrorCode::AuthorizationPending),
        (13, OAuthErrorCode::SlowDown),
        (19, OAuthErrorCode::AuthorizationPending),
    ] {
        desk.clock.advance(secs(waited));
        assert_eq!(refused(&desk, &device).await, answer, "after {waited} s");
    }
    // Once the user has decided, it does not matter.
    grant(&desk, &device).await;
    assert!(poll(&desk, &device).await.is_ok());
}

#[tokio::test]
async fn a_device_that_is_denied_is_told_so() {
    let desk = Desk::new();
    let device = ask(&desk, &[]).await.unwrap();
    let (first, second) = (question(&desk, &device).await, question(&desk, &device).await);
    first.deny().await.unwrap();
    assert_eq!(refused(&desk, &device).await, OAuthErrorCode::AccessDenied);
    let late = second.allow(["orders:read"]).await.unwrap_err();
    assert_eq!(late.code(), OAuthErrorCode::ExpiredToken, "the first decision holds");
    assert_eq!(refused(&desk, &device).await, OAuthErrorCode::AccessDenied);
    assert!(desk.server.device_request(&device.user_code()).await.unwrap().is_none());
    assert!(desk.server.consent_of("alice", "cli").await.unwrap().is_none());
}

#[tokio::test]
async fn a_device_has_ten_minutes() {
    let desk = Desk::new();
    let (early, late) = (ask(&desk, &[]).await.unwrap(), ask(&desk, &[]).await.unwrap());
    let decided = question(&desk, &late).await;
    desk.clock.advance(secs(599));
    grant(&desk, &early).await;
    assert!(poll(&desk, &early).await.is_ok());
    desk.clock.advance(secs(1));
    assert_eq!(refused(&desk, &late).await, OAuthErrorCode::ExpiredToken);
    assert!(desk.server.device_request(&late.user_code()).await.unwrap().is_none());
    assert_eq!(decided.allow(["orders:read"]).await.unwrap_err().code(), OAuthErrorCode::ExpiredToken);
    desk.clock.advance(secs(600));
    assert_eq!(refused(&desk, &late).await, OAuthErrorCode::InvalidGrant);
}

#[tokio::test]
async fn another_client_changes_nothing_and_gets_nothing() {
    let desk = Desk::new();
    let device = ask(&desk, &[]).await.unwrap();
    for _ in 0..10 {
        assert_eq!(poll_as(&desk, "cli2", device.device_code()).await.unwrap_err(), OAuthErrorCode::InvalidGrant);
    }
    assert_eq!(refused(&desk, &device).await, OAuthErrorCode::AuthorizationPending);
    grant(&desk, &device).await;
    assert_eq!(poll_as(&desk, "cli2", device.device_code()).await.unwrap_err(), OAuthErrorCode::InvalidGrant);
    assert!(poll(&desk, &device).await.is_ok());
}

#[tokio::test]
async fn no_other_code_is_a_code_of_a_device() {
    let desk = Desk::new();
    let device = ask(&desk, &[]).await.unwrap();
    let code = desk.code("page", &[]).await;
    for other in ["", "x", &device.user_code(), &code, &code.replace("pac_", "pdc_"), &device.device_code()[1..]] {
        let answer = poll_as(&desk, "cli", other).await.unwrap_err();
        assert!(matches!(answer, OAuthErrorCode::InvalidGrant | OAuthErrorCode::InvalidRequest), "{other}");
    }
    assert!(desk.redeem("page", device.device_code()).await.is_err());
    assert!(desk.redeem("page", &code).await.is_ok());
}

#[tokio::test]
async fn a_wrong_code_of_a_user_finds_nothing_and_is_counted() {
    let desk = Desk::new();
    let device = ask(&desk, &[]).await.unwrap();
    let wrong = if device.user_code() == "BBBB-BBBB" { "CCCC-CCCC" } else { "BBBB-BBBB" };
    for text in ["", "no code", wrong] {
        assert!(desk.server.device_request(text).await.unwrap().is_none(), "{text}");
    }
    let count = || desk.events(|event| matches!(event, ServerEvent::UserCodeUnknown).then_some(())).len();
    assert_eq!(count(), 3);
    assert!(desk.server.device_request(&device.user_code()).await.unwrap().is_some());
    assert_eq!(count(), 3);
}

#[tokio::test]
async fn a_device_may_ask_for_what_its_client_may_have_and_no_more() {
    let desk = Desk::new();
    let wrong = |error: OAuthError| error.code();
    assert_eq!(ask(&desk, &[("scope", "admin")]).await.map_err(wrong).unwrap_err(), OAuthErrorCode::InvalidScope);
    assert_eq!(ask(&desk, &[("resource", BILLS)]).await.map_err(wrong).unwrap_err(), OAuthErrorCode::InvalidTarget);
    let device = ask(&desk, &[("scope", "orders:read"), ("resource", ORDERS)]).await.unwrap();
    let question = question(&desk, &device).await;
    assert!(question.allow(["orders:write"]).await.is_err());
    assert!(question.allow(["orders:read"]).await.is_ok());
}

#[tokio::test]
async fn only_a_client_with_the_grant_gets_a_code() {
    let desk = Desk::new();
    let body = form(&[("client_id", "page")]);
    let page = desk.server.device_authorization(&EndpointRequest::new(body.as_bytes())).await.unwrap_err();
    assert_eq!(page.code(), OAuthErrorCode::UnauthorizedClient);
    let (body, header) = (form(&[]), basic("worker", SECRET));
    let request = EndpointRequest::new(body.as_bytes()).authorization(&header);
    assert_eq!(
        desk.server.device_authorization(&request).await.unwrap_err().code(),
        OAuthErrorCode::UnauthorizedClient
    );
    let unknown = form(&[("client_id", "unknown")]);
    let unknown = desk.server.device_authorization(&EndpointRequest::new(unknown.as_bytes())).await.unwrap_err();
    assert_eq!(unknown.code(), OAuthErrorCode::InvalidClient);
}

#[tokio::test]
async fn a_consent_that_is_withdrawn_before_the_device_asks_gives_it_nothing() {
    let desk = Desk::new();
    let device = ask(&desk, &[]).await.unwrap();
    grant(&desk, &device).await;
    desk.server.withdraw_consent("alice", "cli").await.unwrap();
    assert_eq!(refused(&desk, &device).await, OAuthErrorCode::InvalidGrant);
    assert!(desk.store.dump().iter().all(|session| session.ended.is_some()));
}

#[tokio::test]
async fn the_metadata_names_the_endpoint() {
    let desk = Desk::new();
    let metadata: Value = serde_json::from_str(desk.server.metadata().body()).unwrap();
    assert_eq!(metadata["device_authorization_endpoint"], json!("https://id.test/oauth/device_authorization"));
    assert!(metadata["grant_types_supported"].as_array().unwrap().contains(&json!(GRANT)));
}

#[tokio::test]
async fn a_device_is_allowed_only_by_the_user_and_the_browser_that_were_asked() {
    let desk = Desk::new();
    let device = ask(&desk, &[]).await.unwrap();
    let request = desk.server.device_request(&device.user_code()).await.unwrap().unwrap();
    let alice = desk.alice();
    let ticket = request.ticket(&alice).await.unwrap();
    for other in
        [Visitor::new("bob", BROWSER, desk.clock.now()), Visitor::new("alice", "b".repeat(16), desk.clock.now())]
    {
        let refused = desk.server.resume_device(&ticket, &other).await.unwrap_err();
        assert_eq!(refused.code(), OAuthErrorCode::InvalidRequest);
    }
    assert!(desk.server.resume_question(&ticket, &alice).await.is_err(), "it was no question about a page");
    assert!(desk.server.resume_device(&ticket, &alice).await.is_ok());
}
