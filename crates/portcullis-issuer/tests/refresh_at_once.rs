//! Work that goes on when its client hangs up, and how much of it there is at once.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use portcullis_core::{Algorithm, policy::TokenSpec};
use portcullis_issuer::{
    Signer, Signing, SigningKey, TokenIssuer,
    records::MemoryRecordStore,
    refresh::{
        DangerUncheckedSubjects, EndReason, LogIn, MemoryRefreshStore, RefreshError, RefreshKeys, RefreshPolicy,
        RefreshStore, Sessions, Tokens, Unavailable,
    },
    server::{AuthorizationServer, Client, ClientList, EndpointRequest, OAuthErrorCode},
};
use portcullis_test::FixedClock;
use support::{ISSUER, SERVICE, T, TestLog};
use tokio::{runtime::Handle, task::yield_now, time::sleep};

const CALLERS: usize = 10_000;
const MOST: usize = 100;

/// How long a signature takes, on a clock that is turned.
const SIGNATURE: Duration = Duration::from_secs(1);

type TestSessions = Sessions<MemoryRefreshStore, TestLog, DangerUncheckedSubjects>;

struct Scene {
    sessions: TestSessions,
    store: MemoryRefreshStore,
    users: Vec<Tokens>,
    key: Slow,
}

impl Scene {
    /// With users who have logged in, and from now on every signature takes a while.
    async fn new(most: usize, users: usize) -> Self {
        let clock = FixedClock::at(T);
        let key = Slow(SigningKey::secret("1", Algorithm::Hs256, &[5; 32]).unwrap(), Arc::default());
        let spec = TokenSpec::new(ISSUER).audience(SERVICE);
        let issuer = TokenIssuer::new(spec, key.clone()).unwrap().clock(clock.clone());
        let store = MemoryRefreshStore::with_clock(clock.clone());
        let (keys, log) = (RefreshKeys::new(1, [1; 32]).unwrap(), TestLog::new(&clock, &Arc::default()));
        let sessions = Sessions::new(issuer, store.clone(), keys, log, DangerUncheckedSubjects);
        let sessions = sessions.most_at_once(most).unwrap();
        let mut scene = Self { sessions, store, users: Vec::new(), key };
        for user in 0..users {
            let log_in = LogIn::new(format!("user{user}"), "web");
            scene.users.push(scene.sessions.log_in(log_in, &RefreshPolicy::new()).await.unwrap());
        }
        scene.key.1.store(true, Ordering::SeqCst);
        scene
    }

    fn refresh(&self, user: usize) -> impl Future<Output = Result<Tokens, RefreshError>> + Send + 'static {
        let (sessions, token) = (self.sessions.clone(), self.users[user].refresh_token().to_owned());
        async move { sessions.refresh(&token, "web", &RefreshPolicy::new()).await }
    }
}

/// A key whose signatures may take a while.
#[derive(Clone, Debug)]
struct Slow(SigningKey, Arc<AtomicBool>);

impl Signer for Slow {
    fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }

    fn key_id(&self) -> &str {
        self.0.key_id()
    }

    fn sign(&self, input: &[u8]) -> Signing {
        if !self.1.load(Ordering::SeqCst) {
            return self.0.sign(input);
        }
        let (key, input) = (self.0.clone(), input.to_vec());
        Signing::waiting(async move {
            sleep(SIGNATURE).await;
            key.sign(&input).outcome().await
        })
    }
}

