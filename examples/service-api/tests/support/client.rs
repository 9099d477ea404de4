//! A real HTTP client.

use std::{net::SocketAddr, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tokio::time::timeout;

/// Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Client(legacy::Client<HttpConnector, Full<bytes::Bytes>>);

/// A response, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub fn token(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()["access_token"].as_str().unwrap().to_owned()
    }
}

impl Client {
    pub fn new() -> Self {
        Self(legacy::Client::builder(TokioExecutor::new()).build_http())
    }

    pub async fn send(&self, request: Request<String>) -> Answer {
        let exchange = async {
            let response = self.0.request(request.map(|text| Full::new(text.into()))).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let text = String::from_utf8(body.to_vec()).unwrap();
            Answer { status: parts.status, headers: parts.headers, text }
        };
        timeout(Duration::from_secs(20), exchange).await.expect("an answer within 20 s")
    }

    pub async fn get(&self, at: SocketAddr, path: &str, token: Option<&str>) -> Answer {
        self.send(request("GET", at, path, token, None)).await
    }

    pub async fn post(&self, at: SocketAddr, path: &str, token: Option<&str>, body: &Value) -> Answer {
        self.send(request("POST", at, path, token, Some(body))).await
    }

    pub async fn login(&self, at: SocketAddr, username: &str, password: &str) -> Answer {
        self.post(at, "/login", None, &json!({ "username": username, "password": password })).await
    }
}

pub fn request(method: &str, at: SocketAddr, path: &str, token: Option<&str>, body: Option<&Value>) -> Request<String> {
    let mut request = Request::builder().method(method).uri(format!("http://{at}{path}"));
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    request.body(body.map_or_else(String::new, Value::to_string)).unwrap()
}

/// The JSON of a token's header (0) or claims (1).
pub fn part(token: &str, at: usize) -> Value {
    let text = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}
