//! The log in Redis, on a real server.
#![cfg(feature = "redis")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use portcullis_core::revocation::{LogError, LogErrorKind, Page, Revocation, RevocationLog};
use portcullis_store::{RedisLog, Revocations};
use portcullis_test::contract::LogReader;
use real_servers::{Proxy, RedisServer, ReservedPort, is_missing};
use tokio::task::JoinSet;

use self::support::{
    entries::{entries, entry},
    holds,
    time::{GIVEN_UP, PATIENT, StoppedClock, on_virtual_time, until},
};

const AT_ONCE: Duration = Duration::ZERO;
const STREAM: &str = "{portcullis}:revocations";
const MARKER: &str = "{portcullis}:log";

fn at(port: u16) -> RedisLog {
    RedisLog::new(&format!("redis://127.0.0.1:{port}")).unwrap()
}

fn refused(outcome: Result<Page, LogError>, words: &str) {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Misconfigured, "{error:?}");
    assert!(error.to_string().contains(words), "{error}");
}

type Reader = LogReader<RedisLog>;

/// The same reader, with another way to the log.
fn moved_to(reader: Reader, log: RedisLog) -> Reader {
    Reader { log, ..reader }
}

/// Which of the entries with these names it has not seen.
fn missed(reader: &Reader, names: impl Iterator<Item = String>) -> Vec<String> {
    names.filter(|name| !has(reader, name)).collect()
}

fn has(reader: &Reader, name: &str) -> bool {
    reader.seen.contains(&entry(name))
}

fn names(range: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    range.map(|number| number.to_string())
}

async fn append(log: &RedisLog, range: std::ops::Range<usize>) {
    log.append(&entries(range)).await.unwrap();
}

async fn a_reader_waits_at(server: &RedisServer) {
    until("a reader waits at the server", || server.cli(&["INFO", "clients"]).contains("blocked_clients:1")).await;
}

// What every log does.

#[tokio::test]
async fn two_readers_read_every_entry_in_order() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let (mut early, mut late) = (Reader::new(at(server.port())), Reader::new(at(server.port())));
    early.catch_up().await;
    append(&early.log, 0..3).await;
    early.log.append(&[]).await.unwrap();
    append(&late.log, 3..7000).await;
    let page = early.must_read(AT_ONCE).await;
    assert_eq!((page.entries[2].clone(), page.entries.len(), page.is_last), (entry(2), 1000, false));
    early.catch_up().await;
    late.catch_up().await;
    assert_eq!(early.seen, late.seen);
    assert_eq!((early.seen.len(), early.restarts, late.restarts), (7000, 0, 0));
    assert!(early.log.warnings().is_empty(), "{:?}", early.log.warnings());
}

#[tokio::test]
async fn an_entry_that_is_appended_again_changes_nothing() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let mut reader = Reader::new(at(server.port()));
    append(&reader.log, 0..2).await;
    append(&reader.log, 0..2).await;
    reader.catch_up().await;
    assert_eq!((reader.seen.len(), reader.restarts, reader.unreadable), (2, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_misses_nothing_of_eight_writers() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let log = Arc::new(at(server.port()));
    let mut reader = Reader::new(at(server.port()));
    reader.catch_up().await;
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let (shared, own) = (Arc::clone(&log), at(server.port()));
        writers.spawn(async move {
            for row in 0..100 {
                // Half of them share a connection.
                let log = if writer % 2 == 0 { &shared } else { &own };
                log.append(&[entry(writer * 100 + row)]).await.unwrap();
            }
        });
    }
    while !writers.is_empty() {
        reader.must_read(Duration::from_millis(5)).await;
        while writers.try_join_next().is_some_and(|done| done.is_ok()) {}
    }
    reader.must_catch_up().await;
    let missed = missed(&reader, names(0..800));
    assert!(missed.is_empty(), "{missed:?}");
    assert_eq!(reader.restarts, 0);
}

#[tokio::test]
async fn a_reader_waits_for_its_patience_even_if_it_is_longer_than_the_clients_half_second() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let mut reader = Reader::new(at(server.port()));
    for patience in [1200, 100, 0].map(Duration::from_millis) {
        let started = Instant::now();
        let page = reader.must_read(patience).await;
        assert!(page.is_last && page.entries.is_empty());
        let taken = started.elapsed();
        assert!(taken >= patience, "{taken:?} for {patience:?}");
    }
}

