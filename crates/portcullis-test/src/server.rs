//! [`MockIssuerServer`]: a mock issuer on a socket, for services that fetch keys.
//!
//! Serves on loopback only:
//!
//! - `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0) and `/.well-known/oauth-authorization-server`
//!   (RFC 8414): [`MockIssuer::discovery`];
//! - `/jwks.json`: [`MockIssuer::jwks`], in its current state.
//!
//! ```
//! use portcullis_test::MockIssuer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let server = MockIssuer::new().serve().await;
//! let token = server.issuer().token().sign(); // its `iss` is the server's URL
//! server.issuer().rotate(); // the next fetch sees both keys
//! # assert!(server.url().starts_with("http://127.0.0.1:") && !token.is_empty());
//! # }
//! ```

use std::{convert::Infallible, net::Ipv4Addr};

use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::{MockIssuer, must::must};

/// A [`MockIssuer`] that serves its key set and metadata. Made by [`MockIssuer::serve`].
///
/// It stops, with all open connections, when this is dropped.
#[derive(Debug)]
#[must_use = "the server stops when this is dropped"]
pub struct MockIssuerServer {
    issuer: MockIssuer,
    /// Stops its task when dropped.
    _task: JoinSet<()>,
}

impl MockIssuer {
    /// Serves this issuer's documents on a free port of 127.0.0.1, from now on. The server's issuer is named after that address; it
    /// shares keys and all other settings with this one.
    ///
    /// # Panics
    ///
    /// If there is no free port, or outside a tokio runtime.
    pub async fn serve(&self) -> MockIssuerServer {
        let listener = must(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await, "cannot listen on 127.0.0.1");
        let address = must(listener.local_addr(), "the socket has no address");
        let issuer = self.clone().named(format!("http://{address}"));
        let mut task = JoinSet::new();
        task.spawn(accept(listener, issuer.clone()));
        MockIssuerServer { issuer, _task: task }
    }
}

impl MockIssuerServer {
    /// Returns the issuer whose documents are served. After its keys are rotated, the next fetch returns the new keys.
    pub fn issuer(&self) -> &MockIssuer {
        &self.issuer
    }

    /// Returns the issuer's name, which is the server's address: `http://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        self.issuer.name()
    }

    /// Returns the URL of its key set.
    pub fn jwks_url(&self) -> String {
        format!("{}/jwks.json", self.url())
    }
}

/// Serves until this is dropped, together with every connection.
async fn accept(listener: TcpListener, issuer: MockIssuer) {
    let mut connections = JoinSet::new();
    loop {
        // If a connection cannot be accepted, the client may try again.
        if let Ok((connection, _)) = listener.accept().await {
            connections.spawn(serve_connection(connection, issuer.clone()));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve_connection(connection: TcpStream, issuer: MockIssuer) {
    let service = service_fn(|request: Request<Incoming>| {
        let response = respond(&issuer, request.method(), request.uri().path());
        async { Ok::<_, Infallible>(response) }
    });
    // An error means that the client closed the connection, so there is nothing to report.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
}

fn respond(issuer: &MockIssuer, method: &Method, path: &str) -> Response<Full<Bytes>> {
    let (status, body) = match path {
        _ if method != Method::GET => (StatusCode::METHOD_NOT_ALLOWED, "{}".to_owned()),
        "/jwks.json" => (StatusCode::OK, issuer.jwks()),
        "/.well-known/openid-configuration" | "/.well-known/oauth-authorization-server" => {
            (StatusCode::OK, issuer.discovery())
        }
        _ => (StatusCode::NOT_FOUND, "{}".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
