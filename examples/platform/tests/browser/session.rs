//! [`Session`]: the commands of the protocol `WebDriver` (W3C) that the tests need, as JSON over HTTP.

use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

/// A browser of its own, which ends by [`close`](Self::close).
pub(crate) struct Session {
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
}

/// What the driver says if it cannot do something.
pub(crate) type Outcome<T> = Result<T, Value>;

/// The name under which elements are sent (section 12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

impl Session {
    pub(crate) async fn start(driver: &str, options: Value) -> Outcome<Self> {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let mut session = Self { client, url: format!("{driver}/session") };
        let capabilities = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let started = session.send("POST", "", Some(capabilities)).await?;
        session.url = format!("{}/{}", session.url, started["sessionId"].as_str().unwrap());
        Ok(session)
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Outcome<Value> {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        let response = self.client.request(request.body(Full::from(body)).unwrap()).await.unwrap();
        let is_ok = response.status().is_success();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let value = serde_json::from_slice::<Value>(&body).unwrap()["value"].take();
        if is_ok { Ok(value) } else { Err(value) }
    }

    async fn post(&self, path: &str, body: Value) -> Outcome<Value> {
        self.send("POST", path, Some(body)).await
    }

    pub(crate) async fn goto(&self, url: &str) -> Outcome<Value> {
        self.post("/url", json!({ "url": url })).await
    }

    pub(crate) async fn refresh(&self) -> Outcome<Value> {
        self.post("/refresh", json!({})).await
    }

    pub(crate) async fn current_url(&self) -> Outcome<String> {
        Ok(text(&self.send("GET", "/url", None).await?))
    }

    pub(crate) async fn execute(&self, script: &str) -> Outcome<Value> {
        self.post("/execute/sync", json!({ "script": script, "args": [] })).await
    }

    pub(crate) async fn find(&self, id: &str) -> Outcome<String> {
        let found = self.post("/element", json!({ "using": "css selector", "value": format!("#{id}") })).await?;
        Ok(text(&found[ELEMENT]))
    }

    pub(crate) async fn active_element(&self) -> Outcome<String> {
        Ok(text(&self.send("GET", "/element/active", None).await?[ELEMENT]))
    }

    pub(crate) async fn click(&self, element: &str) -> Outcome<Value> {
        self.post(&format!("/element/{element}/click"), json!({})).await
    }

    pub(crate) async fn send_keys(&self, element: &str, keys: &str) -> Outcome<Value> {
        self.post(&format!("/element/{element}/value"), json!({ "text": keys })).await
    }

    pub(crate) async fn window(&self) -> Outcome<String> {
        Ok(text(&self.send("GET", "/window", None).await?))
    }

    pub(crate) async fn new_tab(&self) -> Outcome<String> {
        Ok(text(&self.post("/window/new", json!({ "type": "tab" })).await?["handle"]))
    }

    pub(crate) async fn switch_to(&self, window: &str) -> Outcome<Value> {
        self.post("/window", json!({ "handle": window })).await
    }

    pub(crate) async fn cookies(&self) -> Outcome<Vec<Value>> {
        Ok(self.send("GET", "/cookie", None).await?.as_array().unwrap().clone())
    }

    /// A command of Chromium's own protocol, by its driver.
    pub(crate) async fn cdp(&self, command: &str, parameters: Value) -> Outcome<Value> {
        self.post("/goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    pub(crate) async fn close(self) -> Outcome<Value> {
        self.send("DELETE", "", None).await
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
}