#[tokio::test]
async fn a_reader_that_waits_is_woken_by_the_server() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let (mut reader, writer) = (Reader::new(at(server.port())), at(server.port()));
    reader.catch_up().await;
    append(&writer, 0..1).await;
    reader.catch_up().await;
    // So no timer of the client's wakes it.
    let _clock = StoppedClock::new();
    for round in 1..20 {
        let appended = async {
            a_reader_waits_at(&server).await;
            append(&writer, round..round + 1).await;
        };
        let (page, ()) = tokio::join!(reader.must_read(PATIENT), appended);
        assert_eq!(page.entries, [entry(round)]);
        assert!(!page.is_last, "the server was not asked what follows, and the one that answered is still the master");
    }
}

#[tokio::test]
async fn a_read_that_is_dropped_while_it_waits_takes_nothing_away() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let mut reader = Reader::new(at(server.port()));
    reader.catch_up().await;
    for round in 0..5 {
        let given_up = tokio::time::timeout(Duration::from_millis(30), reader.read(PATIENT)).await;
        assert!(given_up.is_err());
        append(&reader.log, round..round + 1).await;
        // Nor does it keep the next read waiting, which would then be given up.
        assert_eq!(reader.must_read(AT_ONCE).await.entries, [entry(round)]);
    }
}

#[tokio::test]
async fn an_append_that_is_dropped_harms_nobody_elses() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let mut reader = Reader::new(at(server.port()));
    append(&reader.log, 0..1).await;
    for micros in [1, 10, 50, 100, 200, 400] {
        let entries = [entry("dropped")];
        let _ = tokio::time::timeout(Duration::from_micros(micros), reader.log.append(&entries)).await;
        append(&reader.log, 1..5).await;
    }
    reader.catch_up().await;
    assert!(missed(&reader, names(0..5)).is_empty());
}

// What happens to servers and networks.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_acknowledged_is_lost_when_the_server_is_killed() {
    if is_missing("redis-server") {
        return;
    }
    let mut server = RedisServer::start();
    let port = server.port();
    let mut reader = Reader::new(at(port));
    append(&reader.log, 0..10).await;
    reader.catch_up().await;
    let mut writer = JoinSet::new();
    writer.spawn(async move {
        let log = at(port);
        let mut acknowledged = Vec::new();
        for row in 10.. {
            match log.append(&[entry(row)]).await {
                Ok(()) => acknowledged.push(row.to_string()),
                Err(error) => {
                    assert_eq!(error.kind(), LogErrorKind::Unavailable, "{error}");
                    break;
                }
            }
        }
        acknowledged
    });
    while reader.seen.len() < 200 {
        reader.must_read(PATIENT).await;
    }
    server.kill();
    let acknowledged = writer.join_next().await.unwrap().unwrap();
    let error = reader.read(AT_ONCE).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Unavailable, "{error}");
    server.restart();
    reader.must_catch_up().await;
    append(&reader.log, 0..1).await;
    assert!(missed(&reader, acknowledged.into_iter()).is_empty());
    assert_eq!(reader.restarts, 0, "it reads on from where it was");
}

