//! A reader of server-sent events.

use std::{net::SocketAddr, time::Duration};

use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use tokio::time::timeout;

use super::{Client, client::request};

/// A stream of events that is open.
#[derive(Debug)]
pub(crate) struct EventStream {
    body: Incoming,
    text: String,
}

impl EventStream {
    /// Opens `/events`.
    pub(crate) async fn open(client: &Client, at: SocketAddr, token: &str) -> Self {
        let response = client.open(request("GET", at, "/events", Some(token), None)).await;
        assert_eq!(response.status(), StatusCode::OK);
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next event's name and data; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let mut lines = event.lines();
                    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned)
                };
                let event = field("event").zip(field("data"));
                self.text = rest.to_owned();
                // What has no name is there to keep the connection alive.
                if let Some((name, data)) = event {
                    return Some((name, serde_json::from_str(&data).unwrap()));
                }
            }
            let frame = timeout(Duration::from_secs(20), self.body.frame()).await.expect("an event within 20 s")?;
            let data = frame.expect("a stream that is not broken off").into_data().expect("data");
            self.text.push_str(std::str::from_utf8(&data).unwrap());
        }
    }
}
