//! Tests credentials as proxies fold them, browsers quote them and WebSockets transport them (rows K, F71, F76, F77, S).
#![cfg(feature = "axum")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use axum::{Router, body::Body, routing::get};
use http::{Request, StatusCode};
use portcullis::{
    Admission, AuthLayer, Code, JwtAuthenticator,
    location::{Cookie, Found, HttpHeader, RequestHead, RequestHeadMut, TokenLocation, WebSocketSubprotocol},
};
use portcullis_test::MockIssuer;
use tower::ServiceExt;

fn app(auth: AuthLayer) -> Router {
    let tell = async |request: Request<Body>| match request.headers().get("sec-websocket-protocol") {
        Some(offered) => offered.to_str().unwrap().to_owned(),
        None => "none".to_owned(),
    };
    Router::new().route("/", get(tell)).layer(auth)
}

/// Returns the status and the code from a layer that requires a credential, and from an optional one.
async fn both(layer: &AuthLayer, name: &str, value: &str) -> [(StatusCode, Option<Code>); 2] {
    let mut answers = Vec::new();
    for layer in [layer.clone(), layer.clone().optional()] {
        let request = Request::get("/").header(name, value).body(Body::empty()).unwrap();
        let response = app(layer).oneshot(request).await.unwrap();
        answers.push((response.status(), response.extensions().get::<Code>().copied()));
    }
    answers.try_into().unwrap()
}

fn admission(issuer: &MockIssuer) -> Admission {
    Admission::new(JwtAuthenticator::new(issuer.trusted()).unwrap())
}

#[tokio::test]
async fn row_k_credentials_folded_into_one_line_are_two_credentials() {
    let issuer = MockIssuer::new();
    let (layer, token) = (AuthLayer::new(admission(&issuer)), issuer.token().sign());
    for value in [
        format!("Basic Zm9v, Bearer {token}"),
        format!("Basic Zm9v,Bearer {token}"),
        format!("Basic Zm9v ,\tbearer  {token}"),
        format!("basic Zm9v, , BEARER {token}"),
        format!("Bearer {token}, Basic Zm9v"),
        format!("Bearer {token}, Bearer {token}"),
        format!("Bearer {token},Bearer x"),
        format!("DPoP {token}, Bearer {token}"),
        format!("Digest username=\"u\", realm=\"r\", Bearer {token}"),
        format!("Negotiate YII=, Basic Zm9v, Bearer {token}"),
        format!(", Bearer {token}"),
        "Basic Zm9v, Bearer".to_owned(),
    ] {
        for (status, code) in both(&layer, "authorization", &value).await {
            assert_eq!(status, StatusCode::BAD_REQUEST, "{value}");
            assert!(matches!(code, Some(Code::CredentialRepeated | Code::CredentialMalformed)), "{value}: {code:?}");
        }
    }
    let [(required, _), (optional, _)] = both(&layer, "authorization", &format!("Bearer {token}")).await;
    assert_eq!([required, optional], [StatusCode::OK, StatusCode::OK], "the same credential alone");
}

#[tokio::test]
async fn row_k_one_credential_of_another_scheme_is_no_credential_whatever_commas_it_has() {
    let layer = AuthLayer::new(admission(&MockIssuer::new()));
    for value in [
        "Basic Zm9v",
        r#"Digest username="Mufasa", realm="http-auth@example.org", uri="/dir", algorithm=MD5, nc=00000001"#,
        r#"Digest username="a, Bearer b", realm="r""#,
        "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host;x-amz-date, Signature=00",
        r#"OAuth realm="Example", oauth_consumer_key="k", oauth_token="t""#,
    ] {
        let [required, optional] = both(&layer, "authorization", value).await;
        assert_eq!(required, (StatusCode::UNAUTHORIZED, Some(Code::CredentialMissing)), "{value}");
        assert_eq!(optional, (StatusCode::OK, None), "{value}");
    }
}

#[tokio::test]
async fn row_k_other_places_do_not_take_folded_credentials_for_none() {
    let issuer = MockIssuer::new();
    let token = issuer.token().sign();
    let header = AuthLayer::at(HttpHeader::new("x-user-jwt").unwrap(), admission(&issuer));
    let cookie = AuthLayer::at(Cookie::new("token").unwrap(), admission(&issuer));
    for (layer, name, value, good) in [
        (&header, "x-user-jwt", format!("x, {token}"), token.clone()),
        (&header, "x-user-jwt", format!(",{token}"), format!("Bearer {token}")),
        (&header, "x-user-jwt", format!("Basic Zm9v, Bearer {token}"), token.clone()),
        (&cookie, "cookie", format!("a=1, token={token}"), format!("a=1; token={token}")),
        (&cookie, "cookie", format!("a=1; b=2,token={token}; c=3"), format!("a=x,y; token={token}")),
        (&cookie, "cookie", format!("a=1, token ={token}"), format!("a=1, tokens ={token}; token={token}")),
        (&cookie, "cookie", format!("a=1,\ttoken = {token}"), format!("a=1,my token = 2; token={token}")),
        (&cookie, "cookie", String::from("a=1, token"), format!("a=1, token2; token={token}")),
        (&cookie, "cookie", format!("token={token}, token={token}"), format!("a=x, tokens=1; token={token}")),
    ] {
        for (status, _) in both(layer, name, &value).await {
            assert_eq!(status, StatusCode::BAD_REQUEST, "{name}: {value}");
        }
        for (status, _) in both(layer, name, &good).await {
            assert_eq!(status, StatusCode::OK, "{name}: {good}");
        }
    }
}