#[tokio::test]
async fn a_server_that_was_away_while_nobody_asked_is_no_error() {
    if is_missing("redis-server") {
        return;
    }
    let mut server = RedisServer::start();
    let mut reader = Reader::new(at(server.port()));
    append(&reader.log, 0..1).await;
    reader.catch_up().await;
    server.restart();
    append(&reader.log, 1..2).await;
    reader.catch_up().await;
    assert_eq!((reader.seen.len(), reader.restarts), (2, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_lose_nothing() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port()).await;
    let (log, is_done) = (at(proxy.port()), Arc::new(AtomicBool::new(false)));
    let mut reader = Reader::new(at(proxy.port()));
    let mut follower = JoinSet::new();
    follower.spawn({
        let is_done = Arc::clone(&is_done);
        async move {
            while !is_done.load(Ordering::SeqCst) {
                let _ = reader.read(Duration::from_millis(100)).await;
            }
            reader
        }
    });
    let mut acknowledged = Vec::new();
    for row in 0..600 {
        match row % 100 {
            50 => proxy.cut(),
            60 => proxy.open(),
            _ => {}
        }
        if log.append(&[entry(row)]).await.is_ok() {
            acknowledged.push(row.to_string());
        }
    }
    is_done.store(true, Ordering::SeqCst);
    let mut reader = follower.join_next().await.unwrap().unwrap();
    reader.catch_up().await;
    assert!((500..600).contains(&acknowledged.len()), "{}", acknowledged.len());
    assert!(missed(&reader, acknowledged.into_iter()).is_empty());
    assert_eq!(reader.restarts, 0);
}

#[tokio::test]
async fn a_network_that_swallows_everything_is_an_error_soon_and_fine_afterwards() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port()).await;
    let (mut reader, writer, newcomer) = (Reader::new(at(proxy.port())), at(proxy.port()), at(proxy.port()));
    append(&writer, 0..1).await;
    reader.catch_up().await;
    proxy.hold();
    let entries = [entry(1)];
    let calls = async { tokio::join!(reader.read(PATIENT), writer.append(&entries), newcomer.read(None, AT_ONCE)) };
    let ((read, appended, connected), took) = on_virtual_time(Box::pin(calls)).await;
    for error in [read.unwrap_err(), appended.unwrap_err(), connected.unwrap_err()] {
        assert_eq!(error.kind(), LogErrorKind::Unavailable);
        assert!(error.to_string().contains("does not answer"), "{error}");
    }
    assert!(took <= GIVEN_UP, "{took:?}");
    proxy.open();
    append(&writer, 2..3).await;
    reader.must_catch_up().await;
    assert!(has(&reader, "2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_a_router_has_forgotten_is_replaced_after_one_error() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port()).await;
    let (mut reader, writer) = (Reader::new(at(proxy.port())), at(proxy.port()));
    append(&writer, 0..1).await;
    reader.catch_up().await;
    proxy.forget();
    let entries = [entry(1)];
    let (read, appended) = tokio::join!(reader.read(AT_ONCE), writer.append(&entries));
    for error in [read.unwrap_err(), appended.unwrap_err()] {
        assert!(error.to_string().contains("does not answer"), "{error}");
    }
    append(&writer, 2..3).await;
    reader.catch_up().await;
    assert!(has(&reader, "2") && reader.restarts == 0);
}

#[tokio::test]
async fn a_server_that_hangs_is_an_error_soon_and_fine_afterwards() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let mut reader = Reader::new(at(server.port()));
    append(&reader.log, 0..1).await;
    reader.catch_up().await;
    server.suspend();
    let (read, took) = on_virtual_time(reader.read(Duration::from_secs(1))).await;
    let error = read.unwrap_err();
    assert!(error.to_string().contains("does not answer"), "{error}");
    assert!(took <= GIVEN_UP, "{took:?}");
    server.resume();
    append(&reader.log, 1..2).await;
    reader.catch_up().await;
    assert_eq!(reader.seen.len(), 2);
}

// What happens to the log.

#[tokio::test]
async fn a_log_that_was_trimmed_is_read_anew() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let mut reader = Reader::new(at(server.port()));
    append(&reader.log, 0..10).await;
    reader.catch_up().await;
    append(&reader.log, 10..20).await;
    server.cli(&["XTRIM", STREAM, "MAXLEN", "5"]);
    // Trap: the server does not tell which entry was deleted last.
    assert!(server.cli(&["XINFO", "STREAM", STREAM]).contains("max-deleted-entry-id\n0-0"));
    let page = reader.must_read(AT_ONCE).await;
    assert!(page.is_restart && page.is_last);
    assert_eq!(page.entries, [15, 16, 17, 18, 19].map(entry));
    assert!(!reader.must_read(AT_ONCE).await.is_restart, "once");
}

#[tokio::test]
async fn a_log_that_was_trimmed_to_nothing_is_read_anew() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let mut reader = Reader::new(at(server.port()));
    append(&reader.log, 0..10).await;
    reader.catch_up().await;
    append(&reader.log, 10..11).await;
    server.cli(&["XTRIM", STREAM, "MAXLEN", "0"]);
    assert!(reader.must_read(PATIENT).await.is_restart);
    append(&reader.log, 11..12).await;
    let page = reader.must_read(AT_ONCE).await;
    assert_eq!((page.entries, page.is_restart), (vec![entry(11)], false));
}

#[tokio::test]
async fn a_log_that_was_restored_from_a_backup_is_read_anew() {
    if is_missing("redis-server") {
        return;
    }
    let mut server = RedisServer::start();
    let mut reader = Reader::new(at(server.port()));
    append(&reader.log, 0..10).await;
    let backup = server.backup();
    append(&reader.log, 10..20).await;
    reader.catch_up().await;
    server.restore(backup.path());
    let page = reader.must_read(PATIENT).await;
    assert!(page.is_restart && page.entries.len() == 10);
    append(&reader.log, 20..21).await;
    assert_eq!(reader.must_read(AT_ONCE).await.entries, [entry(20)]);
}

