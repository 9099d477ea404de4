//! A web server with one answer for each path.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Answer {
    pub(crate) fn of(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

#[derive(Debug, Default)]
struct Pages {
    answers: HashMap<String, Answer>,
    asked: Vec<String>,
    hangs_up: bool,
}

/// A server on a free port of 127.0.0.1. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Web {
    url: String,
    pages: Arc<Mutex<Pages>>,
    _task: JoinSet<()>,
}

impl Web {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (pages, mut task) = (Arc::<Mutex<Pages>>::default(), JoinSet::new());
        let shared = Arc::clone(&pages);
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(answer(stream, Arc::clone(&shared)));
            }
        });
        Self { url, pages, _task: task }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn serve(&self, path: impl Into<String>, answer: Answer) {
        self.pages.lock().unwrap().answers.insert(path.into(), answer);
    }

    /// Closes connections without an answer from now on, or answers again.
    pub(crate) fn hang_up(&self, hangs_up: bool) {
        self.pages.lock().unwrap().hangs_up = hangs_up;
    }

    /// The paths that were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.pages.lock().unwrap().asked.clone()
    }
}

async fn answer(mut stream: TcpStream, pages: Arc<Mutex<Pages>>) {
    let mut lines = BufReader::new(&mut stream).lines();
    let Ok(Some(first)) = lines.next_line().await else { return };
    while let Ok(Some(line)) = lines.next_line().await {
        if line.is_empty() {
            break;
        }
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let answer = {
        let mut pages = pages.lock().unwrap();
        pages.asked.push(path.clone());
        if pages.hangs_up {
            return;
        }
        pages.answers.get(&path).cloned().unwrap_or_else(|| Answer::of(404, "no such page"))
    };
    let headers =
        answer.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<Vec<_>>().concat();
    let (status, body) = (answer.status, &answer.body);
    let text =
        format!("HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    let _ = stream.write_all(text.as_bytes()).await;
}
