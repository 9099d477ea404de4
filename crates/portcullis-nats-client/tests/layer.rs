//! The layer around a real client, with a real service.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::body::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use portcullis_nats_client::{
    ProofSigner, SignErrorKind, content_digest,
    layer::{CallError, CloneBody, ProofLayer, ProofService, RepeatBody},
};
use serde_json::json;
use support::{HttpClient, NOW, Service, World, secs, text};
use tower::{Layer, Service as _, ServiceExt, service_fn};

type Client<R = CloneBody> = ProofService<HttpClient, R>;

fn client(service: &Service) -> (Client, ProofSigner) {
    let signer = service.signer();
    (ProofLayer::new(signer.clone()).clock(service.clock.clone()).layer(Service::client()), signer)
}

async fn send<R: RepeatBody<Full<Bytes>>>(client: &mut Client<R>, request: Request<Full<Bytes>>) -> (u16, String) {
    let answer = client.ready().await.unwrap().call(request).await.unwrap();
    (answer.status().as_u16(), text(answer).await)
}

#[tokio::test]
async fn the_first_request_is_repeated_with_the_nonce_and_later_ones_are_not() {
    let service = Service::start().await;
    let (mut client, signer) = client(&service);
    let user = signer.user().to_string();
    assert_eq!(send(&mut client, service.get("/orders/7?full=1")).await, (200, user.clone()));
    assert_eq!(service.requests(), 2);
    for _ in 0..3 {
        assert_eq!(send(&mut client.clone(), service.get("/orders/8")).await, (200, user.clone()));
    }
    assert_eq!(service.requests(), 5);
}

#[tokio::test]
async fn the_body_is_sent_again() {
    let service = Service::start().await;
    let (mut client, _) = client(&service);
    let mut request = service.post("seven oranges");
    request.headers_mut().insert("content-digest", content_digest("seven oranges"));
    assert_eq!(send(&mut client, request).await, (200, "seven oranges".to_owned()));
    assert_eq!(service.requests(), 2);
}

#[tokio::test]
async fn a_body_that_cannot_be_repeated_is_sent_once() {
    let service = Service::start().await;
    let layer = ProofLayer::new(service.signer()).clock(service.clock.clone());
    let mut client = layer.repeat(|_: &Full<Bytes>| None).layer(Service::client());
    assert_eq!(send(&mut client, service.post("seven oranges")).await.0, 401);
    assert_eq!(service.requests(), 1);
    assert_eq!(send(&mut client, service.post("seven oranges")).await.0, 200, "the next one has the nonce");
    assert_eq!(service.requests(), 2);
}

#[tokio::test]
async fn a_nonce_that_comes_with_an_answer_saves_the_repeated_request() {
    let service = Service::start().await;
    let (mut client, _) = client(&service);
    assert_eq!(send(&mut client, service.get("/orders/7")).await.0, 200);
    for step in 1..=5_u64 {
        service.clock.set(NOW.plus(secs(40 * step)));
        assert_eq!(send(&mut client, service.get("/orders/7")).await.0, 200);
    }
    assert_eq!(service.requests(), 2 + 5);
    service.clock.set(NOW.plus(secs(1000)));
    assert_eq!(send(&mut client, service.get("/orders/7")).await.0, 200);
    assert_eq!(service.requests(), 2 + 5 + 2, "after a pause, the nonce is too old");
}

#[tokio::test]
async fn a_refusal_that_brings_a_nonce_is_not_repeated() {
    let service = Service::start().await;
    let (mut client, _) = client(&service);
    assert_eq!(send(&mut client, service.get("/orders/7")).await.0, 200);
    service.clock.set(NOW.plus(secs(40)));
    assert_eq!(send(&mut client, service.get("/orders/7")).await.0, 200);
    let revoked = service.world.account_token(NOW.plus(secs(1)), &json!({"*": NOW.as_secs()}));
    service.accounts.insert(service.world.account_id(), revoked);
    // The account is looked up again, and the nonce is in the second half of its life.
    service.clock.set(NOW.plus(secs(75)));
    let answer = client.ready().await.unwrap().call(service.get("/orders/7")).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().contains_key("nats-nonce")), (401, true));
    assert_eq!(service.requests(), 2 + 1 + 1);
}

#[tokio::test]
async fn a_request_for_another_origin_is_not_sent() {
    let (service, other) = (Service::start().await, Service::start().await);
    let (mut client, _) = client(&service);
    let refused = client.ready().await.unwrap().call(other.get("/orders/7")).await;
    assert!(matches!(refused, Err(CallError::Sign(error)) if error.kind() == SignErrorKind::OtherOrigin));
    assert_eq!(other.requests(), 0);
    assert_eq!(send(&mut client, service.get("/orders/7")).await.0, 200);
}

#[tokio::test]
async fn an_account_is_brought_along_and_replaced_while_the_client_runs() {
    let service = Service::start_stapled().await;
    let (mut client, signer) = client(&service);
    assert_eq!(send(&mut client, service.get("/orders/7")).await.0, 401);
    signer.staple(&service.world.account_token(NOW, &json!({}))).unwrap();
    assert_eq!(send(&mut client, service.get("/orders/7")).await.0, 200);
    let later = NOW.plus(secs(4000));
    service.clock.set(later);
    assert_eq!(send(&mut client, service.get("/orders/7")).await.0, 401, "it is too old");
    signer.staple(&service.world.account_token(later, &json!({}))).unwrap();
    assert_eq!(send(&mut client, service.get("/orders/7")).await.0, 200);
}

#[tokio::test]
async fn a_service_that_always_asks_gets_the_request_twice() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let asks = service_fn(move |_: Request<String>| {
        let number = counted.fetch_add(1, Ordering::Relaxed);
        let answer = Response::builder().status(401).header("nats-nonce", format!("n{number}"));
        let answer = answer.header("www-authenticate", "NatsUser error=\"use_nonce\"").body(String::new());
        async { Ok::<_, Infallible>(answer.unwrap()) }
    });
    let signer = ProofSigner::new(&World::new().creds(), "https://api.example.com").unwrap();
    let client = ProofLayer::new(signer).layer(asks);
    assert_eq!(client.oneshot(Request::new(String::new())).await.unwrap().status(), 401);
    assert_eq!(count.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn errors_of_the_client_come_through() {
    let (service, closed) = (Service::start().await, Service::start().await);
    let signer = ProofSigner::new(&service.world.creds(), closed.origin.clone()).unwrap();
    let mut client: Client = ProofLayer::new(signer).layer(Service::client());
    let request = closed.get("/orders/7");
    drop(closed);
    let failed = client.ready().await.unwrap().call(request).await;
    assert!(matches!(failed, Err(CallError::Client(_))));
}

#[test]
fn debug_shows_no_secret() {
    let world = World::new();
    let layer = ProofLayer::new(ProofSigner::new(&world.creds(), "https://api.example.com").unwrap());
    let shown = format!("{layer:?} {:?}", layer.layer(()));
    assert!(!shown.contains(world.creds().token()) && !shown.contains(world.user.seed().reveal()), "{shown}");
}
