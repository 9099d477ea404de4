//! A real HTTP client.

use std::{net::SocketAddr, time::Duration};

use axum::body::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tokio::time::timeout;

/// Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct Client(legacy::Client<HttpConnector, Full<Bytes>>);

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub(crate) fn token(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()["access_token"].as_str().unwrap().to_owned()
    }
}

impl Client {
    pub(crate) fn new() -> Self {
        Self(legacy::Client::builder(TokioExecutor::new()).build_http())
    }

    pub(crate) async fn send(&self, request: Request<String>) -> Answer {
        let exchange = async {
            let (parts, body) = self.open(request).await.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let text = String::from_utf8(body.to_vec()).unwrap();
            Answer { status: parts.status, headers: parts.headers, text }
        };
        timeout(Duration::from_secs(20), exchange).await.expect("an answer within 20 s")
    }

    pub(crate) async fn get(&self, at: SocketAddr, path: &str, token: Option<&str>) -> Answer {
        self.send(request("GET", at, path, token, None)).await
    }

    pub(crate) async fn post(&self, at: SocketAddr, path: &str, token: Option<&str>, body: &Value) -> Answer {
        self.send(request("POST", at, path, token, Some(body))).await
    }

    /// A response whose head alone was read.
    pub(crate) async fn open(&self, request: Request<String>) -> Response<Incoming> {
        let response = self.0.request(request.map(|text| Full::new(text.into())));
        timeout(Duration::from_secs(20), response).await.expect("an answer within 20 s").unwrap()
    }

    pub(crate) async fn login(&self, at: SocketAddr, username: &str, password: &str) -> Answer {
        self.post(at, "/login", None, &json!({ "username": username, "password": password })).await
    }
}

pub(crate) fn request(
    method: &str,
    at: SocketAddr,
    path: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> Request<String> {
    let mut request = Request::builder().method(method).uri(format!("http://{at}{path}"));
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    request.body(body.map_or_else(String::new, Value::to_string)).unwrap()
}

/// What curl would send for such a line.
pub(crate) fn curl(line: &str) -> Request<String> {
    // Quotes come in pairs, so every second piece is one quoted argument.
    let pieces = line.split('\'').enumerate();
    let words: Vec<&str> = pieces
        .flat_map(|(at, piece)| if at % 2 == 1 { vec![piece] } else { piece.split_whitespace().collect() })
        .collect();
    let url = words.iter().find(|word| word.starts_with("http://")).unwrap();
    let after = |option: &'static str| words.windows(2).filter(move |pair| pair[0] == option).map(|pair| pair[1]);
    let body = after("-d").next();
    let method = after("-X").next().unwrap_or(if body.is_some() { "POST" } else { "GET" });
    let mut request = Request::builder().uri(*url).method(method);
    for field in after("-H") {
        let (name, value) = field.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    request.body(body.unwrap_or_default().to_owned()).unwrap()
}
