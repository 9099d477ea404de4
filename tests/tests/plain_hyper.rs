//! The layers in front of a plain hyper service: no axum, no router.
#![cfg(test)]

#[path = "support/http1.rs"]
mod http1;

use std::convert::Infallible;

use http::{Request, Response, StatusCode, header::AUTHORIZATION};
use http_body_util::{BodyExt, Empty, Full};
use hyper::{
    body::{Bytes, Incoming},
    client::conn::http1::handshake,
};
use hyper_util::rt::TokioIo;
use portcullis::{AuthContext, AuthLayer, RequireLayer, requirement::scope};
use portcullis_test::{Defect, MockIssuer};
use tokio::{net::TcpStream, task::JoinSet};
use tower::ServiceBuilder;

#[tokio::test]
async fn a_caller_with_the_scope_is_let_in_and_known() {
    let issuer = MockIssuer::new();
    let server = serve(&issuer).await;
    let token = issuer.token().subject("alice").scope("orders:read").bearer();
    let (status, _, body) = get(&server, Some(&token)).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "alice"));
}

#[tokio::test]
async fn others_get_the_answer_that_the_rfcs_ask_for() {
    let issuer = MockIssuer::new();
    let server = serve(&issuer).await;
    let reader = issuer.token().subject("alice").scope("orders:read");
    let writer = issuer.token().subject("alice").scope("orders:write");
    let expired = reader.clone().defect(Defect::Expired);
    for (name, token, status, challenge) in [
        ("no credential", None, StatusCode::UNAUTHORIZED, r#"Bearer realm="orders""#),
        ("expired", Some(expired.bearer()), StatusCode::UNAUTHORIZED, r#"error="invalid_token""#),
        ("malformed", Some("Bearer a b".to_owned()), StatusCode::BAD_REQUEST, r#"error="invalid_request""#),
        ("without the scope", Some(writer.bearer()), StatusCode::FORBIDDEN, r#"scope="orders:read""#),
    ] {
        let (found, sent, body) = get(&server, token.as_deref()).await;
        assert_eq!(found, status, "{name}");
        assert!(sent.contains(challenge), "{name}: {sent}");
        assert!(body.contains(&format!(r#""status":{}"#, status.as_u16())), "{name}: {body}");
    }
}

/// A service that only callers with the scope `orders:read` reach, and that greets them.
async fn serve(issuer: &MockIssuer) -> http1::Server {
    let service = ServiceBuilder::new()
        .layer(AuthLayer::new(issuer.admission()).realm("orders"))
        .layer(RequireLayer::new(scope("orders:read")))
        .service_fn(greet);
    http1::Server::start(service).await
}

async fn greet(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let verified = request.extensions().get::<AuthContext>().and_then(AuthContext::verified);
    let subject = verified.and_then(|verified| verified.subject()).unwrap_or("unknown");
    Ok(Response::new(Full::from(subject.to_owned())))
}

/// Status, challenge and body of `GET /`.
async fn get(server: &http1::Server, authorization: Option<&str>) -> (StatusCode, String, String) {
    let stream = TcpStream::connect(server.address()).await.unwrap();
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);

    let mut request = Request::get("/").header("host", "localhost");
    if let Some(value) = authorization {
        request = request.header(AUTHORIZATION, value);
    }
    let response = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let challenge = parts.headers.get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status, challenge.unwrap_or_default(), String::from_utf8(body.to_vec()).unwrap())
}
