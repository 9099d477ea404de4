//! The log in NATS, on a real server.
#![cfg(feature = "nats")]
#![allow(
    clippy::unwrap_used,
    clippy::format_push_string,
    clippy::too_many_lines,
    reason = "a test may panic, and tell a long story"
)]

#[path = "nats/faults.rs"]
mod faults;
#[path = "nats/setup.rs"]
mod setup;
mod support;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use portcullis_core::revocation::{LogError, RevocationLog};
use portcullis_store::JetStreamLog;
use portcullis_test::contract::LogReader;
use real_servers::{NatsServer, is_missing};
use tokio::{task::JoinSet, time::timeout};

use self::support::{
    entries::entries,
    time::{GIVEN_UP, PATIENT, on_virtual_time, until},
};

const STREAM: &str = "PORTCULLIS_REVOCATIONS";

fn log_at(server: &NatsServer) -> JetStreamLog {
    JetStreamLog::new(&server.url()).unwrap()
}

#[tokio::test]
async fn two_readers_read_every_entry() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let mut readers = [LogReader::new(log_at(&server)), LogReader::new(log_at(&server))];
    let first = readers[0].read(Duration::ZERO).await.unwrap();
    assert!(first.is_last && !first.is_restart && first.entries.is_empty());
    log_at(&server).append(&entries(0..3)).await.unwrap();
    log_at(&server).append(&[]).await.unwrap();
    for reader in &mut readers {
        let page = reader.read(Duration::ZERO).await.unwrap();
        assert_eq!((page.entries, page.is_last, page.is_restart), (entries(0..3), true, false));
        assert!(reader.read(Duration::ZERO).await.unwrap().entries.is_empty());
    }
    assert_eq!(readers[0].cursor, readers[1].cursor);
}

#[tokio::test]
async fn an_entry_that_is_appended_twice_is_one_entry() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let log = Arc::new(log_at(&server));
    log.append(&entries(0..2)).await.unwrap();
    log.append(&entries(0..2)).await.unwrap();
    let mut reader = LogReader::new(log);
    reader.must_catch_up().await;
    assert_eq!(reader.seen, entries(0..2).into_iter().collect());
}

#[tokio::test]
async fn one_append_is_one_message_unless_it_is_too_large_for_one() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start_with("max_payload: 65536\n");
    let log = Arc::new(log_at(&server));
    log.append(&entries(0..500)).await.unwrap();
    assert_eq!(state(&server, "messages"), 1);
    log.append(&entries(500..2500)).await.unwrap();
    assert_eq!(state(&server, "messages"), 4);
    let mut reader = LogReader::new(log);
    reader.must_catch_up().await;
    assert!(reader.has_all(&entries(0..2500)));
}

#[tokio::test]
async fn many_keys_are_one_subject_of_one_stream_and_no_key_value_bucket() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let log = log_at(&server);
    for entry in entries(0..50) {
        log.append(&[entry]).await.unwrap();
    }
    assert_eq!((state(&server, "messages"), state(&server, "num_subjects")), (50, 1));
    let names = server.request("$JS.API.STREAM.NAMES", "");
    assert!(names.contains(r#""streams":["PORTCULLIS_REVOCATIONS"]"#), "{names}");
}

#[tokio::test]
async fn the_server_forgets_what_is_older_than_any_token() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    log_at(&server).horizon(Duration::from_secs(3600)).append(&entries(0..1)).await.unwrap();
    // An hour, and ten minutes that an entry is remembered for longer, and ten that clocks may differ.
    let info = server.request(&format!("$JS.API.STREAM.INFO.{STREAM}"), "");
    assert!(info.contains(&format!(r#""max_age":{}000000000"#, 3600 + 2 * 600)), "{info}");
    assert!(info.contains(r#""retention":"limits""#) && info.contains(r#""storage":"file""#), "{info}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_among_eight_writers_misses_nothing() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let mut reader = LogReader::new(log_at(&server));
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let log = log_at(&server);
        writers.spawn(async move {
            for entry in entries(writer * 100..(writer + 1) * 100) {
                log.append(&[entry]).await.unwrap();
            }
        });
    }
    while !writers.is_empty() {
        reader.read(Duration::from_millis(5)).await.unwrap();
        while writers.try_join_next().is_some_and(|done| done.is_ok()) {}
    }
    reader.must_catch_up().await;
    assert!(reader.has_all(&entries(0..800)));
    assert_eq!((reader.seen.len(), reader.restarts), (800, 0));
}

#[tokio::test]
async fn a_reader_waits_for_as_long_as_it_has_patience() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let mut reader = LogReader::new(log_at(&server));
    reader.must_catch_up().await;
    let asked = Instant::now();
    let page = reader.read(Duration::from_millis(300)).await.unwrap();
    assert!(page.is_last && page.entries.is_empty());
    let took = asked.elapsed();
    assert!(took >= Duration::from_millis(295), "{took:?}");
}

#[tokio::test]
async fn a_reader_that_waits_is_notified_by_the_server() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let mut reader = LogReader::new(log_at(&server));
    reader.must_catch_up().await;
    let writer = log_at(&server);
    let append = async {
        a_reader_waits_at(&server).await;
        writer.append(&entries(0..1)).await.unwrap();
    };
    let (page, ()) = tokio::join!(reader.must_read(PATIENT), append);
    assert_eq!((page.entries, page.is_last), (entries(0..1), true));
}

#[tokio::test]
async fn a_read_that_is_given_up_takes_nothing_away_and_leaves_nothing_behind() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let mut reader = LogReader::new(log_at(&server));
    let writer = log_at(&server);
    for round in 0..30 {
        let given_up = timeout(Duration::from_millis(2), reader.read(PATIENT)).await;
        assert!(given_up.is_err() || round == 0);
        writer.append(&entries(round..round + 1)).await.unwrap();
        reader.must_catch_up().await;
        assert!(reader.has_all(&entries(0..round + 1)), "{round}");
    }
    assert_eq!(reader.restarts, 0);
    let consumers = state(&server, "consumer_count");
    assert!(consumers < 10, "{consumers} consumers are left");
}

#[tokio::test]
async fn a_list_is_read_while_another_reader_waits() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let log = Arc::new(log_at(&server));
    for at in 0..12 {
        log.append(&entries(at * 1000..(at + 1) * 1000)).await.unwrap();
    }
    let mut follower = LogReader::new(Arc::clone(&log));
    follower.must_catch_up().await;
    let list = async {
        let mut reader = LogReader::new(Arc::clone(&log));
        reader.must_catch_up().await;
        log.append(&entries(12_000..12_001)).await.unwrap();
        reader
    };
    // The follower is woken by what is appended after the list was read, so the list did not wait for it.
    let (page, reader) = tokio::join!(follower.must_read(PATIENT), list);
    assert_eq!(page.entries, entries(12_000..12_001));
    assert_eq!((reader.seen.len(), reader.restarts), (12_000, 0));
}