#[tokio::test]
async fn row_f71_a_cookie_in_double_quotes_is_read() {
    let issuer = MockIssuer::new();
    let token = issuer.token().sign();
    let layer = AuthLayer::at(Cookie::new("token").unwrap(), admission(&issuer));
    for value in [format!("token=\"{token}\""), format!("a=\"1\"; token=\"{token}\"; b=2")] {
        let [(required, _), (optional, _)] = both(&layer, "cookie", &value).await;
        assert_eq!([required, optional], [StatusCode::OK, StatusCode::OK], "{value}");
    }
    for value in [
        format!("token=\"{token}"),
        format!("token={token}\""),
        format!("token=\"\"{token}\"\""),
        format!("token='{token}'"),
        format!("token=\" {token}\""),
        "token=\"".to_owned(),
    ] {
        for (status, _) in both(&layer, "cookie", &value).await {
            assert_eq!(status, StatusCode::BAD_REQUEST, "{value}");
        }
    }
    assert_eq!(both(&layer, "cookie", "token=\"\"").await[1].0, StatusCode::OK, "emptied, as `token=` is");
}

/// Returns the `Sec-WebSocket-Protocol` that reaches the inner service, or the status of the refusal.
async fn offered(layer: &AuthLayer, lines: &[&str]) -> Result<String, u16> {
    let mut request = Request::get("/");
    for line in lines {
        request = request.header("sec-websocket-protocol", *line);
    }
    let response = app(layer.clone()).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    if response.status() != StatusCode::OK {
        return Err(response.status().as_u16());
    }
    let body = axum::body::to_bytes(response.into_body(), 1 << 16).await.unwrap();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn row_f76_a_token_behind_the_entry_that_announces_it_is_read() {
    let issuer = MockIssuer::new();
    let token = issuer.token().sign();
    let layer = AuthLayer::at(WebSocketSubprotocol::after("bearer").unwrap(), admission(&issuer)).optional();
    for (lines, left) in [
        (vec![format!("bearer, {token}")], "bearer"),
        (vec![format!("bearer,{token},app.v1")], "bearer, app.v1"),
        (vec![format!("app.v1, bearer, , {token}")], "app.v1, bearer"),
        (vec!["bearer".to_owned(), token.clone()], "bearer"),
    ] {
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        assert_eq!(offered(&layer, &lines).await.as_deref(), Ok(left), "{lines:?}");
    }
    for (lines, status) in [
        (vec!["bearer".to_owned()], 400),
        (vec![format!("{token}, bearer")], 400),
        (vec![format!("bearer, {token}, bearer, {token}")], 400),
        (vec![format!("bearer, bearer, {token}")], 400),
        (vec!["bearer, a b".to_owned()], 400),
        (vec!["bearer, app.v1".to_owned()], 401),
    ] {
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        assert_eq!(offered(&layer, &lines).await, Err(status), "{lines:?}");
    }
    assert_eq!(offered(&layer, &["app.v1, Bearer"]).await.as_deref(), Ok("app.v1, Bearer"), "no credential is meant");
}

#[tokio::test]
async fn row_f77_a_token_as_kubernetes_writes_it_is_read() {
    let issuer = MockIssuer::new();
    let token = issuer.token().sign();
    let encoded = |text: &str| format!("base64url.bearer.authorization.k8s.io.{}", base64url(text.as_bytes()));
    let layer = AuthLayer::at(WebSocketSubprotocol::kubernetes(), admission(&issuer)).optional();
    let ours = encoded(&token);
    assert_eq!(offered(&layer, &[&format!("{ours}, v4.channel.k8s.io")]).await.as_deref(), Ok("v4.channel.k8s.io"));
    assert_eq!(offered(&layer, &[&ours, "app.v1"]).await.as_deref(), Ok("app.v1"));
    assert_eq!(offered(&layer, &[&ours]).await.as_deref(), Ok("none"));
    for (line, status) in [
        (format!("{ours}, {ours}"), 400),
        (format!("{ours}=="), 400),
        (format!("base64url.bearer.authorization.k8s.io.{token}"), 400),
        ("base64url.bearer.authorization.k8s.io.".to_owned(), 400),
        (encoded("a b"), 400),
        (encoded("\u{e9}"), 400),
        (encoded("a.b.c"), 401),
    ] {
        assert_eq!(offered(&layer, &[&line]).await, Err(status), "{line}");
    }
    assert_eq!(offered(&layer, &[&format!("bearer.{token}")]).await.as_deref(), Ok(&*format!("bearer.{token}")));
}

/// The token must be removed, because the inner service could choose it as the protocol.
#[test]
fn row_f76_no_form_leaves_the_token_in_the_request() {
    let token = "aaaa.bbbb.cccc";
    let encoded = format!("base64url.bearer.authorization.k8s.io.{}", base64url(token.as_bytes()));
    for (location, line) in [
        (WebSocketSubprotocol::new(), format!("app, bearer.{token}")),
        (WebSocketSubprotocol::after("bearer").unwrap(), format!("app, bearer, {token}")),
        (WebSocketSubprotocol::kubernetes(), format!("app, {encoded}")),
    ] {
        let mut request = Request::get("/").header("sec-websocket-protocol", &line).body(()).unwrap();
        assert!(
            matches!(location.find(RequestHead::from(&request)), Found::Token(found) if *found == *token.as_bytes()),
            "{line}"
        );
        location.strip(&mut RequestHeadMut::from(&mut request));
        let left = request.headers()["sec-websocket-protocol"].to_str().unwrap();
        assert!(left.starts_with("app") && !left.contains("bbbb") && !left.contains(&encoded), "{left}");
    }
    assert!(WebSocketSubprotocol::after("").is_err() && WebSocketSubprotocol::after("a b").is_err());
}

fn base64url(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for group in octets.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, octet| bits << 8 | u32::from(*octet)) << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            text.push(char::from(ALPHABET[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    text
}
