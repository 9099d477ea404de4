//! The ready routes of an authorization server.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, connect_info::MockConnectInfo},
    middleware::map_request,
    response::IntoResponse,
};
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use portcullis_issuer::{
    StoreError,
    routes::PeerAddress,
    server::{
        AuthorizationError, Client, ClientSecret, Clients, Denial, Endpoint, EndpointRequest, OAuthError,
        OAuthErrorCode, ResourceServer, RetryAfter,
    },
};
use serde_json::Value;
use support::desk::{Desk, ISSUER, ORDERS, SECRET, VERIFIER, basic, clients, form, query};
use tower::ServiceExt;

const TOKEN: &str = "/oauth/token";
const FORM: &str = "application/x-www-form-urlencoded";

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    async fn of(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// An error of an endpoint: it may not be kept by a cache.
    fn is_error(&self, status: u16, error: &str) -> bool {
        (self.status.as_u16(), self.header(header::CACHE_CONTROL)) == (status, "no-store")
            && self.json()["error"] == error
    }
}

/// The routes as an application of axum has them.
fn app(desk: &Desk) -> Router {
    desk.confirm();
    let routes = desk.server.routes();
    routes.paths().fold(Router::new(), |app, path| app.route_service(path, routes.clone()))
}

async fn send(desk: &Desk, request: Request<Body>) -> Answer {
    Answer::of(app(desk).oneshot(request).await.unwrap()).await
}

fn post(path: &str) -> http::request::Builder {
    Request::post(path).header(header::CONTENT_TYPE, FORM)
}

/// A request that succeeds, to be changed.
fn worker() -> (http::request::Builder, String) {
    let request = post(TOKEN).header(header::AUTHORIZATION, basic("worker", SECRET));
    (request, form(&[("grant_type", "client_credentials")]))
}

