//! The running product, and a client for it.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use axum::{
    body::Bytes,
    http::{HeaderMap, Request, request::Builder},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

/// The process. It ends with this value.
pub(crate) struct Product {
    process: Child,
    /// Open for as long as it runs: it may still be saying something.
    _output: BufReader<ChildStdout>,
    pub(crate) url: String,
    pub(crate) data: PathBuf,
    client: Client<HttpConnector, Full<Bytes>>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub(crate) fn text(&self, member: &str) -> String {
        self.json()[member].as_str().unwrap_or_else(|| panic!("no {member} in {self:?}")).to_owned()
    }

    /// The status, and the code of the problem if there is one: `403 scope_missing`.
    pub(crate) fn outcome(&self) -> String {
        let problem: Value = serde_json::from_str(&self.body).unwrap_or_default();
        format!("{} {}", self.status, problem["code"].as_str().unwrap_or_default()).trim().to_owned()
    }
}

impl Product {
    /// Starts it on a free port.
    pub(crate) fn start(data: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_product-tokens"));
        command.env_clear().env("PORT", "0").env("DATA", data).env("RUST_LOG", "warn");
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut lines = output.by_ref().lines();
        let first = lines.next().unwrap().unwrap();
        let url = first.strip_prefix("product is at ").unwrap_or_else(|| panic!("it said {first:?}")).to_owned();
        // The rest of what it says has to be taken, or it could not go on.
        while !lines.next().unwrap().unwrap().contains("a program that does it all") {}
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { process, _output: output, url, data: data.to_owned(), client }
    }

    pub(crate) async fn call(&self, method: &str, path: &str, token: &str, body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        let request = request.header("content-type", "application/json");
        let request =
            if token.is_empty() { request } else { request.header("authorization", format!("Bearer {token}")) };
        self.send(request, body).await
    }

    /// Posts a form, as the application `reports`, which has this secret.
    pub(crate) async fn form(&self, path: &str, secret: &str, parameters: &[(&str, &str)]) -> Answer {
        let body: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let request = Request::builder().method("POST").uri(format!("{}{path}", self.url));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let basic = STANDARD.encode(format!("reports:{secret}"));
        self.send(request.header("authorization", format!("Basic {basic}")), body.join("&")).await
    }

    async fn send(&self, request: Builder, body: String) -> Answer {
        let response = self.client.request(request.body(Full::from(body)).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: head.status.as_u16(), headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.call("GET", path, token, Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.call("POST", path, token, body).await
    }

    /// Does what has to succeed.
    pub(crate) async fn must(&self, method: &str, path: &str, token: &str, body: Value) -> Answer {
        let answer = self.call(method, path, token, body).await;
        assert!((200..300).contains(&answer.status), "{method} {path}: {answer:?}");
        answer
    }

    /// The access token of a user who has logged in.
    pub(crate) async fn log_in(&self, name: &str) -> String {
        let password = if name == "alice" { "wonderland" } else { "can-we-fix-it" };
        let body = json!({ "username": name, "password": password });
        self.must("POST", "/session", "", body).await.text("access_token")
    }

    /// The token of the organisation, as the program has kept it in a file.
    pub(crate) fn automation(&self) -> String {
        fs::read_to_string(self.token_file()).unwrap().trim().to_owned()
    }

    pub(crate) fn token_file(&self) -> PathBuf {
        self.data.join("automation.token")
    }

    /// Asks until the token is refused.
    pub(crate) async fn wait_until_refused(&self, token: &str) {
        let is_refused = async || while self.get("/token", token).await.status != 401 {};
        tokio::time::timeout(std::time::Duration::from_secs(30), is_refused()).await.unwrap();
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// For a query or a form.
pub(crate) fn escaped(text: &str) -> String {
    let escaped = text.bytes().map(|byte| {
        let letter = char::from(byte);
        if letter.is_ascii_alphanumeric() || "-_.".contains(letter) {
            letter.to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    escaped.collect()
}

impl Drop for Product {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
