//! The running platform, and a client for it.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    error::Error,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
};

use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

/// The two processes. They end with this value.
pub(crate) struct Platform {
    process: Mutex<Child>,
    pub(crate) url: String,
    pub(crate) orders: String,
    pub(crate) data: PathBuf,
    client: Client<HttpConnector, Full<Bytes>>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) cookies: Vec<String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub(crate) fn access_token(&self) -> String {
        self.json()["access_token"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }

    /// The cookie with the session, as the browser sends it back.
    pub(crate) fn cookie(&self) -> String {
        let cookie = self.cookies.iter().find(|cookie| cookie.starts_with("__Host-session="));
        let cookie = cookie.unwrap_or_else(|| panic!("{self:?}"));
        cookie.split(';').next().unwrap().to_owned()
    }
}

impl Platform {
    /// Starts it on free ports, with these settings.
    pub(crate) async fn start(data: &Path, settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_platform"));
        command.env_clear().env("PORT", "0").env("ORDERS_PORT", "0").env("DATA", data).env("RUST_LOG", "warn");
        command.envs(settings.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("dashboard is at ").unwrap_or_else(|| panic!("it said {line:?}")).to_owned();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let mut platform =
            Self { process: Mutex::new(process), url, orders: String::new(), data: data.to_owned(), client };
        let config = platform.get("/config.json", &[]).await.json();
        config["orders"]["url"].as_str().unwrap().clone_into(&mut platform.orders);
        platform
    }

    /// `kill -9`.
    pub(crate) fn kill(&self) {
        let mut process = self.process.lock().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", &self.at(path), headers, String::new()).await
    }

    pub(crate) async fn form(&self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let headers = [headers, &[("content-type", "application/x-www-form-urlencoded")]].concat();
        self.send("POST", &self.at(path), &headers, body).await
    }

    pub(crate) async fn json(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let headers = [headers, &[("content-type", "application/json")]].concat();
        self.send("POST", &self.at(path), &headers, body.to_string()).await
    }

    /// With an access token.
    pub(crate) async fn with(&self, token: &str, url: &str) -> Answer {
        self.send("GET", &self.at(url), &[("authorization", &format!("Bearer {token}"))], String::new()).await
    }

    /// As the page does.
    pub(crate) async fn log_in(&self, name: &str, password: &str) -> Answer {
        let body = serde_json::json!({ "username": name, "password": password });
        self.json("/session/log_in", &[("sec-fetch-site", "same-origin")], &body).await
    }

    /// As the page does.
    pub(crate) async fn session(&self, what: &str, cookie: &str, fields: &[(&str, &str)]) -> Answer {
        let headers = [("sec-fetch-site", "same-origin"), ("cookie", cookie)];
        self.form(&format!("/session/{what}"), &headers, fields).await
    }

    /// The cookie of a session that is opened or refreshed; `None` if there is no answer, or one that a client tries again after.
    pub(crate) async fn try_session(&self, what: &str, headers: &[(&str, &str)], body: String) -> Option<String> {
        let headers = [headers, &[("sec-fetch-site", "same-origin")]].concat();
        let answer = self.try_send("POST", &self.at(&format!("/session/{what}")), &headers, body).await.ok()?;
        assert!(answer.status == 200 || answer.status >= 500, "{answer:?}");
        (answer.status == 200).then(|| answer.cookie())
    }

    fn at(&self, url: &str) -> String {
        if url.starts_with('/') { format!("{}{url}", self.url) } else { url.to_owned() }
    }

    pub(crate) async fn send(&self, method: &str, url: &str, headers: &[(&str, &str)], body: String) -> Answer {
        self.try_send(method, url, headers, body).await.unwrap()
    }

    /// The same; an error if the platform does not answer.
    pub(crate) async fn try_send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Answer, Box<dyn Error + Send + Sync>> {
        let request = axum::http::Request::builder().method(method).uri(url);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = self.client.request(request.body(Full::from(body)).unwrap()).await?;
        let (head, body) = response.into_parts();
        let cookies = head.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned());
        let body = body.collect().await?.to_bytes();
        Ok(Answer {
            status: head.status.as_u16(),
            cookies: cookies.collect(),
            body: String::from_utf8(body.to_vec()).unwrap(),
        })
    }

    /// How much memory the dashboard has, in KiB, where the system says so.
    pub(crate) fn memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.lock().unwrap().id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // It may have ended by itself. The second service ends when its input does.
        let process = self.process.get_mut().unwrap();
        let _ = process.kill();
        let _ = process.wait();
    }
}

/// For tests that send more than a client should.
pub(crate) const NO_LIMIT: (&str, &str) = ("REQUESTS_PER_MINUTE", "1000000");

pub(crate) const DASHBOARD: &str = "https://dashboard.example";
pub(crate) const ORDERS: &str = "https://orders.example";

/// A query as a client writes it.
pub(crate) fn query(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// A parameter of a URL's query.
pub(crate) fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}
