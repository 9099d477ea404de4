//! What happens to servers and networks.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use real_servers::Proxy;
use tokio::time::sleep;

use super::*;

fn log_behind(proxy: &Proxy) -> JetStreamLog {
    JetStreamLog::new(&format!("nats://127.0.0.1:{}", proxy.port())).unwrap()
}

#[tokio::test]
async fn a_server_that_is_killed_loses_nothing_and_its_reader_is_back_with_the_next_call() {
    if is_missing("nats-server") {
        return;
    }
    let mut server = NatsServer::start();
    let writer = log_at(&server);
    let mut reader = LogReader::new(log_at(&server));
    writer.append(&entries(0..1)).await.unwrap();
    reader.must_catch_up().await;
    for round in 1..4 {
        // Entries that were not read before the server is killed.
        for entry in entries(round * 100..round * 100 + 20) {
            writer.append(&[entry]).await.unwrap();
        }
        server.kill();
        assert!(reader.read(Duration::ZERO).await.is_err());
        assert!(writer.append(&entries(0..1)).await.is_err());
        // A client that waits longer each time has fallen far behind by now.
        let minute = Duration::from_secs(60);
        on_virtual_time(sleep(minute)).await;
        server.restart();
        reader.must_catch_up().await;
        writer.append(&entries(round..round + 1)).await.unwrap();
        assert!(reader.has_all(&entries(round * 100..round * 100 + 20)), "acknowledged, and lost");
    }
    reader.must_catch_up().await;
    assert!(reader.has_all(&entries(0..4)));
    assert_eq!(reader.restarts, 0);
}

#[tokio::test]
async fn a_reader_that_waits_hears_of_a_killed_server() {
    if is_missing("nats-server") {
        return;
    }
    let mut server = NatsServer::start();
    let mut reader = LogReader::new(log_at(&server));
    reader.must_catch_up().await;
    let kill = async {
        a_reader_waits_at(&server).await;
        server.kill();
    };
    let (outcome, ()) = tokio::join!(reader.read(PATIENT), kill);
    let error = outcome.unwrap_err();
    assert!(error.to_string().contains("connection to NATS was lost"), "{error}");
}

/// Counts of the test below, and its end.
#[derive(Default)]
struct Progress {
    acknowledged: AtomicUsize,
    failed_appends: AtomicUsize,
    failed_reads: AtomicUsize,
    is_over: AtomicBool,
}

impl Progress {
    async fn append(&self, log: &JetStreamLog) {
        while !self.is_over.load(SeqCst) {
            let next = self.acknowledged.load(SeqCst);
            match log.append(&entries(next..next + 1)).await {
                Ok(()) => self.acknowledged.fetch_add(1, SeqCst),
                Err(_) => self.failed_appends.fetch_add(1, SeqCst),
            };
        }
    }

    async fn read(&self, reader: &mut LogReader<JetStreamLog>) {
        while !self.is_over.load(SeqCst) {
            if reader.read(Duration::from_millis(20)).await.is_err() {
                self.failed_reads.fetch_add(1, SeqCst);
            }
        }
    }

