//! The client on real sockets: what it does with servers that misbehave.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use portcullis_core::{Admission, Code, JwtAuthenticator};
use portcullis_jwks::{DocumentLimit, Fetch, FetchErrorKind, HttpClient, MAX_DOCUMENT_LEN, RemoteKeys, oidc};
use portcullis_test::provider::{Behaviour, ScriptedProvider, ScriptedProviderServer};
use tokio::net::TcpListener;

async fn server() -> ScriptedProviderServer {
    ScriptedProvider::new().serve().await
}

async fn fetch(server: &ScriptedProviderServer) -> Result<(u16, usize), FetchErrorKind> {
    let request = http::Request::get(format!("{}/jwks.json", server.url())).body(Vec::new()).unwrap();
    let outcome = HttpClient::new().unwrap().fetch(request).await;
    outcome.map(|response| (response.status().as_u16(), response.body().len())).map_err(|error| error.kind())
}

#[tokio::test]
async fn three_lines_make_a_service_that_follows_its_issuer() {
    let server = server().await;
    let issuer = server.provider().issuer();
    let trusted = oidc(server.url()).unwrap().audience("https://service.test");
    let service = Admission::new(JwtAuthenticator::new(trusted).unwrap()).clock(server.provider().clock());

    assert!(service.verify(&issuer.token().sign()).outcome().await.is_ok());
    issuer.rotate();
    assert!(service.verify(&issuer.token().sign()).outcome().await.is_ok());
    let refused = service.verify(&issuer.token().header("kid", "unheard-of").sign()).outcome().await;
    assert_eq!(refused.unwrap_err().code(), Code::KeysUnavailable, "tokens may cause no third fetch so soon");
}

#[tokio::test]
async fn a_document_comes_as_it_is() {
    let server = server().await;
    assert_eq!(fetch(&server).await, Ok((200, server.provider().issuer().jwks().len())));
    server.provider().behave(Behaviour::Status(503));
    assert!(matches!(fetch(&server).await, Ok((503, _))));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (server, elsewhere) = (server().await, server().await);
    server.provider().behave(Behaviour::Redirect(format!("{}/jwks.json", elsewhere.url())));
    assert!(matches!(fetch(&server).await, Ok((302, _))));
    assert_eq!(elsewhere.provider().key_set_fetches(), 0);
}

#[tokio::test]
async fn documents_that_are_too_long_or_too_short_are_refused() {
    let server = server().await;
    server.provider().behave(Behaviour::Huge);
    assert_eq!(fetch(&server).await, Err(FetchErrorKind::TooLarge));
    server.provider().behave(Behaviour::Truncated);
    assert_eq!(fetch(&server).await, Err(FetchErrorKind::CutShort));
    server.provider().behave(Behaviour::Unreachable);
    assert_eq!(fetch(&server).await, Err(FetchErrorKind::Unreachable));
}

/// A server that announces nothing and never stops sending.
#[tokio::test]
async fn a_document_without_an_end_is_cut_off() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut endless = tokio::task::JoinSet::new();
    endless.spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let _head = connection.read(&mut [0; 1024]).await;
        let mut sent = connection.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
        let mut chunks = 0;
        while sent.is_ok() {
            sent = connection.write_all(&[b' '; 4096]).await;
            chunks += 1;
        }
        chunks * 4096
    });
    let request = http::Request::get(format!("http://{address}/")).body(Vec::new()).unwrap();
    let error = HttpClient::new().unwrap().fetch(request).await.unwrap_err();
    assert_eq!(error.kind(), FetchErrorKind::TooLarge);
    let sent = endless.join_next().await.unwrap().unwrap();
    assert!(sent < 64 * MAX_DOCUMENT_LEN, "{sent}");
}

/// The environment is the process's, so the client that is behind a proxy is in a process of its own.
#[tokio::test]
async fn addresses_on_this_machine_are_never_reached_through_a_proxy() {
    const CHILD: &str = "PORTCULLIS_TEST_JWKS_URL";
    if let Ok(url) = std::env::var(CHILD) {
        let request = http::Request::get(url).body(Vec::new()).unwrap();
        assert_eq!(HttpClient::new().unwrap().fetch(request).await.unwrap().status(), 200);
        return;
    }
    let (server, proxy) = (server().await, TcpListener::bind("127.0.0.1:0").await.unwrap());
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "addresses_on_this_machine_are_never_reached_through_a_proxy"])
        .env(CHILD, format!("{}/jwks.json", server.url()))
        .envs(
            ["HTTP_PROXY", "http_proxy", "ALL_PROXY"]
                .map(|name| (name, format!("http://{}", proxy.local_addr().unwrap()))),
        )
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .stdout(std::process::Stdio::null())
        .spawn();
    let mut child = child.unwrap();
    let status = tokio::task::spawn_blocking(move || child.wait());
    tokio::select! {
        _ = proxy.accept() => panic!("the proxy was asked"),
        status = status => assert!(status.unwrap().unwrap().success()),
    }
}

