//! What happens to servers and networks.

use real_servers::Proxy;

use super::*;

fn log_behind(proxy: &Proxy) -> JetStreamLog {
    JetStreamLog::new(&format!("nats://127.0.0.1:{}", proxy.port())).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_loses_nothing_and_its_reader_is_back_at_once() {
    if is_missing("nats-server") {
        return;
    }
    let mut server = NatsServer::start();
    let writer = log_at(&server);
    let mut reader = Reader::of(log_at(&server));
    writer.append(&entries(0..1)).await.unwrap();
    reader.read_to_end().await;
    let mut quickest = Duration::MAX;
    for round in 1..4 {
        // Entries that were not read before the server is killed.
        for entry in entries(round * 100..round * 100 + 20) {
            writer.append(&[entry]).await.unwrap();
        }
        server.kill();
        assert!(reader.read(Duration::ZERO).await.is_err());
        assert!(writer.append(&entries(0..1)).await.is_err());
        // Long enough for a client that waits longer each time to have fallen behind.
        sleep(Duration::from_millis(600)).await;
        server.restart();
        let up = Instant::now();
        reader.read_to_end().await;
        writer.append(&entries(round..round + 1)).await.unwrap();
        quickest = quickest.min(up.elapsed());
        assert!(reader.has(&entries(round * 100..round * 100 + 20)), "acknowledged, and lost");
    }
    // The quickest of three, because a busy machine delays some; a client that waits longer each time would delay all.
    assert!(quickest < Duration::from_millis(700), "{quickest:?}");
    reader.read_to_end().await;
    assert!(reader.has(&entries(0..4)));
    assert_eq!(reader.restarts, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_waits_hears_of_a_killed_server_at_once() {
    if is_missing("nats-server") {
        return;
    }
    let mut server = NatsServer::start();
    let mut reader = Reader::of(log_at(&server));
    reader.read_to_end().await;
    let kill = async {
        sleep(Duration::from_millis(100)).await; // until the reader waits for sure
        server.kill();
        Instant::now()
    };
    let (outcome, killed) = tokio::join!(reader.read(Duration::from_secs(20)), kill);
    // Much less than the patience of twenty seconds, and enough for a busy machine.
    assert!(outcome.is_err() && killed.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_again_and_again_loses_nothing() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let proxy = Proxy::before(server.port()).await;
    let mut reader = Reader::of(log_behind(&proxy));
    let writer = log_behind(&proxy);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut acknowledged = Vec::new();
        let mut failures = 0;
        for entry in entries(0..1500) {
            while let Err(error) = writer.append(std::slice::from_ref(&entry)).await {
                failures += 1;
                assert!(failures < 2000, "{error}");
                sleep(Duration::from_millis(2)).await;
            }
            acknowledged.push(entry);
        }
        (acknowledged, failures)
    });
    let cuts = async {
        for _ in 0..6 {
            sleep(Duration::from_millis(60)).await;
            proxy.cut();
            sleep(Duration::from_millis(20)).await;
            proxy.open();
        }
    };
    let (mut done, mut read_failures) = (None, 0);
    let reading = async {
        while done.is_none() {
            if reader.read(Duration::from_millis(20)).await.is_err() {
                read_failures += 1;
                sleep(Duration::from_millis(2)).await;
            }
            done = tasks.try_join_next().map(Result::unwrap);
        }
    };
    tokio::join!(cuts, reading);
    let (acknowledged, failures) = done.unwrap();
    reader.read_to_end().await;
    assert!(reader.has(&acknowledged));
    assert_eq!((reader.seen.len(), reader.restarts), (1500, 0));
    assert!(failures > 0 && read_failures > 0, "nothing was cut");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_swallows_everything_is_noticed_and_forgotten() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let proxy = Proxy::before(server.port()).await;
    let mut reader = Reader::of(log_behind(&proxy));
    let writer = log_behind(&proxy);
    writer.append(&entries(0..1)).await.unwrap();
    reader.read_to_end().await;
    proxy.hold();
    // On the connection that there is, and on one that does not come about.
    for _ in 0..2 {
        let asked = Instant::now();
        let one = entries(1..2);
        let (read, appended) = tokio::join!(reader.read(Duration::from_millis(50)), writer.append(&one));
        assert!(read.is_err() && appended.is_err());
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    }
    proxy.open();
    let opened = Instant::now();
    writer.append(&entries(2..3)).await.unwrap();
    reader.read_to_end().await;
    // Less than the four seconds of two calls that are given up; more than a busy machine needs (700 ms were seen).
    assert!(opened.elapsed() < Duration::from_millis(3500), "{:?}", opened.elapsed());
    assert!(reader.has(&entries(2..3)) && reader.restarts == 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_noticed_and_forgotten() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let mut reader = Reader::of(log_at(&server));
    let other = log_at(&server);
    reader.read_to_end().await;
    server.pause();
    // A call that did not give up would never end.
    let one = entries(0..1);
    let (read, appended) = tokio::join!(reader.read(Duration::ZERO), other.append(&one));
    assert!(read.is_err() && appended.is_err());
    server.resume();
    // The first calls may come before the server has come to itself.
    while other.append(&entries(1..2)).await.is_err() {}
    while !reader.read(Duration::ZERO).await.is_ok_and(|page| page.is_last) {}
    assert!(reader.has(&entries(1..2)) && reader.restarts == 0);
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
    let mut reader = Reader::of(log_at(&server));
    reader.read_to_end().await;
    let cursor = reader.cursor;
    server.roll_back();
    // It goes back behind the reader, ...
    let mut early = Reader { cursor, ..Reader::of(log_at(&server)) };
    early.read_to_end().await;
    assert_eq!((early.restarts, early.seen), (1, entries(0..5).into_iter().collect()));
    // ... and has grown beyond it before another one looks, with other entries under the same numbers.
    let writer = log_at(&server);
    for entry in entries(20..40) {
        writer.append(&[entry]).await.unwrap();
    }
    for mut late in [Reader { cursor, ..Reader::of(log_at(&server)) }, Reader { cursor, ..reader }] {
        late.read_to_end().await;
        assert!(late.restarts == 1 && late.has(&entries(20..40)), "entries under old numbers were not seen");
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
    let mut reader = Reader::of(Arc::clone(&log));
    reader.read_to_end().await;
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
    let mut reader = Reader::of(Arc::clone(&log));
    reader.read_to_end().await;
    let _ = server.request(&format!("$JS.API.STREAM.DELETE.{STREAM}"), "");
    assert!(log.append(&entries(0..1)).await.is_err(), "it was not stored");
    log_at(&server).append(&entries(8..9)).await.unwrap();
    reader.read_to_end().await;
    assert!(reader.restarts == 1 && reader.has(&entries(8..9)));
    log.append(&entries(9..10)).await.unwrap();
}

#[tokio::test]
async fn a_stream_that_was_made_anew_and_trimmed_to_where_a_reader_stands_is_read_anew() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let mut reader = Reader::of(log_at(&server));
    for entry in entries(0..5) {
        log_at(&server).append(&[entry]).await.unwrap();
    }
    reader.read_to_end().await;
    let _ = server.request(&format!("$JS.API.STREAM.DELETE.{STREAM}"), "");
    for entry in entries(10..16) {
        log_at(&server).append(&[entry]).await.unwrap();
    }
    // By its numbers, it begins right behind what was read.
    let _ = server.request(&format!("$JS.API.STREAM.PURGE.{STREAM}"), r#"{"seq":6}"#);
    assert_eq!(state(&server, "first_seq"), 6);
    reader.read_to_end().await;
    assert!(reader.restarts == 1 && reader.has(&entries(15..16)));
    reader.read_to_end().await;
    assert_eq!(reader.restarts, 1, "once");
}

#[tokio::test]
async fn a_log_whose_unread_part_was_trimmed_is_read_anew() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let log = Arc::new(log_at(&server));
    let mut reader = Reader::of(log_at(&server));
    let mut at_end = Reader::of(log_at(&server));
    for entry in entries(0..10) {
        log.append(&[entry]).await.unwrap();
        if reader.cursor.is_none() {
            reader.read_to_end().await;
        }
    }
    at_end.read_to_end().await;
    let _ = server.request(&format!("$JS.API.STREAM.PURGE.{STREAM}"), r#"{"seq":6}"#);
    for reader in [&mut reader, &mut at_end] {
        reader.read_to_end().await;
    }
    assert_eq!((reader.restarts, at_end.restarts), (1, 0));
    assert!(reader.has(&entries(5..10)));
    // Who has read everything misses nothing when all of it has had its time, with its connection or a new one.
    let _ = server.request(&format!("$JS.API.STREAM.PURGE.{STREAM}"), "");
    let mut next = Reader { cursor: at_end.cursor, ..Reader::of(log_at(&server)) };
    log.append(&entries(10..11)).await.unwrap();
    for reader in [&mut at_end, &mut next] {
        reader.read_to_end().await;
        assert!(reader.restarts == 0 && reader.has(&entries(10..11)));
    }
}

#[tokio::test]
async fn a_reader_whose_consumer_was_deleted_makes_another() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let writer = log_at(&server);
    let mut reader = Reader::of(log_at(&server));
    reader.read_to_end().await;
    for round in 0..3 {
        let names = server.request(&format!("$JS.API.CONSUMER.NAMES.{STREAM}"), "");
        let names = names.split_once(r#""consumers":["#).unwrap().1.split(']').next().unwrap();
        for name in names.split(',').map(|name| name.trim_matches('"')).filter(|name| !name.is_empty()) {
            let _ = server.request(&format!("$JS.API.CONSUMER.DELETE.{STREAM}.{name}"), "");
        }
        writer.append(&entries(round..round + 1)).await.unwrap();
        reader.read_to_end().await;
        assert!(reader.has(&entries(0..round + 1)));
    }
    assert_eq!(reader.restarts, 0);
}
