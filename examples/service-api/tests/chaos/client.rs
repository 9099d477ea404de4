//! A client whose requests always end: with an answer, with a broken connection, or as unanswered.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use axum::body::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, select, time::timeout};

/// How long an instance may take for an answer, on a machine that is busy. The slowest waits 5 s for a revocation to become durable.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why there is no status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The instance is down, or went down.
    Broken,
    /// Nothing came in time. That says nothing about the token, and is a fault by itself.
    Silent,
}

/// Sends one request at a time, on one connection to each instance.
///
/// It drives its connections itself, in the task that sends. A pooled client has a task for each connection, and then a request that is
/// sent while the connection closes can get lost between the two tasks: it stays in their channel, and neither is answered nor fails
/// (<https://github.com/hyperium/hyper/issues/4122>). Kills close connections all the time.
#[derive(Debug, Default)]
pub(crate) struct Client {
    lines: HashMap<SocketAddr, Line>,
}

#[derive(Debug)]
struct Line {
    requests: SendRequest<Full<Bytes>>,
    connection: Connection<TokioIo<TcpStream>, Full<Bytes>>,
}

impl Client {
    /// The status of the answer, once all of the answer has come.
    pub(crate) async fn status(
        &mut self,
        method: &str,
        at: SocketAddr,
        path: &str,
        token: &str,
    ) -> Result<u16, NoAnswer> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", at.to_string())
            .header("authorization", format!("Bearer {token}"))
            .body(Full::default())
            .unwrap();
        // Not put back if it breaks, or if the request is not answered.
        let line = self.lines.remove(&at);
        let exchange = async {
            let mut line = match line {
                Some(line) => line,
                None => Line::open(at).await?,
            };
            let status = line.status(request).await?;
            Some((line, status))
        };
        let outcome = timeout(PATIENCE, exchange).await.map_err(|_| NoAnswer::Silent)?;
        let (line, status) = outcome.ok_or(NoAnswer::Broken)?;
        self.lines.insert(at, line);
        Ok(status)
    }
}

impl Line {
    async fn open(at: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(at).await.ok()?;
        let (requests, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        Some(Self { requests, connection })
    }

    async fn status(&mut self, request: Request<Full<Bytes>>) -> Option<u16> {
        let Self { requests, connection } = self;
        let exchange = async {
            requests.ready().await.ok()?;
            let response = requests.send_request(request).await.ok()?;
            let status = response.status().as_u16();
            response.into_body().collect().await.ok()?;
            Some(status)
        };
        select! {
            // An answer that came with the end of the connection is one.
            biased;
            status = exchange => status,
            _ = connection => None,
        }
    }
}