#[tokio::test]
async fn a_log_that_was_emptied_is_read_anew_and_gets_another_incarnation() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    for lost in [vec!["FLUSHALL"], vec!["DEL", MARKER], vec!["DEL", STREAM]] {
        let mut reader = Reader::new(at(server.port()));
        append(&reader.log, 0..10).await;
        reader.catch_up().await;
        let before = reader.cursor.unwrap().incarnation();
        server.cli(&lost);
        assert!(reader.must_read(PATIENT).await.is_restart, "{lost:?}");
        let is_other = reader.cursor.unwrap().incarnation() != before;
        assert_eq!(is_other, !lost.contains(&STREAM), "{lost:?}");
        append(&reader.log, 10..11).await;
        reader.catch_up().await;
        assert_eq!(reader.restarts, 1, "{lost:?}");
        assert!(has(&reader, "10"), "{lost:?}");
    }
}

#[tokio::test]
async fn a_log_that_is_emptied_while_a_reader_waits_is_read_anew() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let (mut reader, writer) = (Reader::new(at(server.port())), at(server.port()));
    append(&writer, 0..10).await;
    reader.catch_up().await;
    let emptied = async {
        a_reader_waits_at(&server).await;
        server.cli(&["FLUSHALL"]);
        append(&writer, 10..12).await;
    };
    let (_, ()) = tokio::join!(reader.must_read(PATIENT), emptied);
    reader.catch_up().await;
    assert_eq!((reader.restarts, missed(&reader, names(0..12)).len()), (1, 0));
}

#[tokio::test]
async fn things_that_are_no_entries_are_counted_and_stop_nobody() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let mut reader = Reader::new(at(server.port()));
    append(&reader.log, 0..1).await;
    server.cli(&["XADD", STREAM, "*", "other", "x"]);
    server.cli(&["XADD", STREAM, "*", "e", "{}"]);
    server.cli(&["XADD", STREAM, "*", "e", &entry("beside").to_json(), "note", "by hand"]);
    server.script(&format!("XADD {STREAM} * e \"\\xff\\xfe\"\n"));
    append(&reader.log, 1..2).await;
    reader.catch_up().await;
    assert_eq!((reader.seen.len(), reader.unreadable, reader.restarts), (3, 3, 0));
    // One that comes while a reader waits does not end its waiting without a page.
    server.cli(&["XADD", STREAM, "*", "other", "x"]);
    assert_eq!(reader.must_read(PATIENT).await.unreadable, 1);
}

/// Five nodes full of the server's tree, as only whole ones are trimmed.
fn entries_of_old(server: &RedisServer) {
    let line = |number: usize| format!("XADD {STREAM} {}-0 e x", 1_000_000_000_000 + number);
    server.script(&(1..=500).map(line).collect::<Vec<_>>().join("\n"));
}

#[tokio::test]
async fn entries_go_when_their_time_is_over() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    entries_of_old(&server);
    let log = at(server.port());
    append(&log, 0..1).await; // learns what time it is
    append(&log, 1..2).await;
    assert!(server.cli(&["XLEN", STREAM]).parse::<usize>().unwrap() <= 102);
    let mut reader = Reader::new(log);
    reader.catch_up().await;
    assert_eq!(reader.seen.len(), 2);
}

#[tokio::test]
async fn an_instance_with_a_shorter_horizon_trims_nothing_early() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let centuries = at(server.port()).horizon(Duration::from_secs(500 * 365 * 24 * 3600));
    append(&centuries, 0..1).await;
    server.cli(&["DEL", STREAM]);
    entries_of_old(&server);
    let hour = at(server.port()).horizon(Duration::from_secs(3600));
    append(&hour, 1..2).await;
    append(&hour, 2..3).await;
    assert_eq!(server.cli(&["XLEN", STREAM]), "502");
}

#[tokio::test]
async fn an_entry_from_the_future_does_not_trim_the_others() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let mut reader = Reader::new(at(server.port()));
    append(&reader.log, 0..200).await;
    server.cli(&["XADD", STREAM, "9999999999999-0", "e", "x"]);
    append(&reader.log, 200..201).await;
    append(&reader.log, 201..202).await;
    reader.catch_up().await;
    assert_eq!((reader.seen.len(), reader.unreadable), (202, 1));
}

// Replicas.

