//! [`Platform`]: the identity provider of `examples/platform`. [`User`]: a user with a session at it.

use std::{process::Command, sync::Mutex};

use axum::{body::Bytes, http::Request};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use platform::{dashboard, settings::Settings};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinSet};

/// The identity provider. It ends with this value.
pub(crate) struct Platform {
    pub(crate) url: String,
    listener: Mutex<Option<TcpListener>>,
    servers: Mutex<JoinSet<()>>,
    folder: TempDir,
    http: Client<HttpConnector, Full<Bytes>>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    cookie: String,
    pub(crate) body: Value,
}

/// A user with a session at the platform.
pub(crate) struct User {
    /// For the dashboard itself.
    pub(crate) access_token: String,
    cookie: String,
}

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Of the verifier (RFC 7636, appendix B).
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

impl Platform {
    /// Binds a port, without serving yet: the desk is started with this URL, and the platform with the desk's.
    pub(crate) async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let http = Client::builder(TokioExecutor::new()).build_http();
        let folder = tempfile::tempdir().unwrap();
        Self { url, listener: Mutex::new(Some(listener)), servers: Mutex::default(), folder, http }
    }

    /// Serves, and knows this desk.
    pub(crate) fn serve(&self, desk: &str) {
        let mut settings = Settings::read().unwrap();
        desk.clone_into(&mut settings.desk_url);
        self.folder.path().clone_into(&mut settings.data);
        let (listener, url) = (self.listener.lock().unwrap().take().unwrap(), self.url.clone());
        // There is no second service here.
        let server = async move { dashboard::serve(listener, &url, "http://localhost:1", &settings).await.unwrap() };
        self.servers.lock().unwrap().spawn(server);
    }

    /// Runs the script by which README.md gets an access token for the desk.
    pub(crate) async fn access_token_by_script(&self, desk: &str) -> String {
        let mut sh = Command::new("sh");
        sh.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../platform/scripts/code-flow.sh")).env("DASHBOARD", &self.url);
        sh.env("CLIENT", "acme-desk").env("REDIRECT_URI", format!("{desk}/")).env("PRINT", "access_token");
        sh.env("RESOURCE", "https://desk.acme.example");
        let output = tokio::task::spawn_blocking(move || sh.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], kind: &str, body: String) -> Answer {
        let request = Request::post(format!("{}{path}", self.url)).header("content-type", kind);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let (head, body) = self.http.request(request.body(Full::from(body)).unwrap()).await.unwrap().into_parts();
        let cookies = head.headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
        let cookie = cookies.filter_map(|cookie| cookie.split(';').next()).find(|it| it.starts_with("__Host-session="));
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status.as_u16(),
            cookie: cookie.unwrap_or_default().to_owned(),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        }
    }

    async fn json(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.post(path, headers, "application/json", body.to_string()).await
    }

    async fn form(&self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
        self.post(path, headers, "application/x-www-form-urlencoded", encoded(fields)).await
    }
}

impl User {
    pub(crate) async fn log_in(platform: &Platform, name: &str, password: &str) -> Self {
        let body = json!({ "username": name, "password": password });
        let answer = platform.json("/session/log_in", &[("sec-fetch-site", "same-origin")], &body).await;
        let access_token = answer.body["access_token"].as_str().unwrap().to_owned();
        Self { access_token, cookie: answer.cookie }
    }

    /// Lets the desk read the user's orders, as the page does on which the user is asked, and redeems the code as the desk's page does.
    pub(crate) async fn token_for_the_desk(&self, platform: &Platform, desk: &str) -> String {
        let home = format!("{desk}/");
        let query = encoded(&[
            ("response_type", "code"),
            ("client_id", "acme-desk"),
            ("redirect_uri", &home),
            ("state", "s-1"),
            ("scope", "orders:read"),
            ("resource", "https://desk.acme.example"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        let bearer = format!("Bearer {}", self.access_token);
        let headers = [("authorization", &*bearer)];
        let asked = platform.json("/api/authorization", &headers, &json!({ "query": query })).await.body;
        assert_eq!((&asked["next"], &asked["client"]), (&json!("ask"), &json!("Desk of acme")), "{asked}");
        let body = json!({ "ticket": asked["ticket"], "allow": true });
        let answer = platform.json("/api/authorization/answer", &headers, &body).await.body;
        let location = answer["location"].as_str().unwrap_or_else(|| panic!("{answer}"));
        let (_, query) = location.split_once('?').unwrap();
        let code = query.split('&').find_map(|pair| pair.strip_prefix("code=")).unwrap();
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", "acme-desk"),
            ("code", code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", &home),
        ];
        let tokens = platform.form("/oauth/token", &[], &fields).await.body;
        tokens["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned()
    }

    pub(crate) async fn log_out_everywhere(&self, platform: &Platform) {
        let headers = [("sec-fetch-site", "same-origin"), ("cookie", &*self.cookie)];
        let status = platform.form("/session/log_out_everywhere", &headers, &[]).await.status;
        assert!(matches!(status, 200 | 204), "{status}");
    }
}

fn encoded(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