#[tokio::test]
async fn a_refused_connection_is_reported_with_its_cause() {
    // This socket occupies the port on another address, so that no other process can take it meanwhile.
    let occupied = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("127.0.0.2:{}", occupied.local_addr().unwrap().port());
    let keys = RemoteKeys::from_url(format!("http://{address}/jwks.json")).start().unwrap();
    let fault = keys.require(Duration::from_millis(500)).await.unwrap_err();
    let causes = std::iter::successors(Some(&fault as &dyn std::error::Error), |error| error.source());
    let causes = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    assert!(causes.contains(&address) && causes.to_lowercase().contains("refused"), "{causes}");
}

#[tokio::test]
async fn etags_go_there_and_back() {
    let server = server().await;
    server.provider().etags();
    let url = format!("{}/jwks.json", server.url());
    let client = HttpClient::new().unwrap();
    let first = client.fetch(http::Request::get(&url).body(Vec::new()).unwrap()).await.unwrap();
    let again = http::Request::get(&url).header("if-none-match", &first.headers()["etag"]).body(Vec::new()).unwrap();
    assert_eq!(client.fetch(again).await.unwrap().status(), 304);
}

#[test]
fn certificates_that_are_none_are_refused() {
    for pem in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(HttpClient::with_root_certificates(pem).is_err(), "{pem}");
    }
}

/// A server that answers each request with the request itself.
#[tokio::test]
async fn a_request_is_sent_with_its_body_and_one_without_has_none() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut echo = tokio::task::JoinSet::new();
    echo.spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let (mut request, mut chunk) = (Vec::new(), [0; 1024]);
            while !(request.ends_with(b"token=abc") || request.starts_with(b"GET") && request.ends_with(b"\r\n\r\n")) {
                let length = connection.read(&mut chunk).await.unwrap();
                request.extend_from_slice(&chunk[..length]);
            }
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", request.len());
            connection.write_all(head.as_bytes()).await.unwrap();
            connection.write_all(&request).await.unwrap();
        }
    });
    let client = HttpClient::new().unwrap();
    let text = async |request| String::from_utf8(client.fetch(request).await.unwrap().into_body()).unwrap();
    let post = http::Request::post(format!("http://{address}/log-out")).header("content-type", "x/y");
    let posted = text(post.body(b"token=abc".to_vec()).unwrap()).await;
    assert!(posted.starts_with("POST /log-out HTTP/1.1\r\n") && posted.contains("content-length: 9"), "{posted}");
    assert!(posted.contains("content-type: x/y") && posted.ends_with("\r\n\r\ntoken=abc"), "{posted}");
    let got = text(http::Request::get(format!("http://{address}/")).body(Vec::new()).unwrap()).await;
    assert!(got.starts_with("GET / HTTP/1.1\r\n") && !got.contains("content-length"), "{got}");
}

#[tokio::test]
async fn a_document_may_have_a_limit_of_its_own() {
    let server = server().await;
    let length = server.provider().issuer().jwks().len();
    let client = HttpClient::new().unwrap();
    for (limit, is_read) in [(length, true), (length - 1, false), (usize::MAX, true)] {
        let request = http::Request::get(format!("{}/jwks.json", server.url())).extension(DocumentLimit::bytes(limit));
        let outcome = client.fetch(request.body(Vec::new()).unwrap()).await.map_err(|error| error.kind());
        assert_eq!(outcome.is_ok(), is_read, "{limit}");
        assert!(is_read || outcome.is_err_and(|kind| kind == FetchErrorKind::TooLarge));
    }
}

/// A server that does not say how long its answer is.
#[tokio::test]
async fn a_limit_holds_also_for_a_document_whose_length_is_not_announced() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut server = tokio::task::JoinSet::new();
    server.spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let _head = connection.read(&mut [0; 1024]).await;
            let answer = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", " ".repeat(100));
            connection.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    for (limit, is_read) in [(100, true), (99, false)] {
        let request = http::Request::get(format!("http://{address}/")).extension(DocumentLimit::bytes(limit));
        let outcome = HttpClient::new().unwrap().fetch(request.body(Vec::new()).unwrap()).await;
        assert_eq!(outcome.map_err(|error| error.kind()).is_ok(), is_read, "{limit}");
    }
}