#[tokio::test]
async fn a_reader_that_goes_back_reads_again_what_follows_there() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let log = log_at(&server);
    let mut cursors = Vec::new();
    for entry in entries(0..4) {
        log.append(&[entry]).await.unwrap();
        cursors.push(log.read(cursors.last(), Duration::ZERO).await.unwrap().cursor);
    }
    for (at, cursor) in cursors.iter().enumerate().rev() {
        let page = log.read(Some(cursor), Duration::ZERO).await.unwrap();
        assert_eq!((page.entries, page.is_last, page.is_restart), (entries(at + 1..4), true, false), "{at}");
    }
    assert_eq!(log.read(None, Duration::ZERO).await.unwrap().entries, entries(0..4));
}

#[tokio::test]
async fn invalid_entries_are_counted_and_skipped() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let mut reader = LogReader::new(log_at(&server));
    let writer = log_at(&server);
    writer.append(&entries(0..1)).await.unwrap();
    for odd in ["hello", "{\"v\":99}", "", "a\nb"] {
        let _ = server.request("portcullis.revocations", odd);
    }
    writer.append(&entries(1..2)).await.unwrap();
    reader.must_catch_up().await;
    assert_eq!((reader.seen.len(), reader.unreadable, reader.restarts), (2, 4, 0));
}

#[tokio::test]
async fn gaps_in_the_numbers_of_messages_do_not_stop_readers() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let writer = log_at(&server);
    for entry in entries(0..6) {
        writer.append(&[entry]).await.unwrap();
    }
    let mut reader = LogReader::new(log_at(&server));
    for deleted in [3, 5, 6] {
        let _ = server.request(&format!("$JS.API.STREAM.MSG.DELETE.{STREAM}"), &format!(r#"{{"seq":{deleted}}}"#));
    }
    reader.must_catch_up().await;
    assert_eq!(reader.seen.len(), 3);
    // Nor does a reader that continues from there with a new connection.
    let mut next = LogReader::at(log_at(&server), reader.cursor);
    next.must_catch_up().await;
    writer.append(&entries(6..7)).await.unwrap();
    next.must_catch_up().await;
    assert_eq!((next.seen.len(), next.restarts), (1, 0));
}

async fn a_reader_waits_at(server: &NatsServer) {
    until("a reader waits at the server", || {
        server.request(&format!("$JS.API.CONSUMER.LIST.{STREAM}"), "").contains(r#""num_waiting":1"#)
    })
    .await;
}

/// A number from the state of the stream.
fn state(server: &NatsServer, name: &str) -> u64 {
    let info = server.request(&format!("$JS.API.STREAM.INFO.{STREAM}"), "");
    let state = info.split_once(r#""state":"#).unwrap().1;
    let value = state.split_once(&format!(r#""{name}":"#)).map_or("0", |(_, value)| value);
    value.split([',', '}']).next().unwrap().parse().unwrap()
}
