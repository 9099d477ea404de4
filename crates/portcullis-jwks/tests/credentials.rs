//! Row F55: what a request for keys carries, and to whom alone it is shown.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use portcullis_jwks::{Fetch, FetchErrorKind, HttpClient, RemoteKeys};
use portcullis_test::MockIssuer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinSet,
};

/// A server that keeps what it is asked, and answers with a key set.
struct Server {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
    _task: JoinSet<()>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let mut task = JoinSet::new();
        task.spawn(serve(listener, Arc::clone(&heads)));
        Self { url, heads, _task: task }
    }

    /// What it was asked last, in lower case.
    async fn asked_by(&self, client: &HttpClient) -> String {
        let request = http::Request::get(format!("{}/jwks.json", self.url)).body(Vec::new()).unwrap();
        assert_eq!(client.fetch(request).await.unwrap().status(), 200);
        self.heads.lock().unwrap().pop().unwrap()
    }
}

async fn serve(listener: TcpListener, heads: Arc<Mutex<Vec<String>>>) {
    loop {
        let (mut connection, _) = listener.accept().await.unwrap();
        let (mut head, mut some) = (Vec::new(), [0; 4096]);
        while !head.ends_with(b"\r\n\r\n") {
            let read = connection.read(&mut some).await.unwrap();
            head.extend_from_slice(&some[..read]);
            assert!(read > 0, "the request ends early");
        }
        heads.lock().unwrap().push(String::from_utf8(head).unwrap().to_ascii_lowercase());
        let body = MockIssuer::new().jwks();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
        connection.write_all(answer.as_bytes()).await.unwrap();
        let _closed = connection.shutdown().await;
    }
}

/// A file of its own for each test, which is removed at the end.
struct TokenFile(PathBuf);

impl TokenFile {
    fn new(test: &str) -> Self {
        Self(std::env::temp_dir().join(format!("portcullis-jwks-{test}-{}", std::process::id())))
    }

    fn write(&self, content: impl AsRef<[u8]>) {
        fs::write(&self.0, content).unwrap();
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        let _removed = fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn row_f55_a_token_file_is_read_for_each_request() {
    let (server, file) = (Server::start().await, TokenFile::new("reread"));
    let client = HttpClient::new().unwrap().bearer_token_file(&server.url, &file.0).unwrap();
    for token in ["first", "second"] {
        file.write(format!("{token}\n"));
        let head = server.asked_by(&client).await;
        assert!(head.contains(&format!("\r\nauthorization: bearer {token}\r\n")), "{head}");
    }
}

#[tokio::test]
async fn row_f55_headers_go_to_the_named_origin_and_to_no_other() {
    let (server, other, file) = (Server::start().await, Server::start().await, TokenFile::new("origin"));
    file.write("hunter2");
    let client = HttpClient::new().unwrap().header(&server.url, "X-Api-Key", "hunter3").unwrap();
    let client = client.bearer_token_file(format!("{}/", server.url), &file.0).unwrap();
    let head = server.asked_by(&client).await;
    assert!(head.contains("x-api-key: hunter3\r\n") && head.contains("authorization: bearer hunter2\r\n"), "{head}");
    let head = other.asked_by(&client).await;
    assert!(!head.contains("hunter") && !head.contains("authorization"), "another port is another origin: {head}");
    let port = server.url.rsplit_once(':').unwrap().1;
    let name = Server { url: format!("http://localhost:{port}"), heads: server.heads.clone(), _task: JoinSet::new() };
    let head = name.asked_by(&client).await;
    assert!(!head.contains("hunter"), "and so is another name: {head}");
}

#[tokio::test]
async fn row_f55_a_token_that_cannot_be_read_is_told_with_the_file_and_never_with_the_token() {
    let (server, file) = (Server::start().await, TokenFile::new("unreadable"));
    let client = HttpClient::new().unwrap().bearer_token_file(&server.url, &file.0).unwrap();
    let request = || http::Request::get(format!("{}/jwks.json", server.url)).body(Vec::new()).unwrap();
    let long = vec![b'a'; 16 * 1024 + 1];
    let contents: [&[u8]; 6] = [b"", b" \n", b"hunter2 hunter3", b"hunter2\r\nx: y", b"hunter2\xE2\x80\xAE", &long];
    for content in [None].into_iter().chain(contents.map(Some)) {
        content.inspect(|content| file.write(content));
        let error = client.fetch(request()).await.unwrap_err();
        assert_eq!(error.kind(), FetchErrorKind::Credential, "{error}");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("unreadable") && !shown.contains("hunter"), "{shown}");
    }
    assert!(server.heads.lock().unwrap().is_empty(), "nothing was asked for");
    file.write(b"\xEF\xBB\xBF  hunter2\r\n");
    assert!(server.asked_by(&client).await.contains("authorization: bearer hunter2\r\n"), "its twin");
    file.write(&long[1..]);
    assert!(server.asked_by(&client).await.contains("authorization: bearer aaaa"), "as long as it may be");
}

#[tokio::test]
async fn row_f55_a_folder_is_no_token_file() {
    let server = Server::start().await;
    let client = HttpClient::new().unwrap().bearer_token_file(&server.url, std::env::temp_dir()).unwrap();
    let keys = RemoteKeys::from_url(format!("{}/jwks.json", server.url)).fetch(client).start().unwrap();
    let fault = loop {
        let fault = keys.require(Duration::from_millis(200)).await.unwrap_err();
        if keys.last_error().is_some() {
            break fault;
        }
    };
    let causes = std::iter::successors(Some(&fault as &dyn std::error::Error), |error| error.source());
    assert!(causes.map(ToString::to_string).collect::<String>().contains("no file"), "{fault}");
}

#[test]
fn row_f55_a_credential_is_sent_to_an_origin_over_https() {
    let one = HttpClient::new().unwrap();
    let client = || one.clone();
    for origin in [
        "",
        "kubernetes.default.svc",
        "http://kubernetes.default.svc",
        "https://kubernetes.default.svc/openid",
        "https://kubernetes.default.svc/?a",
        "https://user:hunter2@kubernetes.default.svc",
        "https://kubernetes.default.svc:99999",
        "ftp://kubernetes.default.svc",
        "https://*",
    ] {
        for error in [
            client().header(origin, "x-api-key", "hunter2").unwrap_err(),
            client().bearer_token_file(origin, "/run/token").unwrap_err(),
        ] {
            assert!(!error.to_string().contains("hunter2"), "{origin}: {error}");
        }
    }
    for origin in ["https://kubernetes.default.svc", "https://10.0.0.1:6443/", "http://127.0.0.1:8001"] {
        assert!(client().header(origin, "x-api-key", "hunter2").is_ok(), "{origin}");
    }
    for (name, value) in [("", "a"), ("a b", "a"), ("a", "hunter2\n"), ("a:", "a")] {
        let error = client().header("https://a.test", name, value).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn row_f55_no_credential_is_shown() {
    let client = HttpClient::new().unwrap().header("https://a.test", "x-api-key", "hunter2").unwrap();
    let shown = format!("{client:?}");
    assert!(shown.contains("x-api-key") && !shown.contains("hunter2"), "{shown}");
}
