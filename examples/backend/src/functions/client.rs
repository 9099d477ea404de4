//! [`Client`]: sends requests to the backend.

use std::time::Duration;

use axum::{
    body::Bytes,
    http::{
        HeaderValue, Method, Request, StatusCode, Uri,
        header::{CONTENT_TYPE, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::Failure;

/// As whom a request is made.
#[derive(Clone, Copy, Debug)]
pub(super) enum Actor<'a> {
    /// As the user of this JWT.
    User(&'a HeaderValue),
    /// As the administrator, with the key of the functions.
    Administrator,
}

/// Sends requests to the backend.
#[derive(Debug)]
pub(super) struct Client {
    url: String,
    key: HeaderValue,
    http: HttpClient<HttpConnector, Full<Bytes>>,
}

/// How long the backend may take.
const PATIENCE: Duration = Duration::from_secs(5);

const LONGEST_ANSWER: usize = 1024 * 1024;

impl Client {
    pub(super) fn new(url: &str, key: &str) -> Result<Self, Failure> {
        let mut key = HeaderValue::from_str(key)?;
        key.set_sensitive(true);
        let http = HttpClient::builder(TokioExecutor::new()).build_http();
        Ok(Self { url: url.to_owned(), key, http })
    }

    pub(super) async fn get(&self, path: &str, actor: Actor<'_>) -> Result<Value, Refused> {
        self.send(Method::GET, path, actor, String::new()).await
    }

    pub(super) async fn post(&self, path: &str, actor: Actor<'_>, body: &Value) -> Result<Value, Refused> {
        self.send(Method::POST, path, actor, body.to_string()).await
    }

    async fn send(&self, method: Method, path: &str, actor: Actor<'_>, body: String) -> Result<Value, Refused> {
        let (name, value) = match actor {
            Actor::User(jwt) => ("x-backend-jwt", jwt),
            Actor::Administrator => ("x-backend-key", &self.key),
        };
        let uri: Uri = format!("{}{path}", self.url).parse().map_err(|_| Refused::unreachable())?;
        let request = Request::builder().method(method).uri(uri).header(name, value);
        let request = request.header(CONTENT_TYPE, "application/json").body(Full::from(body));
        let request = request.map_err(|_| Refused::unreachable())?;
        timeout(PATIENCE, self.exchange(request)).await.map_err(|_| Refused::unreachable())?
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Value, Refused> {
        let response = self.http.request(request).await.map_err(|_| Refused::unreachable())?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
        let body = body.map_err(|_| Refused::unreachable())?.to_bytes();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        if status.is_success() { Ok(body) } else { Err(Refused { status, body }) }
    }
}

/// Why a function was not done: often the backend's own refusal, which the caller gets as it is.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    body: Value,
}

impl Refused {
    pub(super) fn of(status: StatusCode, code: &str) -> Self {
        let title = status.canonical_reason();
        Self { status, body: json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "code": code }) }
    }

    fn unreachable() -> Self {
        Self::of(StatusCode::SERVICE_UNAVAILABLE, "backend_unreachable")
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let headers = [(CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, headers, self.body.to_string()).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static(r#"Bearer realm="functions""#);
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
