//! An issuer is killed at each of six points, by itself, without a chance to tidy up: what its client then gets from another instance.
//!
//! `PORTCULLIS_ROUNDS` sets how often for each store and point.
#![cfg(all(feature = "issuer", feature = "nats", feature = "postgres", feature = "redb", feature = "redis"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "refresh_kills/killed.rs"]
mod killed;
#[path = "refresh_kills/places.rs"]
mod places;

use std::{
    env,
    process::{Command, Stdio},
    time::Duration,
};

use killed::Point;
use places::{Instance, NatsPlace, Place, PostgresPlace, RedbPlace, RedisPlace};
use portcullis_core::revocation::RevocationLog;
use portcullis_issuer::refresh::{LogIn, NotAccepted, RefreshError, RefreshPolicy, RefreshStore, Tokens};
use real_servers::{NatsProgram, is_missing};

/// The client of all sessions.
const CLIENT: &str = "web";

fn rounds() -> usize {
    env::var("PORTCULLIS_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(2)
}

/// An issuer that is about to die: it presents the token that it is given, and prints what it gets, if it lives.
#[tokio::test]
#[ignore = "is started by the tests that wait for its death"]
async fn an_issuer_that_dies() {
    let (place, point, token) = (var("PLACE"), var("POINT"), var("TOKEN"));
    let point = Point::ALL.into_iter().find(|candidate| format!("{candidate:?}") == point);
    match place.split_once(' ').unwrap() {
        ("redb", path) => die(&RedbPlace::at(path).instance(point).await, &token).await,
        ("nats", url) => die(&NatsPlace::at(url).instance(point).await, &token).await,
        ("redis", url) => die(&RedisPlace::at(url).instance(point).await, &token).await,
        ("postgres", url) => die(&PostgresPlace::at(url).instance(point).await, &token).await,
        (other, _) => panic!("{other}"),
    }
}

async fn die<S: RefreshStore, L: RevocationLog>(instance: &Instance<S, L>, token: &str) {
    let outcome = instance.sessions.refresh(token, CLIENT, &RefreshPolicy::new()).await;
    killed::reached(instance.dies_at, Point::BeforeAnswer);
    eprintln!("alive: {:?}", outcome.map(|tokens| tokens.refresh_token().to_owned()));
}

fn var(name: &str) -> String {
    env::var(format!("DYING_{name}")).unwrap()
}

/// Starts an issuer that dies at this point when it gets the token, and waits until it is dead.
fn kill_an_issuer(place: &impl Place, point: Point, token: &str) {
    let mut start = Command::new(env::current_exe().unwrap());
    start.args(["--exact", "an_issuer_that_dies", "--ignored", "--nocapture"]);
    start.env("DYING_PLACE", place.name()).env("DYING_POINT", format!("{point:?}")).env("DYING_TOKEN", token);
    let output = start.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && !said.contains("alive"), "it did not reach {point:?}: {said}");
}

async fn log_in(place: &impl Place) -> Tokens {
    let instance = place.instance(None).await;
    instance.sessions.log_in(LogIn::new("alice", CLIENT), &RefreshPolicy::new()).await.unwrap()
}

async fn refresh(place: &impl Place, token: &str) -> Result<Tokens, RefreshError> {
    place.instance(None).await.sessions.refresh(token, CLIENT, &RefreshPolicy::new()).await
}

/// Kills an issuer before and after the step, and before the answer: the client asks again, and gets the one successor.
async fn a_refresh_that_died_is_recovered(place: &mut impl Place) {
    for point in [Point::BeforeStep, Point::AfterStep, Point::BeforeAnswer] {
        let first = log_in(place).await;
        kill_an_issuer(place, point, first.refresh_token());
        let second = refresh(place, first.refresh_token()).await.unwrap();
        assert_eq!(second.session().generation, 1, "{point:?}: the token was replaced once");
        let again = refresh(place, first.refresh_token()).await.unwrap();
        assert_eq!(again.refresh_token(), second.refresh_token(), "{point:?}: two live successors");
        place.age(second.session().id, Duration::from_secs(61)).await;
        let third = refresh(place, second.refresh_token()).await.unwrap();
        assert_eq!(third.session().generation, 2, "{point:?}");
    }
}

/// Kills an issuer while it ends a session whose old token came again: the next use of an old token ends it for good, and its access tokens.
async fn an_end_that_died_is_completed(place: &mut impl Place) {
    for point in [Point::BeforeLog, Point::BeforeEnd, Point::AfterEnd] {
        let first = log_in(place).await;
        let second = refresh(place, first.refresh_token()).await.unwrap();
        place.age(second.session().id, Duration::from_secs(61)).await;
        kill_an_issuer(place, point, first.refresh_token());
        let instance = place.instance(None).await;
        let is_revoked = instance.is_revoked(&second).await;
        assert_eq!(is_revoked, point != Point::BeforeLog, "{point:?}: the log comes first");
        drop(instance);
        let error = refresh(place, first.refresh_token()).await.unwrap_err();
        assert!(matches!(error, RefreshError::InvalidGrant(NotAccepted::Reuse | NotAccepted::Ended(_))), "{error}");
        let error = refresh(place, second.refresh_token()).await.unwrap_err();
        assert!(matches!(error, RefreshError::InvalidGrant(NotAccepted::Ended(_))), "{point:?}: {error}");
        assert!(place.instance(None).await.is_revoked(&second).await, "{point:?}: its access tokens live on");
    }
}

async fn survives(place: impl Place) {
    survives_rounds(place, rounds()).await;
}

async fn survives_rounds(mut place: impl Place, rounds: usize) {
    for _ in 0..rounds {
        a_refresh_that_died_is_recovered(&mut place).await;
        an_end_that_died_is_completed(&mut place).await;
    }
}

// Of several threads: what an instance leaves behind ends while the test waits for another process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pitfall_2_an_issuer_that_dies_over_a_file_loses_nothing() {
    survives(RedbPlace::new()).await;
}

// Of several threads: what an instance leaves behind ends while the test waits for another process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pitfall_2_an_issuer_that_dies_over_redis_loses_nothing() {
    if !is_missing("redis-server") {
        survives(RedisPlace::new()).await;
    }
}

// Of several threads: what an instance leaves behind ends while the test waits for another process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pitfall_2_an_issuer_that_dies_over_postgres_loses_nothing() {
    if !is_missing("postgres") {
        survives(PostgresPlace::new()).await;
    }
}

// Of several threads: what an instance leaves behind ends while the test waits for another process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pitfall_2_an_issuer_that_dies_over_nats_loses_nothing() {
    if let Some(nats) = NatsProgram::recent() {
        // Each instance leaves a consumer of the log behind for a while, of which a server has a limited number: a server for every few rounds.
        for rounds in (0..rounds()).step_by(4).map(|done| 4.min(rounds() - done)) {
            survives_rounds(NatsPlace::new(&nats), rounds).await;
        }
    }
}
