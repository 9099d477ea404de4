//! A new token before the old one expires.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::{
    convert::Infallible,
    future::{Future, pending},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::{Request, Response};
use portcullis_nats_client::{
    ProofSigner, UnixTime,
    layer::{CallError, ProofLayer},
};
use portcullis_test::FixedClock;
use serde_json::json;
use support::{NOW, World, secs, user_token};
use tokio::sync::Semaphore;
use tower::{Layer, ServiceExt, service_fn};

/// A client whose token expires after 100 s and is renewed 30 s earlier, and what it has sent.
struct Scene {
    world: Arc<World>,
    clock: FixedClock,
    signer: ProofSigner,
    sent: Arc<Mutex<Vec<String>>>,
    renewals: Arc<AtomicUsize>,
}

impl Scene {
    fn new() -> Self {
        let world = Arc::new(World::new());
        let creds = world.creds_with(&json!({"exp": NOW.plus(secs(100)).as_secs()}));
        let signer = ProofSigner::new(&creds, "https://api.example.com").unwrap();
        Self { world, clock: FixedClock::at(NOW), signer, sent: Arc::default(), renewals: Arc::default() }
    }

    /// A layer that renews by what this function returns.
    fn layer<T, E>(&self, renew: impl Fn() -> T + Send + Sync + 'static) -> ProofLayer
    where
        T: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let renewals = Arc::clone(&self.renewals);
        ProofLayer::new(self.signer.clone()).clock(self.clock.clone()).renew(secs(30), move || {
            renewals.fetch_add(1, Ordering::Relaxed);
            renew()
        })
    }

    /// Sends a request. Returns the token that it had.
    async fn send(&self, layer: &ProofLayer) -> Result<String, CallError<Infallible>> {
        let sent = Arc::clone(&self.sent);
        let client = service_fn(move |request: Request<String>| {
            let token =
                request.headers()["authorization"].to_str().unwrap().strip_prefix("NatsUser ").unwrap().to_owned();
            sent.lock().unwrap().push(token.clone());
            async { Ok::<_, Infallible>(Response::new(token)) }
        });
        layer.layer(client).oneshot(Request::new(String::new())).await.map(Response::into_body)
    }

    fn token_until(&self, end: UnixTime) -> String {
        self.world.user_token(&json!({"exp": end.as_secs()}))
    }

    fn at(&self, after: u64) {
        self.clock.set(NOW.plus(secs(after)));
    }

    fn renewals(&self) -> usize {
        self.renewals.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires() {
    let scene = Scene::new();
    let newer = scene.token_until(NOW.plus(secs(200)));
    let given = newer.clone();
    let layer = scene.layer(move || std::future::ready(Ok::<_, Infallible>(given.clone())));
    scene.at(69);
    assert_ne!(scene.send(&layer).await.unwrap(), newer);
    assert_eq!(scene.renewals(), 0);
    scene.at(70);
    assert_eq!(scene.send(&layer).await.unwrap(), newer);
    assert_eq!(scene.send(&layer).await.unwrap(), newer);
    assert_eq!((scene.renewals(), scene.signer.expires_at()), (1, Some(NOW.plus(secs(200)))));
}

#[tokio::test]
async fn if_that_fails_the_old_token_is_used_while_it_is_valid() {
    let scene = Scene::new();
    let layer = scene.layer(|| std::future::ready(Err::<String, _>("the service is down")));
    scene.at(70);
    for _ in 0..3 {
        scene.send(&layer).await.unwrap();
    }
    assert_eq!(scene.renewals(), 1, "not with each request");
    scene.at(75);
    scene.send(&layer).await.unwrap();
    assert_eq!(scene.renewals(), 2);
    scene.at(100);
    for _ in 0..3 {
        let error = scene.send(&layer).await.unwrap_err();
        let CallError::Renew(error) = error else { panic!("{error:?}") };
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("is down"));
    }
    assert_eq!((scene.renewals(), scene.sent.lock().unwrap().len()), (3, 4));
}

#[tokio::test]
async fn one_request_renews_and_the_others_wait_for_it() {
    let scene = Scene::new();
    let (newer, gate) = (scene.token_until(NOW.plus(secs(200))), Arc::new(Semaphore::new(0)));
    let (given, opened) = (newer.clone(), Arc::clone(&gate));
    let layer = scene.layer(move || {
        let (given, gate) = (given.clone(), Arc::clone(&opened));
        async move {
            gate.acquire_owned().await.unwrap().forget();
            Ok::<_, Infallible>(given)
        }
    });
    scene.at(100);
    let all = async { tokio::join!(scene.send(&layer), scene.send(&layer), scene.send(&layer)) };
    let (sent, ()) = tokio::join!(all, async { gate.add_permits(1) });
    assert_eq!([sent.0.unwrap(), sent.1.unwrap(), sent.2.unwrap()], [newer.clone(), newer.clone(), newer]);
    assert_eq!(scene.renewals(), 1);
}

#[tokio::test]
async fn while_one_renews_a_valid_token_keeps_no_request_waiting() {
    let scene = Scene::new();
    let layer = scene.layer(pending::<Result<String, Infallible>>);
    scene.at(70);
    let mut renewing = Box::pin(scene.send(&layer));
    assert!(is_pending(&mut renewing).await);
    assert!(!is_pending(&mut Box::pin(scene.send(&layer))).await);
    assert_eq!(scene.renewals(), 1);
}

#[tokio::test]
async fn a_request_that_is_given_up_while_it_renews_blocks_no_other() {
    let scene = Scene::new();
    let layer = scene.layer(pending::<Result<String, Infallible>>);
    scene.at(100);
    let (mut first, mut second) = (Box::pin(scene.send(&layer)), Box::pin(scene.send(&layer)));
    assert!(is_pending(&mut first).await && is_pending(&mut second).await);
    assert_eq!(scene.renewals(), 1);
    drop(first);
    assert!(is_pending(&mut second).await);
    assert_eq!(scene.renewals(), 2, "it is the other one's turn");
}

#[tokio::test]
async fn a_token_of_another_user_or_one_that_has_expired_is_not_taken() {
    let scene = Scene::new();
    let other = World::new();
    let of_another = user_token(&scene.world.account, other.user.public_key(), &json!({}));
    scene.at(100);
    for token in [of_another, scene.token_until(NOW.plus(secs(100))), "a.b.c".to_owned()] {
        let layer = scene.layer(move || std::future::ready(Ok::<_, Infallible>(token.clone())));
        assert!(matches!(scene.send(&layer).await, Err(CallError::Renew(_))));
    }
    assert!(scene.sent.lock().unwrap().is_empty());
}

#[tokio::test]
async fn tokens_that_live_shorter_than_the_notice_are_not_renewed_with_each_request() {
    let scene = Scene::new();
    let brief = scene.token_until(NOW.plus(secs(110)));
    let layer = scene.layer(move || std::future::ready(Ok::<_, Infallible>(brief.clone())));
    scene.at(90);
    for _ in 0..3 {
        scene.send(&layer).await.unwrap();
    }
    assert_eq!(scene.renewals(), 1);
}

/// Polls once. Returns whether there is nothing yet.
async fn is_pending<T>(future: &mut (impl Future<Output = T> + Unpin)) -> bool {
    std::future::poll_fn(|context| std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(context).is_pending()))
        .await
}