    async fn cut(&self, proxy: &Proxy) {
        let goal = self.acknowledged.load(SeqCst) + 200;
        until("more is appended", || self.acknowledged.load(SeqCst) >= goal).await;
        proxy.cut();
        for failures in [&self.failed_appends, &self.failed_reads] {
            let before = failures.load(SeqCst);
            until("the cut is noticed", || failures.load(SeqCst) > before).await;
        }
        proxy.open();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_again_and_again_loses_nothing() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let proxy = Proxy::before(server.port()).await;
    let (writer, mut reader) = (log_behind(&proxy), LogReader::new(log_behind(&proxy)));
    let progress = Arc::new(Progress::default());
    let mut tasks = JoinSet::new();
    tasks.spawn({
        let progress = Arc::clone(&progress);
        async move { progress.append(&writer).await }
    });
    let cuts = async {
        for _ in 0..6 {
            progress.cut(&proxy).await;
        }
        progress.is_over.store(true, SeqCst);
    };
    tokio::join!(cuts, progress.read(&mut reader));
    tasks.join_all().await;
    reader.catch_up().await;
    let acknowledged = progress.acknowledged.load(SeqCst);
    assert!(acknowledged >= 1200 && reader.has_all(&entries(0..acknowledged)));
    assert_eq!(reader.restarts, 0);
}

#[tokio::test]
async fn a_network_that_swallows_everything_is_noticed_and_forgotten() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let proxy = Proxy::before(server.port()).await;
    let mut reader = LogReader::new(log_behind(&proxy));
    let writer = log_behind(&proxy);
    writer.append(&entries(0..1)).await.unwrap();
    reader.must_catch_up().await;
    proxy.hold();
    // On the connection that there is, and on one that does not come about.
    for _ in 0..2 {
        let one = entries(1..2);
        let calls = async { tokio::join!(reader.read(Duration::ZERO), writer.append(&one)) };
        let ((read, appended), took) = on_virtual_time(calls).await;
        assert!(read.is_err() && appended.is_err());
        assert!(took <= GIVEN_UP, "{took:?}");
    }
    proxy.open();
    writer.append(&entries(2..3)).await.unwrap();
    reader.must_catch_up().await;
    assert!(reader.has_all(&entries(2..3)) && reader.restarts == 0);
}

#[tokio::test]
async fn a_server_that_hangs_is_noticed_and_forgotten() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let mut reader = LogReader::new(log_at(&server));
    let other = log_at(&server);
    reader.must_catch_up().await;
    server.pause();
    let one = entries(0..1);
    let calls = async { tokio::join!(reader.read(Duration::ZERO), other.append(&one)) };
    let ((read, appended), took) = on_virtual_time(calls).await;
    assert!(read.is_err() && appended.is_err());
    assert!(took <= GIVEN_UP, "{took:?}");
    server.resume();
    // The first calls may come before the server has come to itself.
    while other.append(&entries(1..2)).await.is_err() {}
    while !reader.read(Duration::ZERO).await.is_ok_and(|page| page.is_last) {}
    assert!(reader.has_all(&entries(1..2)) && reader.restarts == 0);
}

#[tokio::test]
async fn a_log_that_was_rolled_back_is_read_anew() {
    if is_missing("nats-server") {
        return;
    }
    let mut server = NatsServer::start();
    let writer = log_at(&server);
    for entry in entries(0..5) {
        writer.append(&[entry]).await.unwrap();
    }
    server.save();
    for entry in entries(5..10) {
        writer.append(&[entry]).await.unwrap_or_default();
    }
    let mut reader = LogReader::new(log_at(&server));
    reader.must_catch_up().await;
    let cursor = reader.cursor;
    server.roll_back();
    // It goes back behind the reader, ...
    let mut early = LogReader::at(log_at(&server), cursor);
    early.must_catch_up().await;
    assert_eq!((early.restarts, early.seen), (1, entries(0..5).into_iter().collect()));
    // ... and has grown beyond it before another one looks, with other entries under the same numbers.
    let writer = log_at(&server);
    for entry in entries(20..40) {
        writer.append(&[entry]).await.unwrap();
    }
    for mut late in [LogReader::at(log_at(&server), cursor), LogReader { cursor, ..reader }] {
        late.must_catch_up().await;
        assert!(late.restarts == 1 && late.has_all(&entries(20..40)), "entries under old numbers were not seen");
    }
}

#[tokio::test]
async fn a_log_that_was_lost_is_read_anew() {
    if is_missing("nats-server") {
        return;
    }
    let mut server = NatsServer::start();
    let log = Arc::new(log_at(&server));
    log.append(&entries(0..5)).await.unwrap();
    let mut reader = LogReader::new(Arc::clone(&log));
    reader.must_catch_up().await;
    server.lose_everything();
    let _ = log.append(&[]).await;
    let page = loop {
        // The first call may still meet the old connection.
        if let Ok(page) = reader.read(Duration::ZERO).await {
            break page;
        }
    };
    assert!(page.is_restart && page.is_last && page.entries.is_empty());
    log.append(&entries(7..8)).await.unwrap();
    assert_eq!(reader.read(Duration::ZERO).await.unwrap().entries, entries(7..8));
}

