//! Documents whose URLs outsiders name.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{Method, Request, Response};
use portcullis_jwks::{DocumentLimit, Fetch, FetchError, FetchErrorKind as Kind, OutsideDocuments, TenantKeys};

/// Answers everything in one way, and keeps what it was asked for.
#[derive(Clone, Debug, Default)]
struct Internet {
    asked: Arc<Mutex<Vec<String>>>,
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
}

impl Fetch for Internet {
    async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        assert_eq!((request.method(), request.body().len()), (&Method::GET, 0));
        assert_eq!(DocumentLimit::of(&request), 100);
        self.asked.lock().unwrap().push(request.uri().to_string());
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(*name, *value);
        }
        Ok(response.body(self.body.clone()).unwrap())
    }
}

fn internet(body: &str) -> Internet {
    let headers = vec![("content-type", "application/json"), ("cache-control", "max-age=900")];
    Internet { status: 200, headers, body: body.as_bytes().to_vec(), ..Internet::default() }
}

async fn kind(internet: &Internet, url: &str) -> Option<Kind> {
    OutsideDocuments::new(internet.clone()).get(url, 100).await.err().map(|error| error.kind())
}

#[tokio::test]
async fn a_document_of_the_internet_is_fetched() {
    let internet = internet("{\"a\":1}");
    let document = OutsideDocuments::new(internet.clone()).get("https://app.example.com/client", 100).await.unwrap();
    assert_eq!((document.text(), document.freshness()), ("{\"a\":1}", Duration::from_secs(900)));
    assert_eq!(*internet.asked.lock().unwrap(), ["https://app.example.com/client"]);
}

/// This machine and private networks, in the spellings that clients and systems read.
const INSIDE: [&str; 30] = [
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "2130706433",
    "0177.0.0.1",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::a00:1]",
    "[fe80::1]",
    "[fc00::1]",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "224.0.0.1",
    "localhost",
    "LOCALHOST",
    "app.localhost",
    "localhost.",
    "redis",
    "db.internal",
    "api.default.svc",
    "printer.local",
    "user@app.example.com",
    "app.example.com:0",
    "app%2eexample.com",
];

#[tokio::test]
async fn no_url_leads_inside_in_any_spelling() {
    let internet = internet("{}");
    for host in INSIDE {
        assert_eq!(kind(&internet, &format!("https://{host}/client")).await, Some(Kind::NotAllowed), "{host}");
    }
    for url in ["http://app.example.com/client", "http://127.0.0.1/client", "ftp://app.example.com/c", "client", ""] {
        assert_eq!(kind(&internet, url).await, Some(Kind::NotAllowed), "{url}");
    }
    assert_eq!(kind(&internet, "https://app.example.com/client#a").await, Some(Kind::NotAllowed));
    assert!(internet.asked.lock().unwrap().is_empty(), "a request was sent");
    for url in ["https://app.example.com/client", "https://93.184.216.34:8443/client", "https://[2606:2800::1]/client"]
    {
        assert_eq!(kind(&internet, url).await, None, "{url}");
    }
}

#[tokio::test]
async fn a_host_that_is_allowed_is_fetched_and_no_other() {
    let documents = OutsideDocuments::new(internet("{}")).danger_allow_private("intranet:8443").unwrap();
    assert!(documents.get("https://intranet:8443/client", 100).await.is_ok());
    for url in ["https://intranet/client", "https://intranet:8444/client", "https://other:8443/client"] {
        assert_eq!(documents.get(url, 100).await.unwrap_err().kind(), Kind::NotAllowed, "{url}");
    }
    assert_eq!(documents.get("http://intranet:8443/client", 100).await.unwrap_err().kind(), Kind::NotAllowed);
    assert!(OutsideDocuments::new(internet("{}")).danger_allow_private("https://intranet/").is_err());
    let own = OutsideDocuments::new(internet("{}")).danger_allow_private("127.0.0.1:8443").unwrap();
    assert!(own.get("https://127.0.0.1:8443/client", 100).await.is_ok());
    assert_eq!(own.get("http://127.0.0.1:8443/client", 100).await.unwrap_err().kind(), Kind::NotAllowed);
}

#[tokio::test]
async fn an_answer_that_is_no_short_json_document_is_refused() {
    let url = "https://app.example.com/client";
    assert_eq!(kind(&internet(&"1".repeat(100)), url).await, None);
    assert_eq!(kind(&internet(&"1".repeat(101)), url).await, Some(Kind::TooLarge));
    for status in [201, 204, 302, 304, 404, 500] {
        assert_eq!(kind(&Internet { status, ..internet("{}") }, url).await, Some(Kind::Status), "{status}");
    }
    let page = Internet { headers: vec![("content-type", "text/html")], ..internet("{}") };
    assert_eq!(kind(&page, url).await, Some(Kind::ContentType));
    let packed = Internet { headers: vec![("content-encoding", "gzip")], ..internet("{}") };
    assert_eq!(kind(&packed, url).await, Some(Kind::ContentCoding));
}

#[tokio::test(start_paused = true)]
async fn a_document_that_does_not_come_is_given_up_after_five_seconds() {
    #[derive(Debug)]
    struct Silent;
    impl Fetch for Silent {
        async fn fetch(&self, _: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
            std::future::pending().await
        }
    }
    let began = tokio::time::Instant::now();
    let error = OutsideDocuments::new(Silent).get("https://app.example.com/client", 100).await.unwrap_err();
    assert_eq!((error.kind(), began.elapsed().as_secs()), (Kind::TimedOut, 5));
}

#[tokio::test]
async fn the_url_of_an_outsiders_keys_leads_into_the_internet() {
    let fetch = internet("{}");
    let documents = OutsideDocuments::new(fetch.clone());
    let keys = TenantKeys::new().keys(move |keys| keys.fetch(fetch.clone()));
    for (url, is_allowed) in [
        ("https://app.example.com/jwks", true),
        ("https://app.example.com:8443/jwks?a=b", true),
        ("http://app.example.com/jwks", false),
        ("http://127.0.0.1/jwks", false),
        ("https://127.0.0.1/jwks", false),
        ("https://169.254.169.254/jwks", false),
        ("https://redis/jwks", false),
        ("https://vault.internal/jwks", false),
        ("https://a@app.example.com/jwks", false),
        ("https://app.example.com/jwks#a", false),
    ] {
        assert_eq!(keys.from_outside_url(url).is_ok(), is_allowed, "{url}");
        assert_eq!(documents.check(url).is_ok(), is_allowed, "{url}");
    }
    // The same text as the URL that a developer has written is another source.
    assert!(keys.from_url("https://vault.internal/jwks").is_ok());
    assert!(keys.from_outside_url("https://vault.internal/jwks").is_err());
    let named = keys.keys(|keys| keys.fetch(internet("{}")).danger_allow_private("vault.internal"));
    assert!(named.from_outside_url("https://vault.internal/jwks").is_ok());
    assert!(named.from_outside_url("https://vault.internal:8443/jwks").is_err());
    assert!(named.from_outside_url("http://vault.internal/jwks").is_err());
}