/// Lets a caller ask, and returns the answer if there is one at once. Otherwise it may go on waiting, or hang up.
async fn ask<T>(mut call: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    poll_fn(|context| match call.as_mut().poll(context) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

fn is_too_many<T>(outcome: &Result<T, RefreshError>) -> bool {
    matches!(outcome, Err(RefreshError::Unavailable(Unavailable::TooManyAtOnce)))
}

#[tokio::test(start_paused = true)]
async fn callers_that_hang_up_leave_no_more_tasks_than_there_may_be_and_lose_no_outcome() {
    let scene = Scene::new(MOST, CALLERS).await;
    let (mut begun, mut waiting, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for user in 0..CALLERS {
        let mut call = Box::pin(scene.refresh(user));
        match ask(call.as_mut()).await {
            Some(outcome) => {
                assert!(is_too_many(&outcome), "{outcome:?}");
                refused.push(user);
            }
            None if user % 3 == 0 => waiting.push((user, call)),
            // It hangs up.
            None => begun.push(user),
        }
        // What was begun goes on meanwhile, up to its signature.
        yield_now().await;
        assert!(tasks() <= MOST, "{} tasks", tasks());
        if user % 1000 == 999 {
            sleep(SIGNATURE * 2).await;
        }
    }
    assert_eq!((begun.len() + waiting.len(), refused.len()), (10 * MOST, CALLERS - 10 * MOST));
    for (user, call) in waiting {
        let told = call.await.unwrap();
        assert_eq!(generation(&scene.store, &told).await, 1, "a client was told what was not stored");
        begun.push(user);
    }
    assert_eq!(tasks(), 0);
    // What was begun was done, although its client has gone; and what was refused was not begun.
    for user in begun {
        assert_eq!(generation(&scene.store, &scene.users[user]).await, 1);
    }
    for &user in &refused {
        assert_eq!(generation(&scene.store, &scene.users[user]).await, 0);
    }
    assert!(scene.refresh(refused[0]).await.is_ok());
}

async fn generation(store: &MemoryRefreshStore, tokens: &Tokens) -> u64 {
    let (family, _) = store.find(tokens.session().id).await.unwrap();
    serde_json::from_str::<serde_json::Value>(&family.unwrap().to_json()).unwrap()["generation"].as_u64().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_client_that_was_refused_tries_again() {
    let scene = Scene::new(1, 2).await;
    let mut first = pin!(scene.refresh(0));
    assert!(ask(first.as_mut()).await.is_none());
    let refused = scene.refresh(1).await;
    assert!(is_too_many(&refused), "{refused:?}");
    assert!(refused.unwrap_err().to_string().ends_with("try again"));
    assert!(first.await.is_ok() && scene.refresh(1).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_user_logs_out_while_too_much_else_is_under_way() {
    let scene = Scene::new(1, 3).await;
    let mut refresh = pin!(scene.refresh(0));
    assert!(ask(refresh.as_mut()).await.is_none());
    assert!(is_too_many(&scene.refresh(1).await));
    scene.sessions.end(scene.users[1].session().id, EndReason::LoggedOut).await.unwrap();
    scene.sessions.log_out_everywhere("user2").await.unwrap();
    for user in [1, 2] {
        let (family, _) = scene.store.find(scene.users[user].session().id).await.unwrap();
        assert!(family.unwrap().ended.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn junk_takes_no_room() {
    let scene = Scene::new(1, 1).await;
    let mut refresh = pin!(scene.refresh(0));
    assert!(ask(refresh.as_mut()).await.is_none());
    let junk = scene.sessions.refresh("prt_junk", "web", &RefreshPolicy::new()).await;
    assert!(matches!(junk, Err(RefreshError::InvalidGrant(_))), "{junk:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_of_the_server_is_told_to_try_again() {
    let scene = Scene::new(1, 2).await;
    let page = Client::public("web").redirect_uri("https://app.test/callback").resource(SERVICE);
    let (records, clients) = (MemoryRecordStore::with_clock(FixedClock::at(T)), ClientList::new([page]).unwrap());
    let server = AuthorizationServer::builder(scene.sessions.clone(), scene.key.0.clone(), records, clients);
    let server = server.authorization_endpoint("https://id.test/authorize").build().unwrap();
    let body = |user: usize| {
        format!("grant_type=refresh_token&client_id=web&refresh_token={}", scene.users[user].refresh_token())
    };
    let bodies = [body(0), body(1)];
    let [one, other] = [0, 1].map(|user: usize| EndpointRequest::new(bodies[user].as_bytes()));
    let mut first = pin!(server.token(&one));
    assert!(ask(first.as_mut()).await.is_none());
    let refused = server.token(&other).await.unwrap_err();
    assert_eq!((refused.code(), refused.code().status()), (OAuthErrorCode::TemporarilyUnavailable, 503));
    assert!(refused.retry_after().is_some());
    assert!(first.await.is_ok() && server.token(&other).await.is_ok());
}

#[tokio::test]
async fn a_bound_of_nothing_is_refused() {
    let sessions = || async { Scene::new(1, 0).await.sessions };
    let error = sessions().await.most_at_once(0).unwrap_err().to_string();
    assert!(error.contains("1 or more"), "{error}");
    assert!(sessions().await.most_at_once(2).is_ok());
}
