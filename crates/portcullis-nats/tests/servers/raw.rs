//! A client of NATS that only connects, publishes and subscribes, and says what the server answers.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::{Value, json};

/// A connection to a server that has sent its greeting.
pub(crate) struct Raw {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
    nonce: String,
}

impl Raw {
    pub(crate) fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        // Longer than a server takes that asks a resolver first.
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut raw = Self { reader: BufReader::new(stream.try_clone().unwrap()), stream, nonce: String::new() };
        let info = raw.line().unwrap();
        let info: Value = serde_json::from_str(info.strip_prefix("INFO ").unwrap()).unwrap();
        info["nonce"].as_str().unwrap_or_default().clone_into(&mut raw.nonce);
        raw
    }

    pub(crate) fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Logs in. Returns what the server has against it.
    pub(crate) fn connect(&mut self, jwt: &str, signature: Option<&str>) -> Result<(), String> {
        let mut options =
            json!({ "verbose": false, "pedantic": false, "lang": "test", "version": "1", "protocol": 1, "jwt": jwt });
        if let Some(signature) = signature {
            options["sig"] = json!(signature);
        }
        self.send(&format!("CONNECT {options}\r\n"))
    }

    /// Sends lines, and waits until the server has worked through them. Returns what it has against one of them.
    pub(crate) fn send(&mut self, lines: &str) -> Result<(), String> {
        // A server that has refused the login may have hung up already; what it said is read below.
        let _ = self.stream.write_all(format!("{lines}PING\r\n").as_bytes());
        let mut problem = None;
        loop {
            let line = self.line().ok_or_else(|| problem.clone().unwrap_or_else(|| "hung up".to_owned()))?;
            match &*line {
                "PONG" => return problem.map_or(Ok(()), Err),
                "PING" => self.stream.write_all(b"PONG\r\n").unwrap(),
                line if line.starts_with("-ERR") => problem = Some(line.to_owned()),
                _ => {}
            }
        }
    }

    /// Waits until the server ends the connection. Returns the last thing that it had against it.
    pub(crate) fn wait_for_end(&mut self) -> String {
        let mut last = String::new();
        while let Some(line) = self.line() {
            match &*line {
                "PING" => drop(self.stream.write_all(b"PONG\r\n")),
                line if line.starts_with("-ERR") => line.clone_into(&mut last),
                _ => {}
            }
        }
        last
    }

    /// Returns the next line; `None` once the server has hung up.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(line.trim_end().to_owned()),
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe) =>
            {
                None
            }
            Err(error) => panic!("the server says nothing: {error}"),
        }
    }
}
