//! The load: connections that stay open, each with one request under way at a time.
//!
//! Written on bare sockets, because the load must cost less than what it measures: a response is recognised by its
//! length, which is the same every time.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::{self, Runtime},
    task::JoinSet,
};

/// Requests, one for each connection, and the runtime that sends them.
pub struct Load {
    requests: Vec<Vec<u8>>,
    runtime: Runtime,
}

impl Load {
    /// One connection for each token.
    pub fn new(tokens: &[String]) -> Self {
        let request = |token: &String| {
            format!("GET / HTTP/1.1\r\nhost: localhost\r\naccept: */*\r\nauthorization: Bearer {token}\r\n\r\n").into()
        };
        let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { requests: tokens.iter().map(request).collect(), runtime }
    }

    /// Sends for as long as `slice`. Gives the number of answers and the time that they took.
    pub fn run(&self, address: SocketAddr, slice: Duration) -> (u64, Duration) {
        self.runtime.block_on(async {
            let mut connections = JoinSet::new();
            let start = Instant::now();
            for request in self.requests.iter().cloned() {
                connections.spawn(converse(address, request, start + slice));
            }
            (connections.join_all().await.iter().sum(), start.elapsed())
        })
    }
}

/// Asks again and again; gives the number of answers.
async fn converse(address: SocketAddr, request: Vec<u8>, until: Instant) -> u64 {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("an option of TCP");
    let mut buffer = vec![0; 4096];
    stream.write_all(&request).await.expect("a request sent");
    let length = first_response(&mut stream, &mut buffer).await;
    let mut answers = 1;
    while Instant::now() < until {
        stream.write_all(&request).await.expect("a request sent");
        stream.read_exact(&mut buffer[..length]).await.expect("a response");
        assert!(buffer.starts_with(b"HTTP/1.1 200"), "a response of another length or status");
        answers += 1;
    }
    answers
}

/// Reads a response in full and gives its length, headers included.
async fn first_response(stream: &mut TcpStream, buffer: &mut [u8]) -> usize {
    let mut read = 0;
    loop {
        let more = stream.read(&mut buffer[read..]).await.expect("a response");
        assert!(more > 0, "the server closed the connection");
        read += more;
        let text = String::from_utf8_lossy(&buffer[..read]);
        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with("HTTP/1.1 200"), "refused: {head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
        let length = head.len() + 4 + length.parse::<usize>().expect("a number");
        if read == length {
            return length;
        }
    }
}
