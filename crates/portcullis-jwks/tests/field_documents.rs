//! Documents that are odd or missing, and what is said about them: rows I, J, R and Z of the field table.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::{fmt, io};

use http::{Request, Response};
use portcullis_jwks::{Fetch, FetchError, FetchErrorKind, RemoteKeys, RemoteKeysBuilder, Snapshot};
use portcullis_test::MockIssuer;
use support::MINUTE;

const NAME: &str = "https://issuer.test";
const METADATA: &str = r#"{"issuer":"https://issuer.test","jwks_uri":"https://issuer.test/keys"}"#;

/// Answers what a function of the path says.
struct Answering<F>(F);

impl<F> fmt::Debug for Answering<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answering")
    }
}

impl<F: Fn(&str) -> Result<Response<Vec<u8>>, FetchError> + Send + Sync + 'static> Fetch for Answering<F> {
    async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        (self.0)(request.uri().path())
    }
}

/// What `require` says, as `main` would print it, after one attempt; and the kind of the failure.
async fn failure(
    builder: RemoteKeysBuilder,
    answer: impl Fn(&str) -> Result<Response<Vec<u8>>, FetchError> + Send + Sync + 'static,
) -> Result<(), (FetchErrorKind, String)> {
    let keys = builder.fetch(Answering(answer)).start().unwrap();
    let outcome = keys.require(MINUTE / 120).await;
    outcome.map_err(|fault| (keys.last_error().unwrap().kind(), fault.to_string()))
}

/// The two documents, each changed by a function.
fn documents(change: impl Fn(Vec<u8>) -> Response<Vec<u8>>) -> impl Fn(&str) -> Result<Response<Vec<u8>>, FetchError> {
    let keys = MockIssuer::new().jwks();
    move |path| Ok(change(if path == "/keys" { keys.clone() } else { METADATA.to_owned() }.into_bytes()))
}

#[tokio::test(start_paused = true)]
async fn row_i_a_byte_order_mark_is_ignored() {
    let marked = documents(|body| Response::new([b"\xEF\xBB\xBF".as_slice(), &body].concat()));
    assert_eq!(failure(RemoteKeys::discover(NAME), marked).await, Ok(()));
    let twice = documents(|body| Response::new([b"\xEF\xBB\xBF\xEF\xBB\xBF".as_slice(), &body].concat()));
    assert_eq!(failure(RemoteKeys::discover(NAME), twice).await.unwrap_err().0, FetchErrorKind::Malformed);
}

