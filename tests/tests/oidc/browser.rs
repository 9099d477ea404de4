//! A plain HTTP client that keeps cookies.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, Request, StatusCode, header, request};
use http_body_util::{BodyExt, Full};
use hyper::{body::Bytes, client::conn::http1::handshake};
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinSet};

/// Cookies of one server by name. Their paths do not matter here: the provider names a cookie once.
#[derive(Debug, Default)]
pub(crate) struct Browser {
    cookies: BTreeMap<String, String>,
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// Where it sends the browser.
    pub(crate) fn location(&self) -> &str {
        let location = self.headers.get(header::LOCATION).unwrap_or_else(|| panic!("no redirection: {self:?}"));
        location.to_str().unwrap()
    }
}

impl Browser {
    pub(crate) async fn get(&mut self, url: &str) -> Answer {
        self.send(Request::get(url), String::new()).await
    }

    /// Posts a form as the client of that name and secret.
    pub(crate) async fn post_as(&mut self, client: (&str, &str), url: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::post(url)
            .header(header::AUTHORIZATION, basic(client))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, form(fields)).await
    }

    async fn send(&mut self, request: request::Builder, body: String) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = request.body(Full::<Bytes>::from(body)).unwrap();
        if !cookies.is_empty() {
            request.headers_mut().insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        let answer = exchange(request).await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            // An empty one takes the cookie away.
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// As in a query or in the body of a form.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

fn basic((name, secret): (&str, &str)) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")))
}

/// Sends a request over a connection of its own.
async fn exchange(mut request: Request<Full<Bytes>>) -> Answer {
    let authority = request.uri().authority().unwrap().to_string();
    request.headers_mut().insert(header::HOST, authority.parse().unwrap());
    // A server is asked for a path, a proxy for a URL.
    *request.uri_mut() = request.uri().path_and_query().unwrap().as_str().parse().unwrap();

    let stream = TcpStream::connect(authority).await.unwrap();
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(body.to_vec()).unwrap() }
}
