//! A plain HTTP client, which follows no redirect.
#![allow(dead_code, reason = "each test uses a part of it")]

use http::{HeaderMap, Request, Response, header, request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// Returns a header; nothing if it is not there.
    pub(crate) fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }
}

/// Listens on a port of the system's choice.
pub(crate) async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// Sends a request with a text.
pub(crate) async fn send(request: request::Builder, body: &str) -> Answer {
    let (head, body) = exchange(request.body(body.as_bytes().to_vec()).unwrap()).await.into_parts();
    Answer { status: head.status.as_u16(), headers: head.headers, body: String::from_utf8(body).unwrap() }
}

/// Sends a request on a connection of its own, which is never TLS, whatever the URL says.
pub(crate) async fn exchange(request: Request<Vec<u8>>) -> Response<Vec<u8>> {
    let host = request.uri().authority().unwrap().to_string();
    let stream = TcpStream::connect(&host).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let (mut head, body) = request.into_parts();
    head.headers.insert(header::HOST, host.parse().unwrap());
    head.uri = head.uri.path_and_query().unwrap().as_str().parse().unwrap();
    let request = Request::from_parts(head, Full::<bytes::Bytes>::from(body));
    let (head, body) = sender.send_request(request).await.unwrap().into_parts();
    Response::from_parts(head, body.collect().await.unwrap().to_bytes().into())
}

/// Returns a form or a query.
pub(crate) fn encoded(pairs: &[(&str, &str)]) -> String {
    let encode =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}

/// Decodes one parameter of a query.
pub(crate) fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap();
    let value = percent_encoding::percent_decode_str(value).decode_utf8().unwrap().replace('+', " ");
    (name.to_owned(), value)
}