#[tokio::test(start_paused = true)]
async fn row_i_another_encoding_is_named() {
    for big_endian in [false, true] {
        let utf16 = documents(move |body| {
            let units =
                std::iter::once(0xfeff).chain(String::from_utf8(body).unwrap().encode_utf16().collect::<Vec<_>>());
            let octets = |unit: u16| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
            Response::new(units.flat_map(octets).collect())
        });
        let (kind, text) = failure(RemoteKeys::discover(NAME), utf16).await.unwrap_err();
        assert!(kind == FetchErrorKind::Malformed && text.contains("UTF-16"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn row_i_a_snapshot_with_a_byte_order_mark_is_read() {
    let keys = RemoteKeys::discover(NAME).fetch(Answering(documents(Response::new))).start().unwrap();
    keys.require(MINUTE).await.unwrap();
    let text = keys.snapshot().unwrap().to_json();
    assert!(Snapshot::from_json(&format!("\u{feff}{text}")).is_ok());
    assert!(Snapshot::from_json(&format!("x{text}")).is_err());
}

#[tokio::test(start_paused = true)]
async fn row_j_a_coding_that_was_not_asked_for_is_named() {
    for coding in ["br", "gzip", "deflate", "zstd", "gzip, br"] {
        let encoded = || {
            documents(move |_| {
                Response::builder().header("content-encoding", coding).body(vec![0x1b, 0xff, 0x00, 0xf8]).unwrap()
            })
        };
        for builder in [RemoteKeys::discover(NAME), RemoteKeys::from_url("https://issuer.test/keys")] {
            let (kind, text) = failure(builder, encoded()).await.unwrap_err();
            assert!(kind == FetchErrorKind::ContentCoding && text.contains(&format!("`{coding}`")), "{text}");
        }
    }
    let identity = documents(|body| Response::builder().header("content-encoding", "identity").body(body).unwrap());
    assert_eq!(failure(RemoteKeys::discover(NAME), identity).await, Ok(()));
}

/// Storage that has the document compressed and does not say so.
#[tokio::test(start_paused = true)]
async fn row_j_a_coding_that_is_not_announced_is_named() {
    for (octets, name) in [([0x1f, 0x8b, 0x08, 0x00], "gzip"), ([0x28, 0xb5, 0x2f, 0xfd], "zstd")] {
        let (kind, text) =
            failure(RemoteKeys::discover(NAME), documents(move |_| Response::new(octets.to_vec()))).await.unwrap_err();
        assert!(kind == FetchErrorKind::ContentCoding && text.contains(name), "{text}");
    }
    let (kind, text) =
        failure(RemoteKeys::discover(NAME), documents(|_| Response::new(vec![0x80, 0x81]))).await.unwrap_err();
    assert!(kind == FetchErrorKind::Malformed && text.contains("not UTF-8"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn row_j_no_coding_is_asked_for() {
    #[derive(Debug)]
    struct Asking;
    impl Fetch for Asking {
        async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
            assert_eq!(request.headers()["accept-encoding"], "identity");
            Ok(Response::new(MockIssuer::new().jwks().into_bytes()))
        }
    }
    let keys = RemoteKeys::from_url("https://issuer.test/keys").fetch(Asking).start().unwrap();
    keys.require(MINUTE).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn row_r_the_error_of_require_says_what_happened_and_what_to_change() {
    let status = |status: u16| move |_: &str| Ok(Response::builder().status(status).body(Vec::new()).unwrap());
    let text = |text: &'static str| move |_: &str| Ok(Response::new(text.into()));
    let broken = |kind: io::ErrorKind| move |_: &str| Err(FetchError::unreachable(io::Error::from(kind)));
    let discover = || RemoteKeys::discover(NAME);
    let from_url = || RemoteKeys::from_url("https://issuer.test/keys");
    let told = [
        (failure(discover(), broken(io::ErrorKind::ConnectionRefused)).await, "refused", "host and port"),
        (failure(from_url(), broken(io::ErrorKind::ConnectionRefused)).await, "refused", "host and port"),
        (failure(discover(), broken(io::ErrorKind::ConnectionReset)).await, "closed", "before a response"),
        (failure(discover(), broken(io::ErrorKind::HostUnreachable)).await, "no way to that host", "address"),
        (failure(discover(), status(404)).await, "404", "the issuer's name, exactly as its tokens have it"),
        (failure(from_url(), status(404)).await, "404", "is the URL right"),
        (failure(from_url(), status(401)).await, "401", "can send a token"),
        (failure(from_url(), status(301)).await, "301", "configure where it leads"),
        (
            failure(discover(), text(r#"{"issuer":"https://issuer.test/","jwks_uri":"https://issuer.test/keys"}"#))
                .await,
            "`https://issuer.test/`",
            "slash at the end counts",
        ),
        (
            failure(discover(), text(r#"{"issuer":"https://other.test","jwks_uri":"https://issuer.test/keys"}"#)).await,
            "`https://other.test`",
            "exactly as it names itself",
        ),
        (failure(discover(), text(r#"{"keys":[]}"#)).await, "a key set", "RemoteKeys::from_url"),
        (failure(from_url(), text(METADATA)).await, "metadata", "RemoteKeys::discover"),
        (failure(discover(), text(r#"{"issuer":"https://iss"#)).await, "ends too early", "`jwks_uri`"),
        (failure(from_url(), text(r#"{"keys":[]}"#)).await, "empty", "shared secret"),
    ];
    for (outcome, what, change) in told {
        let (_, text) = outcome.unwrap_err();
        assert!(text.contains(NAME) && text.contains(what) && text.contains(change), "{what}: {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    assert_eq!(failure(discover(), documents(Response::new)).await, Ok(()), "the twin");
}

/// What `main` prints of an error that it returns is its `Debug`; and an error's text never repeats its source's.
#[tokio::test(start_paused = true)]
async fn row_r_debug_has_the_cause_as_well_and_nothing_is_said_twice() {
    let refused = |_: &str| Err(FetchError::unreachable(io::Error::other("os error 111")));
    let keys = RemoteKeys::discover(NAME).fetch(Answering(refused)).start().unwrap();
    let fault = keys.require(MINUTE / 120).await.unwrap_err();
    assert!(format!("{fault:?}").contains("no response came"), "{fault:?}");
    let chain: Vec<_> = std::iter::successors(Some(&fault as &dyn std::error::Error), |error| error.source()).collect();
    let texts: Vec<_> = chain.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(!texts[0].contains(&texts[1]) && texts[1].contains("111"), "{texts:?}");
}

#[cfg(feature = "reqwest")]
mod sockets {
    use std::time::Duration;

    use portcullis_jwks::{FetchErrorKind, HttpClient, RemoteKeys};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        task::JoinSet,
    };

    /// What comes of a server that sends this and closes the connection.
    async fn after(response: &'static str) -> (FetchErrorKind, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        server.spawn(async move {
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                let _head = connection.read(&mut [0; 1024]).await;
                let _sent = connection.write_all(response.as_bytes()).await;
                let _closed = connection.shutdown().await;
            }
        });
        let keys = RemoteKeys::from_url(url).fetch(HttpClient::new().unwrap()).start().unwrap();
        let mut error = None;
        while error.is_none() {
            let fault = keys.require(Duration::from_millis(200)).await.unwrap_err();
            error = keys.last_error().map(|error| (error.kind(), fault.to_string()));
        }
        error.unwrap()
    }

    #[tokio::test]
    async fn row_z_a_response_that_is_cut_short_is_not_unreachable() {
        for response in [
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"keys\":[",
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{\"keys\":[\r\n",
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{\"ke",
        ] {
            let (kind, text) = after(response).await;
            assert!(kind == FetchErrorKind::CutShort && text.contains("cut short"), "{response:?}: {text}");
        }
        let (kind, text) = after("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"keys\":[").await;
        assert_eq!(kind, FetchErrorKind::Malformed, "its length was not announced, so the text alone tells: {text}");
    }

    #[tokio::test]
    async fn row_z_a_connection_that_is_closed_without_a_response_is_unreachable() {
        let (kind, text) = after("").await;
        assert!(kind == FetchErrorKind::Unreachable && text.contains("before a response"), "{text}");
        let (kind, text) = after("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await;
        assert!(kind == FetchErrorKind::Status && text.contains("404"), "{text}");
    }

    /// What `require` says once the first attempt is over.
    async fn first_failure(keys: &RemoteKeys) -> String {
        loop {
            let fault = keys.require(Duration::from_millis(200)).await.unwrap_err();
            if keys.last_error().is_some() {
                break fault.to_string();
            }
        }
    }

    /// On Linux each address of 127.0.0.0/8 is this machine's.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn row_r_a_refused_connection_is_told_in_one_line() {
        // The listener holds this port on another address, so that no other process can take it meanwhile.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://127.0.0.2:{}/keys", listener.local_addr().unwrap().port());
        let keys = RemoteKeys::from_url(&url).start().unwrap();
        let text = first_failure(&keys).await;
        assert!(text.contains(&url) && text.contains("refused") && text.contains("host and port"), "{text}");
    }

    #[tokio::test]
    async fn row_r_a_host_name_that_is_not_known_is_told_in_one_line() {
        let keys = RemoteKeys::from_url("https://keys.invalid/keys").start().unwrap();
        let text = first_failure(&keys).await;
        assert!(text.contains("keys.invalid") && text.lines().count() == 1, "{text}");
        let told = ["host name is not known", "proxy", "no connection within"];
        assert!(told.iter().any(|told| text.contains(told)), "as far as this machine's network lets one see: {text}");
    }
}