/// A master, and its replica behind a proxy.
async fn master_and_replica() -> (RedisServer, RedisServer, Proxy) {
    let master = RedisServer::start_with(&[("repl-diskless-sync-delay", "0")]);
    let proxy = Proxy::before(master.port()).await;
    let replica = RedisServer::start_with(&[("replicaof", &format!("127.0.0.1 {}", proxy.port()))]);
    until("the replica is known", || master.cli(&["INFO", "replication"]).contains("state=online")).await;
    until("the replica is linked", || replica.cli(&["INFO", "replication"]).contains("master_link_status:up")).await;
    (master, replica, proxy)
}

/// A reader that has read twenty entries, at a replica that was promoted and has ten of them.
async fn promoted() -> (Reader, RedisServer) {
    let (mut master, replica, proxy) = master_and_replica().await;
    let mut reader = Reader::new(at(master.port()));
    append(&reader.log, 0..10).await;
    assert!(reader.log.warnings().concat().contains("a failover may lose"), "{:?}", reader.log.warnings());
    until("ten entries are replicated", || replica.cli(&["XLEN", STREAM]) == "10").await;
    proxy.hold();
    append(&reader.log, 10..20).await;
    reader.catch_up().await;
    assert_eq!(reader.seen.len(), 20);
    master.kill();
    replica.cli(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(replica.cli(&["XLEN", STREAM]), "10", "acknowledged entries are lost");
    let port = replica.port();
    (moved_to(reader, at(port)), replica)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_replica_that_lacks_entries_is_read_anew() {
    if is_missing("redis-server") {
        return;
    }
    let (mut reader, _replica) = promoted().await;
    let page = reader.must_read(PATIENT).await;
    assert!(page.is_restart && page.entries.len() == 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_replica_that_was_written_to_since_is_read_anew() {
    if is_missing("redis-server") {
        return;
    }
    let (mut reader, replica) = promoted().await;
    // Its clock is behind the old master's: one of these entries is before the reader's cursor, one behind it.
    let cursor = reader.cursor.unwrap().position() >> 64;
    let last: u128 =
        replica.cli(&["XREVRANGE", STREAM, "+", "-", "COUNT", "1"]).split('-').next().unwrap().parse().unwrap();
    replica.cli(&["XADD", STREAM, &format!("{last}-999"), "e", &entry("early").to_json()]);
    replica.cli(&["XADD", STREAM, &format!("{}-0", cursor + 1), "e", &entry("late").to_json()]);
    reader.catch_up().await;
    assert_eq!(reader.restarts, 1);
    assert!(has(&reader, "early") && has(&reader, "late"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_promoted_replica_lacks_is_appended_anew_by_who_revoked_it() {
    if is_missing("redis-server") {
        return;
    }
    let (mut master, replica, replication) = master_and_replica().await;
    let way = Proxy::before(master.port()).await;
    let session = |name| Revocation::session("https://a.test", name);
    let revocations = Revocations::builder(at(way.port())).start().unwrap();
    revocations.require(PATIENT).await.unwrap();
    revocations.revoke(session("kept")).await.unwrap();
    let is_there = |name| replica.cli(&["XRANGE", STREAM, "-", "+"]).contains(name);
    until("the replica has it", || is_there("kept")).await;
    replication.hold();
    revocations.revoke(session("lost")).await.unwrap();
    master.kill();
    replica.cli(&["REPLICAOF", "NO", "ONE"]);
    assert!(!is_there("lost"), "an acknowledged entry is lost");

    way.lead_to(replica.port());
    until("it is appended again", || is_there("lost")).await;
    let later = Revocations::builder(at(replica.port())).start().unwrap();
    later.require(PATIENT).await.unwrap();
    for (view, name) in [(revocations.view(), "kept"), (revocations.view(), "lost"), (later.view(), "lost")] {
        assert!(holds(view, &session(name)), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_have_to_acknowledge_do_or_it_is_an_error() {
    if is_missing("redis-server") {
        return;
    }
    let (master, _replica, proxy) = master_and_replica().await;
    let log = at(master.port()).acknowledged_by(1);
    log.append(&[entry(0)]).await.unwrap();
    assert!(log.warnings().is_empty(), "{:?}", log.warnings());
    proxy.hold();
    let error = log.append(&[entry(1)]).await.unwrap_err();
    assert!(error.to_string().contains("0 of 1 replicas"), "{error}");
    proxy.open();
    log.append(&[entry(2)]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_is_refused() {
    if is_missing("redis-server") {
        return;
    }
    let (_master, replica, _proxy) = master_and_replica().await;
    refused(at(replica.port()).read(None, AT_ONCE).await, "is a replica");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_becomes_a_replica_confirms_nothing_any_more() {
    if is_missing("redis-server") {
        return;
    }
    let (master, other) = (RedisServer::start(), RedisServer::start());
    let mut reader = Reader::new(at(master.port()));
    append(&reader.log, 0..1).await;
    reader.catch_up().await;
    let demoted = async {
        a_reader_waits_at(&master).await;
        master.cli(&["REPLICAOF", "127.0.0.1", &other.port().to_string()]);
    };
    let (read, ()) = tokio::join!(reader.read(PATIENT), demoted);
    assert_eq!(read.unwrap_err().kind(), LogErrorKind::Unavailable);
    assert!(reader.read(AT_ONCE).await.is_err());
    assert!(reader.log.append(&[entry(1)]).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_becomes_a_replica_confirms_nothing_on_a_connection_that_it_keeps() {
    if is_missing("redis-server") {
        return;
    }
    let (server, other) = (RedisServer::start(), RedisServer::start());
    let mut reader = Reader::new(at(server.port()));
    append(&reader.log, 0..1).await;
    reader.catch_up().await;
    assert!(reader.must_read(AT_ONCE).await.is_last);
    server.cli(&["REPLICAOF", "127.0.0.1", &other.port().to_string()]);
    refused(reader.read(AT_ONCE).await, "is a replica");
    server.cli(&["REPLICAOF", "NO", "ONE"]);
    assert!(reader.must_read(AT_ONCE).await.is_last);
}

// What is refused, and what is warned about.

#[tokio::test]
async fn a_server_that_evicts_what_does_not_expire_is_refused_at_each_connection() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start_with(&[("maxmemory-policy", "allkeys-lru")]);
    refused(at(server.port()).read(None, AT_ONCE).await, "maxmemory-policy is allkeys-lru");
    let trusting = at(server.port()).danger_trust_eviction_policy();
    trusting.append(&[entry(0)]).await.unwrap();
    assert!(trusting.warnings().concat().contains("was not checked"), "{:?}", trusting.warnings());
    server.cli(&["CONFIG", "SET", "maxmemory-policy", "volatile-lru"]);
    let log = at(server.port());
    log.read(None, AT_ONCE).await.unwrap();
    server.cli(&["CONFIG", "SET", "maxmemory-policy", "allkeys-random"]);
    log.read(None, AT_ONCE).await.unwrap();
    server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    refused(log.read(None, AT_ONCE).await, "allkeys-random");
}

#[tokio::test]
async fn a_cache_on_the_same_server_evicts_no_entry() {
    if is_missing("redis-server") {
        return;
    }
    let server =
        RedisServer::start_with(&[("maxmemory", "8mb"), ("maxmemory-policy", "volatile-lru"), ("appendonly", "no")]);
    let mut reader = Reader::new(at(server.port()));
    append(&reader.log, 0..200).await;
    let value = "x".repeat(10_000);
    let line = |key: usize| format!("SET cache:{key} {value} EX 1000");
    server.script(&(0..2000).map(line).collect::<Vec<_>>().join("\n"));
    assert!(
        server
            .cli(&["INFO", "stats"])
            .lines()
            .any(|line| line.starts_with("evicted_keys:") && line != "evicted_keys:0")
    );
    append(&reader.log, 200..400).await;
    reader.catch_up().await;
    assert_eq!((reader.seen.len(), reader.restarts), (400, 0));
}

#[tokio::test]
async fn a_server_without_memory_refuses_writes_and_can_be_read() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let mut reader = Reader::new(at(server.port()));
    append(&reader.log, 0..1).await;
    server.cli(&["CONFIG", "SET", "maxmemory", "1mb"]);
    let error = reader.log.append(&[entry(1)]).await.unwrap_err();
    assert!(error.to_string().contains("no memory left"), "{error}");
    let mut other = Reader::new(at(server.port()));
    for reader in [&mut reader, &mut other] {
        reader.catch_up().await;
        assert_eq!(reader.seen.len(), 1);
    }
}

#[tokio::test]
async fn a_key_with_an_expiry_is_refused() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    append(&at(server.port()), 0..1).await;
    for key in [STREAM, MARKER] {
        server.cli(&["EXPIRE", key, "1000"]);
        refused(at(server.port()).read(None, AT_ONCE).await, "PERSIST");
        server.cli(&["PERSIST", key]);
        at(server.port()).read(None, AT_ONCE).await.unwrap();
    }
}

#[tokio::test]
async fn keys_of_somebody_else_are_refused_and_another_name_is_fine() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    server.cli(&["SET", STREAM, "x"]);
    refused(at(server.port()).read(None, AT_ONCE).await, "something else");
    let (a, b) = (at(server.port()).name("a"), at(server.port()).name("b"));
    append(&a, 0..1).await;
    assert_eq!(b.read(None, AT_ONCE).await.unwrap().entries.len(), 0);
    server.cli(&["HSET", "{b}:log", "incarnation", "x"]);
    let error = at(server.port()).name("b").read(None, AT_ONCE).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Corrupt);
}

#[tokio::test]
async fn settings_that_lose_acknowledged_entries_are_warned_about() {
    if is_missing("redis-server") {
        return;
    }
    let rows = [
        ([("appendonly", "no"), ("appendfsync", "always")], "appendonly is off"),
        ([("appendonly", "yes"), ("appendfsync", "everysec")], "appendfsync is everysec"),
        ([("appendonly", "yes"), ("appendfsync", "no")], "appendfsync is no"),
    ];
    for (settings, words) in rows {
        let server = RedisServer::start_with(&settings);
        let log = at(server.port());
        assert!(log.warnings().is_empty(), "nothing is known yet");
        append(&log, 0..1).await;
        let warnings = log.warnings();
        assert!(warnings.len() == 1 && warnings[0].contains(words), "{warnings:?}");
    }
}

// Who may.

/// The documented permissions.
const PERMISSIONS: &str = "resetkeys ~{portcullis}:* -@all +multi +exec +hsetnx +hgetall +xadd +xtrim +xread +xrange +xrevrange +pttl +time \
                           +role +info +config|get +wait +select";

fn with_user(server: &RedisServer, permissions: &str) {
    let words = ["ACL", "SETUSER", "portcullis", "reset", "on", ">s3cret/%"].into_iter().chain(permissions.split(' '));
    assert_eq!(server.cli(&words.collect::<Vec<_>>()), "OK");
}

#[tokio::test]
async fn a_user_needs_the_documented_permissions_and_no_others() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    with_user(&server, PERMISSIONS);
    let by_url = RedisLog::new(&format!("redis://portcullis:s3cret%2F%25@localhost:{}/3", server.port()))
        .unwrap()
        .acknowledged_by(0);
    let log = || at(server.port()).credentials("portcullis", "s3cret/%");
    for mut reader in [Reader::new(by_url), Reader::new(log())] {
        append(&reader.log, 0..2).await;
        append(&reader.log, 2..4).await;
        reader.catch_up().await;
        assert_eq!(reader.seen.len(), 4);
        assert!(reader.log.warnings().is_empty());
    }
    for missing in PERMISSIONS.split(' ').filter(|word| word.starts_with('+')) {
        if ["+info", "+config|get", "+wait", "+select"].contains(&missing) {
            continue;
        }
        with_user(&server, PERMISSIONS.replace(missing, "").replace("  ", " ").trim_end());
        let log = log();
        let mut outcome = log.append(&[entry(4)]).await;
        if outcome.is_ok() {
            outcome = log.append(&[entry(5)]).await; // trims
        }
        let outcome = outcome.and(log.read(None, Duration::from_millis(10)).await);
        refused(outcome, "lacks a permission");
    }
}

#[tokio::test]
async fn a_server_that_tells_its_policy_in_one_way_only_is_accepted() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let log = || at(server.port()).credentials("portcullis", "s3cret/%");
    for hidden in ["+info", "+config|get"] {
        with_user(&server, &PERMISSIONS.replace(&format!("{hidden} "), ""));
        log().read(None, AT_ONCE).await.unwrap();
    }
    with_user(&server, &PERMISSIONS.replace("+info +config|get ", ""));
    refused(log().read(None, AT_ONCE).await, "danger_trust_eviction_policy");
    log().danger_trust_eviction_policy().read(None, AT_ONCE).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_shown_nowhere() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start_with(&[("requirepass", "right")]);
    let url = |user: &str| format!("redis://{user}localhost:{}", server.port());
    RedisLog::new(&url(":right@")).unwrap().read(None, AT_ONCE).await.unwrap();
    for user in [":hunter2@", "hunter2:hunter2@", ""] {
        let log = RedisLog::new(&url(user)).unwrap();
        let error = log.read(None, AT_ONCE).await.unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string);
        let shown = format!("{log:?} {error:?} {error} {source:?} {log:#?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        refused(Err(error), "refuses the user or the password");
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_refused() {
    if is_missing("redis-server") {
        return;
    }
    let server = RedisServer::start();
    let log = RedisLog::new(&format!("{}/99", server.url())).unwrap();
    refused(log.read(None, AT_ONCE).await, "refuses the database");
}

#[tokio::test]
async fn what_is_no_redis_is_an_error_soon() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let talking = async {
        let (mut connection, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut connection, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    };
    let log = at(port);
    tokio::select! {
        outcome = log.read(None, AT_ONCE) => {
            assert_eq!(outcome.unwrap_err().kind(), LogErrorKind::Unavailable);
        }
        () = talking => {}
    }
}

#[test]
fn a_url_that_is_none_is_refused_and_shown_nowhere() {
    let rows = [
        "",
        "localhost",
        "http://hunter2@localhost",
        "redis://:hunter2#hunter2@localhost",
        "redis://user:hunter2@localhost:port",
        "redis://user:hunter2@localhost/database",
        "rediss://user:hunter2@localhost/#insecure",
        "redis://user:hunter2@",
        "unix:///run/redis.sock?pass=hunter2",
    ];
    for url in rows {
        let error = RedisLog::new(url).unwrap_err();
        assert_eq!(error.kind(), LogErrorKind::Misconfigured, "{url}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
    for url in ["redis://localhost", "rediss://user:p%40ss@[::1]:7000/3", "valkey://localhost", "valkeys://localhost"] {
        RedisLog::new(url).unwrap();
    }
}

#[tokio::test]
async fn tls_trusts_the_authorities_that_it_is_given() {
    if is_missing("redis-server") || is_missing("openssl") {
        return;
    }
    let server = RedisServer::start_with_tls();
    let log = || RedisLog::new(&server.url()).unwrap();
    let (authority, certificate, key) =
        (server.certificate("ca.pem"), server.certificate("client.pem"), server.certificate("client.key"));
    let known = log().root_certificates(&authority).unwrap().client_certificate(&certificate, &key).unwrap();
    append(&known, 0..1).await;
    assert_eq!(known.read(None, AT_ONCE).await.unwrap().entries, [entry(0)]);
    refused(log().read(None, AT_ONCE).await, "no TLS");
    let by_address = RedisLog::new(&server.url().replace("localhost", "127.0.0.1")).unwrap();
    refused(by_address.root_certificates(&authority).unwrap().read(None, AT_ONCE).await, "no TLS");
    assert!(
        log().root_certificates(&authority).unwrap().read(None, AT_ONCE).await.is_err(),
        "the server wants to know us"
    );
}

#[test]
fn certificates_that_are_none_are_refused() {
    let log = |scheme: &str| RedisLog::new(&format!("{scheme}://localhost")).unwrap();
    for pem in [&b""[..], b"x", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(log("rediss").root_certificates(pem).is_err());
        assert!(log("rediss").client_certificate(pem, pem).is_err());
    }
    let error = log("redis").root_certificates(b"-----BEGIN CERTIFICATE-----").unwrap_err();
    assert!(error.to_string().contains("rediss://"), "{error}");
}

// Clusters.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_entered_by_any_node() {
    if is_missing("redis-server") {
        return;
    }
    let buses = [ReservedPort::new(), ReservedPort::new()];
    let [one, two] = buses
        .each_ref()
        .map(|bus| RedisServer::start_with(&[("cluster-enabled", "yes"), ("cluster-port", &bus.number().to_string())]));
    one.cli(&["CLUSTER", "ADDSLOTSRANGE", "0", "8191"]);
    two.cli(&["CLUSTER", "ADDSLOTSRANGE", "8192", "16383"]);
    let bus = two.cli(&["CONFIG", "GET", "cluster-port"]).lines().last().unwrap().to_owned();
    one.cli(&["CLUSTER", "MEET", "127.0.0.1", &two.port().to_string(), &bus]);
    let is_ok = |node: &RedisServer| node.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok");
    until("the cluster is complete", || is_ok(&one) && is_ok(&two)).await;
    append(&at(one.port()), 0..1).await;
    let mut reader = Reader::new(at(two.port()));
    reader.catch_up().await;
    assert_eq!(reader.seen.len(), 1);
}
