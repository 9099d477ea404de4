//! Many callers at once, and writers that come between.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use portcullis_core::{Clock, UnixTime, clock::SystemClock};
use portcullis_issuer::refresh::{RefreshError, Tokens};
use tokio::task::JoinSet;

use super::*;

/// A clock that is read between the read and the write of a step. Another writer comes between as often as it is told.
#[derive(Clone, Debug)]
struct Between(Arc<dyn Meddle>);

trait Meddle: std::fmt::Debug + Send + Sync {
    fn meddle(&self);
}

impl Clock for Between {
    fn now(&self) -> UnixTime {
        SystemClock.now()
    }

    fn precise_now(&self) -> Duration {
        self.0.meddle();
        SystemClock.precise_now()
    }
}

/// Writes a row before it is written by the store.
#[derive(Debug)]
struct Writer {
    server: NatsServer,
    times: AtomicUsize,
    row: std::sync::Mutex<(String, String)>,
}

impl Meddle for Writer {
    fn meddle(&self) {
        if self.times.fetch_update(SeqCst, SeqCst, |times| times.checked_sub(1)).is_ok() {
            let row = self.row.lock().unwrap();
            write(&self.server, &row.0, &row.1);
        }
    }
}

/// A server with a family, a store for which others write first, and what they write.
async fn with_meddler() -> Option<(Arc<Writer>, NatsRefreshStore, Family)> {
    let server = NatsProgram::recent()?.start();
    let writer = Arc::new(Writer { server, times: AtomicUsize::new(0), row: std::sync::Mutex::default() });
    let store = store_at(&writer.server).clock(Between(writer.clone()));
    let family = opened(&store, 1, "alice").await;
    *writer.row.lock().unwrap() = (row(family.id), family.to_json());
    Some((writer, store, family))
}

#[tokio::test]
async fn a_step_is_decided_again_when_another_writer_was_faster() {
    let Some((writer, store, family)) = with_meddler().await else { return };
    // The same row again: only its revision is another.
    writer.times.store(5, SeqCst);
    let outcome = store.rotate(step(&family, 0, 30)).await.unwrap();
    assert!(matches!(outcome, Outcome::Rotated { lost_writes: 0, .. }), "{outcome:?}");
    assert_eq!(writer.times.load(SeqCst), 0);
    // Another instance replaces the same token first.
    let mut next = store.find(family.id).await.unwrap().0.unwrap();
    next.generation = 2;
    next.rotated_at = Some(store.now().await.unwrap());
    *writer.row.lock().unwrap() = (row(family.id), next.to_json());
    writer.times.store(1, SeqCst);
    let outcome = store.rotate(step(&family, 1, 0)).await.unwrap();
    assert!(matches!(outcome, Outcome::Reuse { behind: 1, .. }), "one token was replaced twice: {outcome:?}");
}

#[tokio::test]
async fn a_session_that_ends_during_a_step_is_not_refreshed() {
    let Some((writer, store, family)) = with_meddler().await else { return };
    let mut ended = family.clone();
    ended.ended = Some(EndReason::LoggedOut);
    *writer.row.lock().unwrap() = (row(family.id), ended.to_json());
    writer.times.store(1, SeqCst);
    assert_eq!(store.rotate(step(&family, 0, 30)).await.unwrap(), Outcome::Ended(EndReason::LoggedOut));
    store.end(family.id, EndReason::Revoked).await.unwrap();
    assert_eq!(store.find(family.id).await.unwrap().0, Some(ended), "the first reason does not stay");
}

#[tokio::test]
async fn a_step_among_endless_writers_is_an_error_and_takes_nothing() {
    let Some((writer, store, family)) = with_meddler().await else { return };
    writer.times.store(usize::MAX, SeqCst);
    let error = store.rotate(step(&family, 0, 30)).await.unwrap_err();
    assert!(error.to_string().contains("try again"), "{error}");
    writer.times.store(0, SeqCst);
    assert_eq!(store.find(family.id).await.unwrap().0, Some(family.clone()));
    assert!(matches!(store.rotate(step(&family, 0, 30)).await.unwrap(), Outcome::Rotated { .. }));
}

/// Stops the server before the store writes, so that the answer to the write does not arrive in time.
#[derive(Debug)]
struct Pause {
    server: NatsServer,
    times: AtomicUsize,
}

impl Meddle for Pause {
    fn meddle(&self) {
        if self.times.fetch_update(SeqCst, SeqCst, |times| times.checked_sub(1)).is_ok() {
            self.server.pause();
        }
    }
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_an_error_and_found_by_the_next_step() {
    let Some(nats) = NatsProgram::recent() else { return };
    let pause = Arc::new(Pause { server: nats.start(), times: AtomicUsize::new(0) });
    let store = store_at(&pause.server).clock(Between(pause.clone()));
    let family = opened(&store, 1, "alice").await;
    pause.times.store(1, SeqCst);
    let error = store.rotate(step(&family, 0, 30)).await.unwrap_err();
    assert!(error.to_string().contains("NATS does not answer"), "{error}");
    pause.server.resume();
    // The server has got the message, and stores it when it goes on.
    let reader = store_at(&pause.server);
    support::time::until_answer("the write is stored", async || {
        reader.find(family.id).await.is_ok_and(|(found, _)| found.is_some_and(|found| found.generation == 1))
    })
    .await;
    let outcome = store.rotate(step(&family, 0, 30)).await.unwrap();
    assert!(matches!(outcome, Outcome::Retry { .. }), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_refreshes_of_one_token_get_one_successor() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start();
    let instances = content::instances::<3>(&server).await;
    let policy = RefreshPolicy::new().grace(Duration::from_secs(30));
    let first = instances[0].log_in(LogIn::new("alice", CLIENT), &policy).await.unwrap();
    let mut callers = JoinSet::new();
    for caller in 0..1000 {
        let (sessions, token) = (instances[caller % 3].clone(), first.refresh_token().to_owned());
        callers.spawn(async move { patiently(&sessions, &token, policy).await.refresh_token().to_owned() });
    }
    let answers = callers.join_all().await;
    assert_ne!(answers[0], first.refresh_token());
    assert_eq!(answers, vec![answers[0].clone(); 1000], "callers got different tokens");
    let (now, _) = store_at(&server).find(first.session().id).await.unwrap();
    assert_eq!(now.map(|family| family.generation), Some(1), "the token was replaced more than once");
}

/// Asks again while the store cannot be reached, as it happens on a busy machine.
async fn patiently(sessions: &content::TestSessions, token: &str, policy: RefreshPolicy) -> Tokens {
    for _ in 0..10 {
        match sessions.refresh(token, CLIENT, &policy).await {
            Ok(tokens) => return tokens,
            Err(RefreshError::InvalidGrant(reason)) => panic!("{reason:?}"),
            Err(error) => eprintln!("{error}"),
        }
    }
    panic!("the store cannot be reached");
}
