//! The revocation endpoint (RFC 7009).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use portcullis_issuer::server::{EndpointRequest, OAuthError, OAuthErrorCode, TokenResponse};
use support::desk::{Desk, ORDERS, SECRET, basic, form};

async fn revoke(desk: &Desk, client_id: &str, token: &str) -> Result<(), OAuthError> {
    let body = form(&[("client_id", client_id), ("token", token)]);
    desk.confirm();
    desk.server.revoke(&EndpointRequest::new(body.as_bytes())).await
}

async fn refresh(desk: &Desk, response: &TokenResponse) -> Result<TokenResponse, OAuthError> {
    let token = response.refresh_token().unwrap();
    let parameters =
        [("grant_type", "refresh_token"), ("client_id", "page"), ("refresh_token", token), ("resource", ORDERS)];
    desk.token(&parameters).await
}

#[tokio::test]
async fn a_refresh_token_ends_its_session_for_its_own_client_alone() {
    let desk = Desk::new();
    let response = desk.redeem("page", &desk.code("page", &[]).await).await.unwrap();
    let token = response.refresh_token().unwrap();
    revoke(&desk, "other", token).await.unwrap();
    assert!(desk.accepts(&response), "another client has ended the session");
    let next = refresh(&desk, &response).await.unwrap();
    // One that was replaced is the client's all the same.
    revoke(&desk, "page", token).await.unwrap();
    assert!(!desk.accepts(&response) && !desk.accepts(&next));
    assert!(refresh(&desk, &next).await.is_err());
    revoke(&desk, "page", token).await.unwrap();
}

#[tokio::test]
async fn an_access_token_ends_alone() {
    let desk = Desk::new();
    let response = desk.redeem("page", &desk.code("page", &[]).await).await.unwrap();
    revoke(&desk, "other", response.access().token()).await.unwrap();
    assert!(desk.accepts(&response), "another client has revoked the token");
    revoke(&desk, "page", response.access().token()).await.unwrap();
    assert!(!desk.accepts(&response));
    assert!(desk.accepts(&refresh(&desk, &response).await.unwrap()), "the session has ended as well");
}

#[tokio::test]
async fn an_unknown_token_is_a_success_and_an_unknown_client_is_not() {
    let desk = Desk::new();
    for token in ["x", "prt_AAAA", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
        revoke(&desk, "page", token).await.unwrap();
    }
    assert_eq!(revoke(&desk, "unknown", "x").await.unwrap_err().code(), OAuthErrorCode::InvalidClient);
    assert_eq!(revoke(&desk, "worker", "x").await.unwrap_err().code(), OAuthErrorCode::InvalidClient);
    assert_eq!(revoke(&desk, "page", "").await.unwrap_err().code(), OAuthErrorCode::InvalidRequest);
    let (body, header) = (form(&[("token", "x")]), basic("worker", SECRET));
    assert!(desk.server.revoke(&EndpointRequest::new(body.as_bytes()).authorization(&header)).await.is_ok());
}
