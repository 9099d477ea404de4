//! The program itself, in front of a mock identity provider.
#![cfg(test)]

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Output, Stdio},
};

use axum::{body::Bytes, http::Request};
use http_body_util::{BodyExt, Empty};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use portcullis_test::MockIssuer;
use tokio::net::TcpSocket;

const AUDIENCE: &str = "https://orders.test";

#[tokio::test]
async fn callers_are_let_in_by_the_tokens_of_the_provider() {
    let provider = MockIssuer::new().audience(AUDIENCE).serve().await;
    let service = Service::start(provider.url());

    let alice = provider.issuer().token().subject("alice");
    let [guest, clerk] = ["profile", "orders:read"].map(|scope| alice.clone().scope(scope).sign());
    let stranger = MockIssuer::new().audience(AUDIENCE).token().scope("orders:read").sign();
    for (path, token, status, text) in [
        ("/me", None, 401, "credential_missing"),
        ("/me", Some(&guest), 200, "you are alice at http://127.0.0.1:"),
        ("/orders", Some(&guest), 403, "scope_missing"),
        ("/orders", Some(&clerk), 200, "seven oranges"),
        ("/orders", Some(&stranger), 401, "issuer_not_trusted"),
        // After requests that were decided, there are keys.
        ("/health/ready", None, 200, "ready"),
    ] {
        let (found, body) = service.get(path, token).await;
        assert_eq!(found, status, "{path}: {body}");
        assert!(body.contains(text), "{path}: {body}");
    }
}

#[tokio::test]
async fn without_the_provider_it_starts_and_says_that_it_is_not_ready() {
    // Bound but not listening: connections are refused, and no other process gets the port.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let issuer = format!("http://{}", closed.local_addr().unwrap());
    let service = Service::start(&issuer);

    let token = MockIssuer::new().named(issuer).audience(AUDIENCE).token().sign();
    for (path, token, text) in [("/health/ready", None, "no keys"), ("/me", Some(&token), "keys_unavailable")] {
        let (status, body) = service.get(path, token).await;
        assert_eq!(status, 503, "{path}: {body}");
        assert!(body.contains(text), "{path}: {body}");
    }
}

#[tokio::test]
async fn row_y_the_log_shows_why_a_request_was_refused() {
    let provider = MockIssuer::new().audience(AUDIENCE).serve().await;
    let mut service = Service::start(provider.url());
    let late = provider.issuer().token().subject("alice").audience("https://bills.test").sign();
    assert_eq!(service.get("/me", Some(&late)).await.0, 401);
    assert_eq!(service.get("/me", None).await.0, 401);
    let log = service.end();
    for part in ["request refused", "audience_mismatch", "credential_missing"] {
        assert!(log.contains(part), "{part} in: {log}");
    }
    assert!(!log.contains(&late) && !log.contains("alice"), "{log}");
}

#[test]
fn what_is_not_configured_is_named() {
    for (name, other) in [("ISSUER", "AUDIENCE"), ("AUDIENCE", "ISSUER")] {
        let Output { status, stderr, .. } = program().env(other, "https://orders.test").output().unwrap();
        let complaint = String::from_utf8(stderr).unwrap();
        assert!(!status.success() && complaint.contains(&format!("{name} is not set")), "{complaint}");
    }
}

/// The running program. Ends with this value.
struct Service {
    process: Child,
    url: String,
    client: Client<HttpConnector, Empty<Bytes>>,
}

fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_external-idp"));
    program.env_clear().stdin(Stdio::null());
    program
}

impl Service {
    /// Starts one that listens where the system lets it, and waits until it does.
    fn start(issuer: &str) -> Self {
        let mut program = program();
        program.env("ISSUER", issuer).env("AUDIENCE", AUDIENCE).env("PORT", "0");
        program.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = program.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("it said {line:?}")).to_owned();
        Self { process, url, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Ends it, and returns what it has logged.
    fn end(&mut self) -> String {
        self.process.kill().unwrap();
        let mut log = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        log
    }

    async fn get(&self, path: &str, token: Option<&String>) -> (u16, String) {
        let mut request = Request::get(format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = self.client.request(request.body(Empty::new()).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
