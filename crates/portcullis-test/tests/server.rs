//! The server, over a real socket.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod support;

use portcullis_core::{Admission, JwtAuthenticator, KeySet, TrustedIssuer};
use portcullis_test::MockIssuer;
use serde_json::Value;
use support::verify;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Asks for a document: status and body.
async fn fetch(method: &str, url: &str) -> std::io::Result<(u16, String)> {
    let (host, path) = url.strip_prefix("http://").and_then(|url| url.split_once('/')).unwrap();
    let mut stream = TcpStream::connect(host).await?;
    let request = format!("{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert!(head.contains("content-type: application/json"), "{head}");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    Ok((status, body.to_owned()))
}

#[tokio::test]
async fn a_service_that_knows_the_url_alone_accepts_its_tokens() {
    let server = MockIssuer::new().serve().await;
    for well_known in ["openid-configuration", "oauth-authorization-server"] {
        let (status, body) = fetch("GET", &format!("{}/.well-known/{well_known}", server.url())).await.unwrap();
        assert_eq!(status, 200);
        let metadata: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(metadata["issuer"], server.url());
        assert_eq!(metadata["jwks_uri"], server.jwks_url());
    }

    let (_, body) = fetch("GET", &server.jwks_url()).await.unwrap();
    let keys = KeySet::from_jwks_strict(&body).unwrap();
    let trusted = TrustedIssuer::new(server.url(), keys).audience(MockIssuer::DEFAULT_AUDIENCE);
    let token = server.issuer().token().sign();
    assert!(verify(&Admission::new(JwtAuthenticator::new(trusted).unwrap()), &token).is_ok());
}

#[tokio::test]
async fn a_rotation_is_seen_by_the_next_fetch() {
    let issuer = MockIssuer::new();
    let server = issuer.serve().await;
    let count = async || {
        let (_, body) = fetch("GET", &server.jwks_url()).await.unwrap();
        KeySet::from_jwks_strict(&body).unwrap().len()
    };
    assert_eq!(count().await, 1);
    issuer.rotate();
    assert_eq!(count().await, 2);
    server.issuer().retire_old();
    assert_eq!(count().await, 1);
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let server = MockIssuer::new().serve().await;
    assert_eq!(fetch("GET", &format!("{}/other", server.url())).await.unwrap().0, 404);
    assert_eq!(fetch("POST", &server.jwks_url()).await.unwrap().0, 405);
}

#[tokio::test]
async fn it_stops_when_dropped() {
    let server = MockIssuer::new().serve().await;
    let url = server.jwks_url();
    let mut open = TcpStream::connect(server.url().trim_start_matches("http://")).await.unwrap();
    assert!(fetch("GET", &url).await.is_ok());
    drop(server);
    assert!(fetch("GET", &url).await.is_err());
    assert_eq!(open.read(&mut [0; 16]).await.unwrap_or(0), 0, "the open connection is closed");
}
