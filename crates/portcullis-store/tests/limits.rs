//! The numbers that documentation and specification name, held on virtual time: the time may pass at once, but not more or less of it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::{net::TcpListener, sync::atomic::Ordering::SeqCst, time::Duration};

use portcullis_core::{
    Clock,
    revocation::{LogError, LogErrorKind, RevocationLog, ViewState},
};
use portcullis_store::{MemoryLog, Revocations};
use portcullis_test::provider::VirtualClock;
use tokio::time::{Instant, sleep};

use self::support::{FaultyLog, entries::entry};

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn a_quiet_log_is_asked_once_a_second() {
    let faulty = FaultyLog::over(&MemoryLog::new());
    let revocations =
        Revocations::builder(faulty.clone()).clock(VirtualClock::new()).canary(Duration::ZERO).start().unwrap();
    revocations.require(SECOND).await.unwrap();
    let before = faulty.switches.reads.load(SeqCst);
    sleep(60 * SECOND).await;
    let asked = faulty.switches.reads.load(SeqCst) - before;
    assert!((59..=61).contains(&asked), "{asked} times in a minute");
    assert_eq!(revocations.health().state, ViewState::Fresh);
}

#[tokio::test(start_paused = true)]
async fn a_view_is_stale_five_seconds_after_the_last_question_that_was_answered() {
    let faulty = FaultyLog::over(&MemoryLog::new());
    let clock = VirtualClock::new();
    let revocations = Revocations::builder(faulty.clone()).clock(clock.clone()).canary(Duration::ZERO).start().unwrap();
    revocations.require(SECOND).await.unwrap();
    sleep(10 * SECOND).await;
    faulty.switches.refuses_reads.store(true, SeqCst);
    // What was confirmed last was asked up to a heartbeat ago.
    let confirmed = clock.uptime().saturating_sub(revocations.view().last_confirmed().unwrap());
    while revocations.view().state() == ViewState::Fresh {
        sleep(MILLISECOND).await;
    }
    let fresh_for = clock.uptime().saturating_sub(confirmed);
    assert!((5000..=5002).contains(&fresh_for.as_millis()), "fresh for {fresh_for:?}");
}

#[tokio::test(start_paused = true)]
async fn a_revocation_that_cannot_be_written_fails_within_five_seconds() {
    let faulty = FaultyLog::over(&MemoryLog::new());
    let revocations = Revocations::builder(faulty.clone()).clock(VirtualClock::new()).start().unwrap();
    revocations.require(SECOND).await.unwrap();
    for switch in [&faulty.switches.refuses_writes, &faulty.switches.hangs] {
        switch.store(true, SeqCst);
        let asked = Instant::now();
        let session = portcullis_core::revocation::Revocation::session("https://a.test", &format!("{asked:?}"));
        revocations.revoke(session).await.unwrap_err();
        let took = asked.elapsed();
        assert!((3 * SECOND..=5 * SECOND + MILLISECOND).contains(&took), "{took:?}");
    }
}

/// A port on which connections are made, and nothing is ever said.
fn silent_port() -> (TcpListener, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Asserts that a log whose server says nothing gives up after so many milliseconds.
async fn gives_up(log: &impl RevocationLog, milliseconds: u64) {
    assert_eq!(log.horizon(), DAY, "the default");
    let expected = Duration::from_millis(milliseconds);
    let asked = Instant::now();
    let read = log.read(None, Duration::ZERO).await.map(drop);
    is_unavailable_after(read, asked, expected);
    let asked = Instant::now();
    is_unavailable_after(log.append(&[entry("s")]).await, asked, expected);
}

fn is_unavailable_after(outcome: Result<(), LogError>, asked: Instant, expected: Duration) {
    assert_eq!(outcome.unwrap_err().kind(), LogErrorKind::Unavailable);
    let took = asked.elapsed();
    assert!((expected..=expected + 20 * MILLISECOND).contains(&took), "{took:?} instead of {expected:?}");
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(feature = "redis")]
#[tokio::test(start_paused = true)]
async fn a_redis_server_that_says_nothing_is_given_up_within_two_and_a_half_seconds() {
    let (_listener, port) = silent_port();
    let log = portcullis_store::RedisLog::new(&format!("redis://127.0.0.1:{port}")).unwrap();
    gives_up(&log, 2400).await;
}

#[cfg(feature = "nats")]
#[tokio::test(start_paused = true)]
async fn a_nats_server_that_says_nothing_is_given_up_after_two_seconds() {
    let (_listener, port) = silent_port();
    let log = portcullis_store::JetStreamLog::new(&format!("nats://127.0.0.1:{port}")).unwrap();
    gives_up(&log, 2000).await;
}

#[cfg(feature = "nats")]
#[tokio::test(start_paused = true)]
async fn several_nats_servers_that_say_nothing_are_given_up_after_four_seconds() {
    let (_one, a) = silent_port();
    let (_two, b) = silent_port();
    let (_three, c) = silent_port();
    let urls = format!("nats://127.0.0.1:{a},nats://127.0.0.1:{b},nats://127.0.0.1:{c}");
    gives_up(&portcullis_store::JetStreamLog::new(&urls).unwrap(), 4000).await;
}

#[cfg(feature = "postgres")]
#[tokio::test(start_paused = true)]
async fn a_postgres_server_that_says_nothing_is_given_up_after_four_seconds() {
    let (_listener, port) = silent_port();
    let log = portcullis_store::PostgresLog::new(&format!("postgres://u:p@127.0.0.1:{port}/d")).unwrap();
    gives_up(&log, 4000).await;
}

#[cfg(feature = "redb")]
#[test]
fn a_file_remembers_for_tokens_of_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let log = portcullis_store::RedbLog::open(folder.path().join("log")).unwrap();
    assert_eq!(RevocationLog::horizon(&log), DAY);
    assert_eq!(RevocationLog::horizon(&MemoryLog::new()), DAY);
}

/// `WAIT` asks for a second; that there is no replica is known after it.
#[cfg(feature = "redis")]
#[tokio::test]
async fn replicas_that_are_not_there_are_waited_for_for_a_second() {
    if real_servers::is_missing("redis-server") {
        return;
    }
    let server = real_servers::RedisServer::start();
    let log = portcullis_store::RedisLog::new(&server.url()).unwrap().acknowledged_by(1);
    log.read(None, Duration::ZERO).await.unwrap();
    let asked = Instant::now();
    let error = log.append(&[entry("s")]).await.unwrap_err();
    let took = asked.elapsed();
    assert!(error.to_string().contains("0 of 1 replicas"), "{error}");
    assert!(took >= SECOND, "{took:?}"); // real time: a busy machine may take longer
}