#[tokio::test]
async fn a_stream_that_somebody_made_anew_is_read_anew_on_the_same_connection() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let log = Arc::new(log_at(&server));
    log.append(&entries(0..5)).await.unwrap();
    let mut reader = LogReader::new(Arc::clone(&log));
    reader.must_catch_up().await;
    let _ = server.request(&format!("$JS.API.STREAM.DELETE.{STREAM}"), "");
    assert!(log.append(&entries(0..1)).await.is_err(), "it was not stored");
    log_at(&server).append(&entries(8..9)).await.unwrap();
    reader.must_catch_up().await;
    assert!(reader.restarts == 1 && reader.has_all(&entries(8..9)));
    log.append(&entries(9..10)).await.unwrap();
}

#[tokio::test]
async fn a_stream_that_was_made_anew_and_trimmed_to_where_a_reader_stands_is_read_anew() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let mut reader = LogReader::new(log_at(&server));
    for entry in entries(0..5) {
        log_at(&server).append(&[entry]).await.unwrap();
    }
    reader.must_catch_up().await;
    let _ = server.request(&format!("$JS.API.STREAM.DELETE.{STREAM}"), "");
    for entry in entries(10..16) {
        log_at(&server).append(&[entry]).await.unwrap();
    }
    // By its numbers, it begins right behind what was read.
    let _ = server.request(&format!("$JS.API.STREAM.PURGE.{STREAM}"), r#"{"seq":6}"#);
    assert_eq!(state(&server, "first_seq"), 6);
    reader.must_catch_up().await;
    assert!(reader.restarts == 1 && reader.has_all(&entries(15..16)));
    reader.must_catch_up().await;
    assert_eq!(reader.restarts, 1, "once");
}

#[tokio::test]
async fn a_log_whose_unread_part_was_trimmed_is_read_anew() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let log = Arc::new(log_at(&server));
    let mut reader = LogReader::new(log_at(&server));
    let mut at_end = LogReader::new(log_at(&server));
    for entry in entries(0..10) {
        log.append(&[entry]).await.unwrap();
        if reader.cursor.is_none() {
            reader.must_catch_up().await;
        }
    }
    at_end.must_catch_up().await;
    let _ = server.request(&format!("$JS.API.STREAM.PURGE.{STREAM}"), r#"{"seq":6}"#);
    for reader in [&mut reader, &mut at_end] {
        reader.must_catch_up().await;
    }
    assert_eq!((reader.restarts, at_end.restarts), (1, 0));
    assert!(reader.has_all(&entries(5..10)));
    // Who has read everything misses nothing when all of it has had its time, with its connection or a new one.
    let _ = server.request(&format!("$JS.API.STREAM.PURGE.{STREAM}"), "");
    let mut next = LogReader::at(log_at(&server), at_end.cursor);
    log.append(&entries(10..11)).await.unwrap();
    for reader in [&mut at_end, &mut next] {
        reader.must_catch_up().await;
        assert!(reader.restarts == 0 && reader.has_all(&entries(10..11)));
    }
}

#[tokio::test]
async fn a_reader_whose_consumer_was_deleted_makes_another() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let writer = log_at(&server);
    let mut reader = LogReader::new(log_at(&server));
    reader.must_catch_up().await;
    for round in 0..3 {
        let names = server.request(&format!("$JS.API.CONSUMER.NAMES.{STREAM}"), "");
        let names = names.split_once(r#""consumers":["#).unwrap().1.split(']').next().unwrap();
        for name in names.split(',').map(|name| name.trim_matches('"')).filter(|name| !name.is_empty()) {
            let _ = server.request(&format!("$JS.API.CONSUMER.DELETE.{STREAM}.{name}"), "");
        }
        writer.append(&entries(round..round + 1)).await.unwrap();
        reader.must_catch_up().await;
        assert!(reader.has_all(&entries(0..round + 1)));
    }
    assert_eq!(reader.restarts, 0);
}