#[tokio::test]
async fn a_code_becomes_tokens_over_http_and_a_token_ends_at_the_revocation_endpoint() {
    let desk = Desk::new();
    let code = desk.code("page", &[]).await;
    let body = form(&[
        ("grant_type", "authorization_code"),
        ("client_id", "page"),
        ("code", &code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", support::desk::CALLBACK),
        ("resource", ORDERS),
    ]);
    let answer = send(&desk, post(TOKEN).body(body.into()).unwrap()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header(header::CONTENT_TYPE), "application/json");
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    let tokens = answer.json();
    assert_eq!(tokens["token_type"], "Bearer");

    let body = form(&[("client_id", "page"), ("token", tokens["refresh_token"].as_str().unwrap())]);
    let answer = send(&desk, post("/oauth/revoke").body(body.into()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.header(header::CACHE_CONTROL)), (200, "no-store"));
    assert!(answer.body.is_empty());
    let again = form(&[
        ("grant_type", "refresh_token"),
        ("client_id", "page"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ]);
    let answer = send(&desk, post(TOKEN).body(again.into()).unwrap()).await;
    assert!(answer.is_error(400, "invalid_grant"), "{}", answer.body);
}

#[tokio::test]
async fn endpoints_accept_post_alone() {
    let desk = Desk::new();
    for endpoint in desk.server.endpoints() {
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::OPTIONS, Method::DELETE] {
            let request = Request::builder().method(&method).uri(desk.server.path(endpoint));
            let answer = Answer::of(app(&desk).oneshot(request.body(Body::empty()).unwrap()).await.unwrap()).await;
            assert_eq!(answer.status, 405, "{method} {endpoint:?}");
            assert_eq!(answer.header(header::ALLOW), "POST");
            assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
        }
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let desk = Desk::new();
    let with = |types: &[&str], coding: Option<&str>| {
        let request = Request::post(TOKEN).header(header::AUTHORIZATION, basic("worker", SECRET));
        let request = types.iter().fold(request, |request, each| request.header(header::CONTENT_TYPE, *each));
        let request = coding.into_iter().fold(request, |request, each| request.header(header::CONTENT_ENCODING, each));
        request.body(Body::from("grant_type=client_credentials")).unwrap()
    };
    for good in [FORM, "Application/X-WWW-Form-Urlencoded; charset=UTF-8", "application/x-www-form-urlencoded ;a=b"] {
        assert_eq!(send(&desk, with(&[good], None)).await.status, 200, "{good}");
    }
    for bad in
        ["application/json", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencodedx", ""]
    {
        assert!(send(&desk, with(&[bad], None)).await.is_error(415, "invalid_request"), "{bad}");
    }
    for types in [&[] as &[&str], &[FORM, FORM], &[FORM, "text/plain"]] {
        assert!(send(&desk, with(types, None)).await.is_error(415, "invalid_request"), "{types:?}");
    }
    assert!(send(&desk, with(&[FORM], Some("gzip"))).await.is_error(415, "invalid_request"));
}

#[tokio::test]
async fn parameters_in_the_url_are_refused() {
    let desk = Desk::new();
    for (uri, status) in [
        ("/oauth/token", 200),
        ("/oauth/token?", 200),
        ("/oauth/token?grant_type=client_credentials", 400),
        ("/oauth/token?client_secret=x", 400),
        ("/oauth/token?x", 400),
    ] {
        let (_, body) = worker();
        let request = post(uri).header(header::AUTHORIZATION, basic("worker", SECRET));
        assert_eq!(send(&desk, request.body(body.into()).unwrap()).await.status, status, "{uri}");
    }
}

#[tokio::test]
async fn several_authorization_headers_are_refused() {
    let desk = Desk::new();
    let (request, body) = worker();
    assert_eq!(send(&desk, request.body(body.clone().into()).unwrap()).await.status, 200);
    for second in [basic("worker", SECRET), basic("server", SECRET), "Bearer x".to_owned(), String::new()] {
        let (request, _) = worker();
        let request = request.header(header::AUTHORIZATION, &second).body(Body::from(body.clone())).unwrap();
        assert!(send(&desk, request).await.is_error(400, "invalid_request"), "{second:?}");
    }
    // Folded into one line, it is one header that names no client.
    let folded = format!("{}, {}", basic("worker", SECRET), basic("worker", SECRET));
    let request = post(TOKEN).header(header::AUTHORIZATION, folded).body(Body::from(body.clone())).unwrap();
    assert!(send(&desk, request).await.is_error(401, "invalid_client"));
    let request = post(TOKEN).header(header::AUTHORIZATION, &b"Basic \xff"[..]).body(Body::from(body)).unwrap();
    assert!(send(&desk, request).await.is_error(400, "invalid_request"));
}

#[tokio::test]
async fn no_other_header_says_who_the_client_is_or_what_the_method_is() {
    let desk = Desk::new();
    for name in
        ["x-authorization", "proxy-authorization", "x-forwarded-authorization", "x-forwarded-user", "x-client-id"]
    {
        let request = post(TOKEN).header(name, basic("worker", SECRET));
        let answer = send(&desk, request.body("grant_type=client_credentials".into()).unwrap()).await;
        assert!(answer.is_error(401, "invalid_client"), "{name}: {}", answer.body);
    }
    let request = Request::get(TOKEN).header("x-http-method-override", "POST").header(header::CONTENT_TYPE, FORM);
    assert_eq!(send(&desk, request.body(Body::empty()).unwrap()).await.status, 405);
    for (name, value) in [("x-original-url", TOKEN), ("x-rewrite-url", TOKEN), ("x-forwarded-path", TOKEN)] {
        let request = Request::post("/").header(name, value).header(header::CONTENT_TYPE, FORM);
        assert_eq!(send(&desk, request.body(Body::empty()).unwrap()).await.status, 404, "{name}");
    }
}

#[tokio::test]
async fn a_long_body_is_refused_before_it_is_read_and_while_it_is_read() {
    let desk = Desk::new();
    let pad = |len: usize| {
        let start = "grant_type=client_credentials&pad=";
        format!("{start}{}", "x".repeat(len - start.len()))
    };
    let send_it = async |body: Body| {
        let (request, _) = worker();
        send(&desk, request.body(body).unwrap()).await
    };
    assert_eq!(send_it(pad(EndpointRequest::MOST_BYTES).into()).await.status, 200);
    let long = pad(EndpointRequest::MOST_BYTES + 1);
    assert!(send_it(long.clone().into()).await.is_error(413, "invalid_request"));
    // The length of a stream is not known before.
    let chunks = long.as_bytes().chunks(1000).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect::<Vec<_>>();
    assert!(send_it(Body::from_stream(Chunks(chunks.into()))).await.is_error(413, "invalid_request"));
    let broken = Chunks([Ok(b"grant_type=".to_vec()), Err(std::io::Error::other("the client has hung up"))].into());
    assert!(send_it(Body::from_stream(broken)).await.is_error(400, "invalid_request"));
}

struct Chunks(std::collections::VecDeque<Result<Vec<u8>, std::io::Error>>);

impl futures_core::Stream for Chunks {
    type Item = Result<Vec<u8>, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.pop_front())
    }
}

#[tokio::test]
async fn malformed_bodies_are_invalid_requests() {
    let desk = Desk::new();
    for body in [
        "",
        "grant_type",
        "grant_type=&x=y",
        "grant_type=client_credentials&grant_type=client_credentials",
        "grant_type=client%00credentials",
        "grant_type=client_credentials&scope=%ff",
        "{\"grant_type\":\"client_credentials\"}",
        "grant_type=client_credentials&authorization_details=%5B%5D",
    ] {
        let (request, _) = worker();
        let answer = send(&desk, request.body(body.into()).unwrap()).await;
        assert!(answer.is_error(400, "invalid_request"), "{body:?}: {}", answer.body);
    }
    let many = (0..100).map(|at| format!("p{at}=x")).collect::<Vec<_>>().join("&");
    let (request, _) = worker();
    assert!(send(&desk, request.body(many.into()).unwrap()).await.is_error(400, "invalid_request"));
}

#[tokio::test]
async fn a_wrong_secret_gets_a_challenge_and_no_answer_is_kept() {
    let desk = Desk::new();
    let request = post(TOKEN).header(header::AUTHORIZATION, basic("worker", "wrong"));
    let answer = send(&desk, request.body("grant_type=client_credentials".into()).unwrap()).await;
    assert!(answer.is_error(401, "invalid_client"), "{}", answer.body);
    assert!(answer.header(header::WWW_AUTHENTICATE).starts_with("Basic realm="));
    // Without the header, there is no scheme to name (RFC 6749 section 5.2).
    let body = form(&[("client_id", "no-such-client"), ("grant_type", "client_credentials")]);
    let answer = send(&desk, post(TOKEN).body(body.into()).unwrap()).await;
    assert!(answer.is_error(401, "invalid_client") && answer.header(header::WWW_AUTHENTICATE).is_empty());
}

/// Clients whose store cannot be reached.
#[derive(Debug)]
struct Outage;

impl Clients for Outage {
    async fn find(&self, _: &str) -> Result<Option<Arc<Client>>, StoreError> {
        Err(StoreError::new("the database is at db-7.internal"))
    }
}

#[tokio::test]
async fn what_cannot_be_decided_is_503_with_a_time_to_come_back() {
    let desk = Desk::of(Outage, |builder| {
        let secret = ClientSecret::from_secret(SECRET).unwrap();
        builder.resource_server(ResourceServer::with_secret(ORDERS, secret).id("orders"))
    });
    let body = form(&[("client_id", "page"), ("grant_type", "client_credentials"), ("token", "x")]);
    for path in [TOKEN, "/oauth/revoke", "/oauth/device_authorization"] {
        let answer = send(&desk, post(path).body(body.clone().into()).unwrap()).await;
        assert!(answer.is_error(503, "temporarily_unavailable"), "{path}: {}", answer.body);
        assert_eq!(answer.header(header::RETRY_AFTER), "1");
        assert!(!answer.body.contains("db-7"), "{}", answer.body);
    }
    // What does not need the store of clients is answered.
    let introspect = post("/oauth/introspect").header(header::AUTHORIZATION, basic("orders", SECRET));
    assert_eq!(send(&desk, introspect.body(form(&[("token", "x")]).into()).unwrap()).await.status, 200);
    let refused = send(&Desk::new(), post(TOKEN).body(body.into()).unwrap()).await;
    assert!(refused.is_error(400, "unauthorized_client") && refused.header(header::RETRY_AFTER).is_empty());
}

#[tokio::test]
async fn a_path_is_compared_byte_for_byte() {
    let desk = Desk::new();
    // Without axum, which has rules of its own.
    let routes = desk.server.routes();
    for (path, status) in [
        ("/oauth/token", 405),
        ("/oauth/%74oken", 404),
        ("/oauth/token/", 404),
        ("/oauth//token", 404),
        ("/OAuth/token", 404),
        ("/oauth/./token", 404),
        ("/oauth/token;x", 404),
        ("/", 404),
    ] {
        let answer = routes.clone().oneshot(Request::get(path).body(String::new()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
}

#[tokio::test]
async fn every_path_of_the_metadata_and_the_key_set_answers_conditional_requests() {
    let desk = Desk::new();
    let key_set = desk.server.key_set_path().to_owned();
    let documents: Vec<_> = desk.server.metadata_paths().map(str::to_owned).chain([key_set.clone()]).collect();
    assert!(documents.len() >= 3, "{documents:?}");
    for path in documents {
        let get = |method: Method, known: &[&str]| {
            let request = Request::builder().method(method).uri(&path);
            let request = known.iter().fold(request, |request, tag| request.header(header::IF_NONE_MATCH, *tag));
            request.body(Body::empty()).unwrap()
        };
        let full = send(&desk, get(Method::GET, &[])).await;
        assert_eq!(full.status, 200, "{path}");
        assert!(full.header(header::CACHE_CONTROL).starts_with("public, max-age="), "{path}");
        if path == key_set {
            assert_eq!(full.header(header::CONTENT_TYPE), "application/jwk-set+json");
            assert!(!full.body.contains("\"d\""));
        } else {
            assert_eq!(full.json()["issuer"], ISSUER);
        }
        let tag = full.header(header::ETAG);
        let head = send(&desk, get(Method::HEAD, &[])).await;
        assert_eq!((head.status.as_u16(), &*head.body), (200, ""));
        assert_eq!(head.header(header::CONTENT_LENGTH), full.body.len().to_string());
        for known in [&[tag] as &[_], &["\"other\"", tag], &["*"]] {
            for method in [Method::GET, Method::HEAD] {
                let answer = send(&desk, get(method, known)).await;
                assert_eq!((answer.status.as_u16(), &*answer.body, answer.header(header::ETAG)), (304, "", tag));
            }
        }
        assert_eq!(send(&desk, get(Method::GET, &["\"other\""])).await.status, 200);
        let post = send(&desk, get(Method::POST, &[])).await;
        assert_eq!((post.status.as_u16(), post.header(header::ALLOW)), (405, "GET, HEAD"));
    }
}

#[tokio::test]
async fn each_endpoint_that_the_metadata_names_answers() {
    let desk = Desk::with_settings(clients(), |builder| {
        let secret = ClientSecret::from_secret(SECRET).unwrap();
        builder.resource_server(ResourceServer::with_secret(ORDERS, secret).id("orders"))
    });
    let metadata: Value = serde_json::from_str(desk.server.metadata().body()).unwrap();
    let mut named = Vec::new();
    for (name, url) in metadata.as_object().unwrap() {
        // The authorization endpoint is a page of the application.
        let is_ours = name.ends_with("_endpoint") && name != "authorization_endpoint";
        let Some(path) = url.as_str().and_then(|url| url.strip_prefix(ISSUER)) else { continue };
        if is_ours {
            let answer = send(&desk, post(path).body(Body::empty()).unwrap()).await;
            assert!(answer.status == 400 || answer.status == 401, "{name}: {}", answer.status);
            named.push(path.to_owned());
        }
    }
    assert_eq!(named.len(), 4, "{metadata}");
    assert!(desk.server.endpoints().all(|endpoint| named.contains(&desk.server.path(endpoint))));
    let key_set = metadata["jwks_uri"].as_str().unwrap().strip_prefix(ISSUER).unwrap();
    let key_set = send(&desk, Request::get(key_set).body(Body::empty()).unwrap()).await;
    assert_eq!((key_set.status.as_u16(), key_set.json()["keys"].as_array().unwrap().len()), (200, 1));
    assert_eq!(desk.server.path(Endpoint::Token), TOKEN);
}

#[tokio::test]
async fn the_answer_to_a_client_is_a_redirect_that_leaves_no_trace() {
    let desk = Desk::new();
    let request = desk.ask("page", &[]).await;
    let granted = desk.grant(&request, &desk.alice(), &[]).await;
    for answer in [granted, request.deny(Denial::Denied)] {
        let (location, response) = (answer.location().to_owned(), answer.into_response());
        assert!(response.headers()[header::LOCATION].is_sensitive());
        let response = Answer::of(response).await;
        // 303: a form with a password is not sent on to the client.
        assert_eq!((response.status.as_u16(), response.header(header::LOCATION)), (303, &*location));
        assert_eq!(response.header(header::CACHE_CONTROL), "no-store");
        assert_eq!(response.header(header::REFERRER_POLICY), "no-referrer");
        assert!(response.body.is_empty());
    }
}

#[tokio::test]
async fn a_request_that_no_client_may_hear_of_is_answered_with_a_page() {
    let desk = Desk::new();
    let error = desk.server.authorization_request(&query("page", &[("redirect_uri", "https://evil.test/")])).await;
    let page = Answer::of(error.unwrap_err().into_response()).await;
    assert_eq!((page.status.as_u16(), page.header(header::LOCATION)), (400, ""));
    assert_eq!(page.header(header::CONTENT_TYPE), "text/html; charset=utf-8");
    assert!(page.header(header::CONTENT_SECURITY_POLICY).starts_with("default-src 'none'"));
    assert!(page.body.contains("<html lang=\"en\">") && page.body.contains("<h1>") && !page.body.contains("evil.test"));
    // One that the client may hear of.
    let error = desk.server.authorization_request(&query("page", &[("response_type", "token")])).await;
    let redirect = Answer::of(error.unwrap_err().into_response()).await;
    assert_eq!(redirect.status, 303);
    assert!(redirect.header(header::LOCATION).contains("error=unsupported_response_type"));
}

#[tokio::test]
async fn text_in_a_page_is_escaped() {
    let error = OAuthError::new(OAuthErrorCode::InvalidRequest, "<script>alert('\"&')</script>");
    let page = Answer::of(AuthorizationError::Page(error).into_response()).await;
    assert!(!page.body.contains("<script") && page.body.contains("&lt;script&gt;alert(&#39;&quot;&amp;&#39;)"));
}

/// The network that a limit gets to see, for a request with these extensions and headers.
async fn network_of(peer: Option<&str>, headers: &[(&str, &str)]) -> Option<String> {
    let seen = Arc::<Mutex<Vec<_>>>::default();
    let told = Arc::clone(&seen);
    let desk = Desk::with_settings(clients(), |builder| {
        builder.rate_limit(move |attempt| {
            told.lock().unwrap().push(attempt.network.map(str::to_owned));
            Ok(())
        })
    });
    let (mut request, body) = worker();
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(peer) = peer {
        request = request.extension(PeerAddress::new(peer.parse().unwrap()));
    }
    let answer = send(&desk, request.body(Body::from(body)).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    seen.lock().unwrap().pop().unwrap()
}

#[tokio::test]
async fn a_limit_of_rates_sees_the_network_of_the_connection() {
    for (peer, network) in [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.8", "192.0.2.8"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
    ] {
        assert_eq!(network_of(Some(peer), &[]).await.as_deref(), Some(network), "{peer}");
    }
}

#[tokio::test]
async fn no_header_says_where_a_request_comes_from() {
    for name in ["x-forwarded-for", "forwarded", "x-real-ip", "cf-connecting-ip", "true-client-ip"] {
        let headers = [(name, "198.51.100.1")];
        assert_eq!(network_of(None, &headers).await, None, "{name}");
        assert_eq!(network_of(Some("192.0.2.7"), &headers).await.as_deref(), Some("192.0.2.7"), "{name}");
    }
}

#[tokio::test]
async fn a_network_that_asks_too_often_is_refused_and_another_one_is_answered() {
    let desk = Desk::with_settings(clients(), |builder| {
        builder.rate_limit(|attempt| match attempt.network {
            Some("2001:db8:1:2::/64") => Err(RetryAfter::new(support::secs(7))),
            _ => Ok(()),
        })
    });
    // As in an application of axum, which knows the connection.
    let peer = |ConnectInfo(peer): ConnectInfo<SocketAddr>, mut request: Request<Body>| async move {
        request.extensions_mut().insert(PeerAddress::new(peer.ip()));
        request
    };
    for (address, status) in [("[2001:db8:1:2::9]:4711", 429), ("[2001:db8:1:3::9]:4711", 200), ("192.0.2.7:4711", 200)]
    {
        let connection = MockConnectInfo(address.parse::<SocketAddr>().unwrap());
        let app = app(&desk).layer(map_request(peer)).layer(connection);
        let (request, body) = worker();
        let answer = Answer::of(app.oneshot(request.body(Body::from(body)).unwrap()).await.unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{address}");
        assert_eq!(answer.headers.contains_key(header::RETRY_AFTER), status == 429);
    }
}
