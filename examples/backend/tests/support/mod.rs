//! The running backend with its functions, and a client for both.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use axum::{
    body::Bytes,
    http::{HeaderMap, Request},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

/// The two processes. They end with this value.
pub(crate) struct Backend {
    process: Child,
    /// Open for as long as it runs: it may still be saying something.
    _output: BufReader<ChildStdout>,
    pub(crate) url: String,
    pub(crate) functions: String,
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

    pub(crate) fn number(&self, member: &str) -> u64 {
        self.json()[member].as_u64().unwrap_or_else(|| panic!("no {member} in {self:?}"))
    }

    /// The status, and the code of the problem if there is one.
    pub(crate) fn outcome(&self) -> (u16, String) {
        let problem: Value = serde_json::from_str(&self.body).unwrap_or_default();
        (self.status, problem["code"].as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}")).to_str().unwrap()
    }
}

/// A session of a user, as a client keeps it.
pub(crate) struct Session {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) ends_by: u64,
}

pub(crate) type Headers = Vec<(&'static str, String)>;

impl Session {
    fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{answer:?}");
        Self {
            access: answer.text("access_token"),
            refresh: answer.text("refresh_token"),
            ends_by: answer.number("session_ends_by"),
        }
    }

    pub(crate) fn header(&self) -> Headers {
        vec![("authorization", format!("Bearer {}", self.access))]
    }
}

pub(crate) fn jwt_header(jwt: &str) -> Headers {
    vec![("x-backend-jwt", jwt.to_owned())]
}

pub(crate) fn key_header(key: &str) -> Headers {
    vec![("x-backend-key", key.to_owned())]
}

impl Backend {
    /// Starts it on free ports, with these settings.
    pub(crate) fn start(data: &Path, settings: &[(&str, &str)]) -> Self {
        Self::spawn(data, &mut command(data, settings))
    }

    /// Starts it, and lets both processes write all that they log to this file.
    pub(crate) fn start_verbose(data: &Path, log: File) -> Self {
        Self::spawn(data, command(data, &[("RUST_LOG", "trace")]).stderr(log))
    }

    fn spawn(data: &Path, command: &mut Command) -> Self {
        let mut process = command.spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut lines = output.by_ref().lines();
        let mut after = |start: &str| {
            let line = lines.next().unwrap().unwrap();
            line.strip_prefix(start).unwrap_or_else(|| panic!("it said {line:?}")).to_owned()
        };
        let (url, functions) = (after("backend is at "), after("functions are at "));
        let client = Client::builder(TokioExecutor::new()).build_http();
        // The rest of what it says has to be taken, or it could not go on.
        while !lines.next().unwrap().unwrap().contains("the function is refused") {}
        Self { process, _output: output, url, functions, data: data.to_owned(), client }
    }

    /// Makes sure that it does not start with these settings. Returns what it complains about.
    pub(crate) fn start_refused(data: &Path, settings: &[(&str, &str)]) -> String {
        let mut process = command(data, settings).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        if !said.is_empty() {
            process.kill().unwrap();
            process.wait().unwrap();
            panic!("with {settings:?}, it said {said:?}");
        }
        let ended = process.wait_with_output().unwrap();
        assert!(!ended.status.success());
        String::from_utf8(ended.stderr).unwrap()
    }

    pub(crate) async fn get(&self, path: &str, headers: &Headers) -> Answer {
        self.send("GET", &format!("{}{path}", self.url), headers, String::new()).await
    }

    pub(crate) async fn post(&self, path: &str, headers: &Headers, body: &Value) -> Answer {
        self.call("POST", path, headers, body).await
    }

    pub(crate) async fn call(&self, method: &str, path: &str, headers: &Headers, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, &format!("{}{path}", self.url), headers, body).await
    }

    /// Calls a function.
    pub(crate) async fn function(&self, name: &str, headers: &Headers) -> Answer {
        self.send("POST", &format!("{}/functions/{name}", self.functions), headers, String::new()).await
    }

    async fn send(&self, method: &str, url: &str, headers: &Headers, body: String) -> Answer {
        let request = Request::builder().method(method).uri(url).header("content-type", "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let response = self.client.request(request.body(Full::from(body)).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: head.status.as_u16(), headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub(crate) async fn try_log_in(&self, name: &str, password: &str) -> Answer {
        self.post("/session", &vec![], &json!({ "username": name, "password": password })).await
    }

    pub(crate) async fn log_in(&self, name: &str) -> Session {
        let password = if name == "alice" { "wonderland" } else { "can-we-fix-it" };
        Session::of(&self.try_log_in(name, password).await)
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> Answer {
        self.post("/session/refresh", &vec![], &json!({ "refresh_token": refresh_token })).await
    }

    pub(crate) async fn log_out(&self, session: &Session) {
        let answer = self.call("DELETE", "/session", &session.header(), &Value::Null).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    /// Asks for a JWT; `query` is such as `?minutes=5`.
    pub(crate) async fn mint(&self, session: &Session, query: &str) -> Answer {
        self.post(&format!("/account/jwt{query}"), &session.header(), &Value::Null).await
    }

    pub(crate) async fn jwt(&self, session: &Session) -> String {
        let minted = self.mint(session, "").await;
        assert_eq!(minted.status, 200, "{minted:?}");
        minted.text("jwt")
    }

    /// The key of this name, as the program has kept it in a file.
    pub(crate) fn key(&self, name: &str) -> String {
        fs::read_to_string(self.data.join(format!("{name}.key"))).unwrap().trim().to_owned()
    }

    /// Asks again until the credential is refused with 401, for `longest` at most. Returns how long that took.
    pub(crate) async fn refused_within(&self, path: &str, headers: &Headers, longest: Duration) -> Duration {
        let begin = Instant::now();
        loop {
            let answer = self.get(path, headers).await;
            if answer.status == 401 {
                return begin.elapsed();
            }
            assert_eq!(answer.status, 200, "{answer:?}");
            assert!(begin.elapsed() < longest, "it is still accepted after {longest:?}");
            a_moment().await;
        }
    }
}

/// Until what is waited for is looked at again.
pub(crate) async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

fn command(data: &Path, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backend"));
    command.env_clear().env("PORT", "0").env("FUNCTIONS_PORT", "0").env("DATA", data).env("RUST_LOG", "warn");
    command.envs(settings.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

impl Drop for Backend {
    fn drop(&mut self) {
        // It may have ended by itself. The functions end when their input does.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
