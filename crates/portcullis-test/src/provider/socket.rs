//! [`ScriptedProviderServer`]: the provider on a socket, for services in another process, and for HTTP clients.

use std::{future::pending, io, net::Ipv4Addr};

use http::{HeaderMap, HeaderName, HeaderValue, Response, header::IF_NONE_MATCH};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::sleep,
};

use super::{ScriptedProvider, answer::Answer};
use crate::must::must;

/// A [`ScriptedProvider`] that listens on 127.0.0.1. Made by [`ScriptedProvider::serve`]. It stops when this is dropped.
#[derive(Debug)]
#[must_use = "the server stops when this is dropped"]
pub struct ScriptedProviderServer {
    provider: ScriptedProvider,
    /// Stops its task when dropped.
    _task: JoinSet<()>,
}

impl ScriptedProvider {
    /// Listens on a free port of 127.0.0.1. The server's provider is named after that address; it shares keys and script with this one.
    ///
    /// # Panics
    ///
    /// If there is no free port, or outside a tokio runtime.
    pub async fn serve(&self) -> ScriptedProviderServer {
        let listener = must(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await, "cannot listen on 127.0.0.1");
        let address = must(listener.local_addr(), "the socket has no address");
        let provider = Self { issuer: self.issuer.clone().named(format!("http://{address}")), ..self.clone() };
        let mut task = JoinSet::new();
        task.spawn(accept(listener, provider.clone()));
        ScriptedProviderServer { provider, _task: task }
    }
}

impl ScriptedProviderServer {
    /// Returns the provider, which is named after its address.
    pub fn provider(&self) -> &ScriptedProvider {
        &self.provider
    }

    /// Returns its address, which is its issuer's name: `http://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        self.provider.issuer().name()
    }
}

async fn accept(listener: TcpListener, provider: ScriptedProvider) {
    let mut connections = JoinSet::new();
    loop {
        if let Ok((connection, _)) = listener.accept().await {
            let provider = provider.clone();
            // An error means that the client closed the connection, so there is nothing to report.
            connections.spawn(async move { drop(serve_one(connection, provider).await) });
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Serves one request per connection. Written by hand, because no HTTP server library would send half a body.
async fn serve_one(connection: TcpStream, provider: ScriptedProvider) -> io::Result<()> {
    let mut connection = BufReader::new(connection);
    let (path, headers) = read_head(&mut connection).await?;
    let mut write = async |response: Response<Vec<u8>>, length: Option<usize>| {
        let octets = octets(&response, length.unwrap_or(response.body().len()));
        connection.write_all(&octets).await?;
        connection.shutdown().await
    };
    match provider.answer(&path, headers.get(IF_NONE_MATCH)) {
        Some(Answer::Never) => pending().await,
        Some(Answer::Refused) => Ok(()), // closed without a response
        Some(Answer::After(time, response)) => {
            sleep(time).await;
            write(response, None).await
        }
        Some(Answer::Cut(response, length)) => write(response, Some(length)).await,
        None => write(must(Response::builder().status(404).body(Vec::new()), "no such response"), None).await,
    }
}

async fn read_head(connection: &mut BufReader<TcpStream>) -> io::Result<(String, HeaderMap)> {
    let mut lines = connection.lines();
    let request_line = lines.next_line().await?.unwrap_or_default();
    let path = request_line.split(' ').nth(1).unwrap_or_default();
    let mut headers = HeaderMap::new();
    while let Some(line) = lines.next_line().await?.filter(|line| !line.is_empty()) {
        let named = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case(IF_NONE_MATCH.as_str()));
        if let Some(value) = named.and_then(|(_, value)| HeaderValue::from_str(value.trim()).ok()) {
            headers.insert(IF_NONE_MATCH, value);
        }
    }
    Ok((path.to_owned(), headers))
}

/// Returns the response with the first `length` bytes of its body, whatever its headers say.
fn octets(response: &Response<Vec<u8>>, length: usize) -> Vec<u8> {
    let (status, body) = (response.status(), response.body());
    let line =
        |(name, value): (&HeaderName, &HeaderValue)| format!("{name}: {}\r\n", value.to_str().unwrap_or_default());
    let head = [
        format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or("-")),
        response.headers().iter().map(line).collect(),
        format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len()),
    ];
    [head.concat().as_bytes(), &body[..length.min(body.len())]].concat()
}
