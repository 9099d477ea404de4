//! The log in PostgreSQL, on real servers that are killed, frozen, cut off, restored and misconfigured.
#![cfg(feature = "postgres")]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test may panic, and its tasks end with its runtime"
)]

mod support;

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use portcullis_core::{
    UnixTime,
    revocation::{Cursor, LogError, LogErrorKind, RevocationEntry, RevocationLog},
};
use portcullis_store::PostgresLog;
use portcullis_test::contract::LogReader;
use real_servers::{PgBouncer, PostgresServer, Proxy, is_missing};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use self::support::{
    admin::Admin,
    entries::{entry, entry_until},
    time::{GIVEN_UP, PATIENT, StoppedClock, on_virtual_time, until_answer},
};

// ---------------------------------------------------------------------------------------------------------------- reading and writing

#[tokio::test]
async fn an_entry_that_is_appended_again_changes_nothing_for_two_readers() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::with(&["fsync=on"]);
    let (mut early, mut late) = (reader(&server.url()), reader(&server.url()));
    early.catch_up().await;
    let (log, entries) = (open(&server.url()), entries("a", 3));
    log.append(&entries).await.unwrap();
    log.append(&entries).await.unwrap();
    for reader in [&mut early, &mut late] {
        reader.catch_up().await;
        assert_eq!((reader.seen.len(), reader.restarts), (3, 0));
        assert!(reader.has_all(&entries));
    }
    assert_eq!(log.warnings(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_misses_none_of_800_rows_of_8_writers() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let mut reader = reader(&server.url());
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let log = open(&server.url());
        writers.spawn(async move {
            let entries = entries(&format!("writer-{writer}"), 100);
            for entry in &entries {
                log.append(std::slice::from_ref(entry)).await.unwrap();
            }
            entries
        });
    }
    let mut written = Vec::new();
    while !writers.is_empty() {
        reader.read(Duration::from_millis(10)).await.unwrap();
        while let Some(entries) = writers.try_join_next() {
            written.extend(entries.unwrap());
        }
    }
    reader.catch_up().await;
    assert_eq!(written.len(), 800);
    assert!(reader.has_all(&written), "a gap");
    assert_eq!(reader.restarts, 0);
    let rows = Admin::of(&server).await.numbers("SELECT count(*), max(position) FROM portcullis.revocations").await;
    assert_eq!(rows, [800, 800], "positions have no gaps");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_is_not_over_is_overtaken_by_none() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let mut reader = reader(&server.url());
    reader.catch_up().await;
    let slow = Admin::of(&server).await;
    let slow_entry = entries("slow", 1);
    let append =
        format!("SELECT portcullis.append_revocations(ARRAY['{}'], ARRAY[4000000000])", slow_entry[0].to_json());
    slow.run(&format!("BEGIN; {append}")).await;

    let quick = entries("quick", 1);
    let log = open(&server.url());
    let appending = tokio::spawn({
        let quick = quick.clone();
        async move { log.append(&quick).await }
    });
    let watcher = Admin::of(&server).await;
    until_answer("the quick one waits for the slow one", async || watcher.waiting_for_locks().await == 1).await;
    let page = reader.read(Duration::ZERO).await.unwrap();
    assert!(page.entries.is_empty() && page.is_last, "what is not committed is not read, nor is what comes after it");

    slow.run("COMMIT").await;
    appending.await.unwrap().unwrap();
    reader.catch_up().await;
    assert!(reader.has_all(&slow_entry) && reader.has_all(&quick));

    slow.run(&format!("BEGIN; {append}; ROLLBACK")).await;
    open(&server.url()).append(&entries("after", 1)).await.unwrap();
    reader.catch_up().await;
    assert_eq!(reader.seen.len(), 3);
    let rows = watcher.numbers("SELECT count(*), max(position) FROM portcullis.revocations").await;
    assert_eq!(rows, [3, 3], "what was given up leaves no gap");
}

#[tokio::test]
async fn a_transaction_that_stays_open_in_another_database_hides_nothing() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let mut reader = reader(&server.url());
    reader.catch_up().await;
    let other = Admin::at(&in_database(&server.admin_url(), "postgres")).await;
    other.run("BEGIN; CREATE TABLE nobody_commits ()").await;
    let written = entries("a", 1);
    open(&server.url()).append(&written).await.unwrap();
    reader.catch_up().await;
    assert!(reader.has_all(&written));
}

#[tokio::test]
async fn a_reader_waits_for_its_patience() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let mut reader = reader(&server.url());
    reader.must_catch_up().await;
    let (asked, cursor, patience) = (Instant::now(), reader.cursor, Duration::from_millis(1200));
    let page = reader.must_read(patience).await;
    assert!(page.is_last && page.entries.is_empty() && Some(page.cursor) == cursor);
    assert!(asked.elapsed() >= patience, "{:?}", asked.elapsed());
}

#[tokio::test]
async fn a_reader_that_waits_is_woken_by_the_server_and_does_not_hold_up_writers() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let (log, admin) = (Arc::new(open(&server.url())), Admin::of(&server).await);
    let mut reader = LogReader::new(Arc::clone(&log));
    log.append(&entries("first", 1)).await.unwrap();
    reader.must_catch_up().await;
    // A reader that is not woken asks again after a second, which never passes here.
    let _clock = StoppedClock::new();
    for round in 0..5 {
        let (next, since) = (entries(&format!("next-{round}"), 1), admin.now().await);
        let append = async {
            admin.until_a_reader_waits(&since).await;
            log.append(&next).await.unwrap();
        };
        let (page, ()) = tokio::join!(reader.must_read(PATIENT), append);
        assert_eq!(page.entries, next);
    }
}

#[tokio::test]
async fn a_notification_that_gets_lost_is_made_up_for() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let (log, admin) = (open(&server.url()), Admin::of(&server).await);
    let mut reader = reader(&server.url());
    reader.must_catch_up().await;
    let mute = log.schema_sql().replace("PERFORM pg_notify", "-- ");
    assert_ne!(mute, log.schema_sql(), "readers are no longer notified");
    admin.run(&mute).await;
    let since = admin.now().await;
    let append = async {
        admin.until_a_reader_waits(&since).await;
        log.append(&entries("a", 1)).await.unwrap();
    };
    let (page, ()) = tokio::join!(reader.must_read(PATIENT), append);
    assert_eq!(page.entries, entries("a", 1));
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_nothing_behind_that_hurts_the_next() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let log = open(&server.url());
    let mut reader = reader(&server.url());
    let mut acknowledged = Vec::new();
    for round in 0..60 {
        let some = entries(&format!("given-up-{round}"), 1);
        let short = Duration::from_micros(100 * round);
        if let Ok(appended) = timeout(short, log.append(&some)).await {
            appended.unwrap();
            acknowledged.extend(some);
        }
        let _ = timeout(short, reader.read(PATIENT)).await;
    }
    let last = entries("last", 1);
    log.append(&last).await.unwrap();
    reader.catch_up().await;
    assert!(reader.has_all(&acknowledged) && reader.has_all(&last));
    assert_eq!((reader.restarts, reader.unreadable), (0, 0));
}

#[tokio::test]
async fn what_is_no_entry_is_counted_and_stalls_nobody() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let log = open(&server.url());
    let before = entries("before", 1);
    log.append(&before).await.unwrap();
    let junk = "SELECT portcullis.append_revocations(ARRAY['junk', '', '{\"v\":99}'], ARRAY[4000000000, 4000000000, 4000000000])";
    let admin = Admin::of(&server).await;
    admin.run(junk).await;
    // Behind the end: no part of the log.
    admin.run("INSERT INTO portcullis.revocations VALUES (999, 'junk', now() + interval '1 day', 1)").await;
    let after = entries("after", 1);
    log.append(&after).await.unwrap();
    let mut reader = reader(&server.url());
    reader.catch_up().await;
    reader.catch_up().await;
    assert!(reader.has_all(&before) && reader.has_all(&after));
    assert_eq!((reader.unreadable, reader.restarts), (3, 0));
}

#[tokio::test]
async fn an_entry_that_is_over_is_deleted_with_later_ones() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let log = open(&server.url());
    let over: Vec<_> = (0..3000).map(|at| entry_until(at, UnixTime::from_secs(1_600_000_000 + at))).collect();
    log.append(&over).await.unwrap();
    let (alive, admin) = (entries("alive", 10), Admin::of(&server).await);
    log.append(&alive).await.unwrap();
    let mut reader = reader(&server.url());
    reader.catch_up().await;
    assert_eq!(reader.seen.len(), alive.len(), "what is over is not read");
    for at in 0..20 {
        log.append(&entries(&format!("more-{at}"), 1)).await.unwrap();
        reader.catch_up().await;
    }
    let left = admin.numbers("SELECT count(*), max(position) FROM portcullis.revocations").await;
    assert_eq!(left[1], 3030);
    assert!((1000..1100).contains(&left[0]), "{} are left", left[0]);
    assert_eq!(reader.restarts, 0, "who keeps up does not notice");
    assert!(reader.has_all(&alive));
}

#[tokio::test]
async fn an_entry_is_kept_until_its_time_however_many_come_after_it() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let (log, admin) = (open(&server.url()), Admin::of(&server).await);
    log.read(None, Duration::ZERO).await.unwrap();
    let now = u64::try_from(admin.numbers("SELECT extract(epoch FROM now())::bigint").await[0]).unwrap();
    let [alive, over] = [("alive", now + 3600), ("over", now - 7200)]
        .map(|(name, until)| entry_until(name, UnixTime::from_secs(until)));
    log.append(&[alive.clone(), over.clone()]).await.unwrap();
    log.append(&entries("later", 1100)).await.unwrap();
    log.append(&entries("last", 1)).await.unwrap();
    let mut reader = reader(&server.url());
    reader.catch_up().await;
    assert!(reader.has_all(&[alive]));
    assert!(!reader.has_all(&[over]));
    assert_eq!(admin.numbers("SELECT count(*) FROM portcullis.revocations").await, [1102], "the other is deleted");
}

#[tokio::test]
async fn a_long_log_is_read_in_pages_of_which_one_is_the_last() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let log = open(&server.url());
    let all = entries("a", 10_000);
    log.append(&all).await.unwrap();
    let (mut cursor, mut ends, mut seen) = (None, Vec::new(), 0);
    while ends.last() != Some(&true) {
        let page = log.read(cursor.as_ref(), PATIENT).await.unwrap();
        (cursor, seen) = (Some(page.cursor), seen + page.entries.len());
        ends.push(page.is_last);
    }
    assert_eq!(
        (ends, seen),
        (vec![false, true], 10_000),
        "10 000 fill two pages, and the second one ends where the log does"
    );
}

// ------------------------------------------------------------------------------------------------------------------------------ outages

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_loses_nothing_that_it_acknowledged() {
    if is_missing("postgres") {
        return;
    }
    let mut server = PostgresServer::start();
    let mut reader = reader(&server.url());
    let mut acknowledged = Vec::new();
    for round in 0..2 {
        let stop = Arc::new(AtomicBool::new(false));
        let writing = tokio::spawn(write_until(open(&server.url()), format!("round-{round}"), Arc::clone(&stop)));
        while reader.seen.len() < acknowledged.len() + 100 {
            reader.read(Duration::from_millis(20)).await.unwrap();
        }
        server.kill(); // in the middle of an append
        assert!(reader.read(PATIENT).await.is_err());
        stop.store(true, Ordering::SeqCst);
        acknowledged.extend(writing.await.unwrap());
        server.restart();
        reader.must_catch_up().await;
        assert!(reader.has_all(&acknowledged), "acknowledged, and lost");
    }
    assert_eq!(reader.restarts, 0, "it is the same log");
}

#[tokio::test]
async fn a_server_with_asynchronous_commits_loses_no_revocation_either() {
    if is_missing("postgres") {
        return;
    }
    let mut server = PostgresServer::with(&["fsync=on", "synchronous_commit=off", "wal_writer_delay=10s"]);
    let log = open(&server.url());
    log.read(None, Duration::ZERO).await.unwrap();
    Admin::of(&server).await.run("CREATE TABLE other (n int); INSERT INTO other VALUES (1)").await;
    let written = entries("a", 3);
    log.append(&written).await.unwrap();
    Admin::of(&server).await.run("INSERT INTO other VALUES (2)").await; // as a proof that the server is set up for it
    server.kill();
    server.restart();
    let mut reader = reader(&server.url());
    reader.catch_up().await;
    assert!(reader.has_all(&written));
    assert_eq!(Admin::of(&server).await.numbers("SELECT max(n) FROM other").await, [1], "what was not ours is lost");
    assert!(reader.log.warnings().iter().any(|warning| warning.contains("synchronous_commit")), "and we said so");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_lose_nothing_that_was_acknowledged() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let proxy = Proxy::before(server.port()).await;
    let url = PostgresServer::url_by(proxy.port());
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for writer in 0..2 {
        writers.spawn(write_until(open(&url), format!("writer-{writer}"), Arc::clone(&stop)));
    }
    let mut reader = reader(&url);
    let mut cuts = 0;
    while cuts < 5 {
        let goal = reader.seen.len() + 60;
        while reader.seen.len() < goal {
            let _ = reader.read(Duration::from_millis(20)).await;
        }
        proxy.cut();
        while reader.read(Duration::ZERO).await.is_ok() {}
        proxy.open();
        cuts += 1;
    }
    stop.store(true, Ordering::SeqCst);
    let acknowledged: Vec<_> = writers.join_all().await.concat();
    reader.catch_up().await;
    assert!(acknowledged.len() > 200, "only {}", acknowledged.len());
    assert!(reader.has_all(&acknowledged), "acknowledged, and lost");
    assert_eq!(reader.restarts, 0);
}

#[tokio::test]
async fn a_network_that_swallows_everything_makes_calls_fail_promptly_and_work_again_at_once() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let proxy = Proxy::before(server.port()).await;
    let log = open(&PostgresServer::url_by(proxy.port()));
    let cursor = log.read(None, Duration::ZERO).await.unwrap().cursor;
    log.append(&entries("a", 1)).await.unwrap();
    proxy.hold();
    fails_promptly(&log, &cursor).await;
    proxy.open();
    works_at_once(&log, &cursor).await;
}

#[tokio::test]
async fn a_server_that_hangs_makes_calls_fail_promptly_and_work_again_at_once() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let log = open(&server.url());
    let cursor = log.read(None, Duration::ZERO).await.unwrap().cursor;
    log.append(&entries("a", 1)).await.unwrap();
    server.freeze();
    fails_promptly(&log, &cursor).await;
    server.thaw();
    works_at_once(&log, &cursor).await;
}

#[tokio::test]
async fn a_connection_that_hangs_is_replaced_by_one_that_does_not() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let log = open(&server.url());
    let cursor = log.read(None, Duration::ZERO).await.unwrap().cursor;
    log.append(&entries("a", 1)).await.unwrap();
    let ours = "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE usename = 'service'";
    let ours = Admin::of(&server).await.text(ours).await;
    server.freeze_only(&ours.split(' ').map(|id| id.parse().unwrap()).collect::<Vec<_>>());
    fails_promptly(&log, &cursor).await;
    works_at_once(&log, &cursor).await; // the server lets them go on when it ends
}

#[tokio::test]
async fn a_lock_that_somebody_holds_makes_calls_fail_and_leaves_no_queue() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let log = open(&server.url());
    let cursor = log.read(None, Duration::ZERO).await.unwrap().cursor;
    log.append(&entries("a", 1)).await.unwrap();
    let admin = Admin::of(&server).await;
    admin.run("BEGIN; LOCK TABLE portcullis.revocations").await;
    let clock = StoppedClock::new(); // so it is the server that gives up
    fails(&log, &cursor).await;
    drop(clock);
    assert_eq!(admin.waiting_for_locks().await, 0, "the server has given up as well");
    admin.run("ROLLBACK").await;
    works_at_once(&log, &cursor).await;
}

// ----------------------------------------------------------------------------------------------------- logs that are not what they were

#[tokio::test]
async fn a_log_that_was_restored_from_a_copy_is_read_anew_even_if_it_has_overtaken_the_reader() {
    if is_missing("postgres") {
        return;
    }
    let mut server = PostgresServer::start();
    let log = open(&server.url());
    log.append(&entries("kept", 3)).await.unwrap();
    drop(log);
    server.save();
    open(&server.url()).append(&entries("lost", 3)).await.unwrap();
    let (mut behind, mut overtaken) = (reader(&server.url()), reader(&server.url()));
    behind.catch_up().await;
    overtaken.catch_up().await;
    server.restore();

    let first = entries("first", 2);
    open(&server.url()).append(&first).await.unwrap();
    behind.catch_up().await;
    assert_eq!(behind.restarts, 1, "the log ends before the reader's place");
    assert!(behind.has_all(&first));

    open(&server.url()).append(&entries("more", 5)).await.unwrap();
    overtaken.catch_up().await;
    assert_eq!(overtaken.restarts, 1, "another entry is at the reader's place");
    assert!(overtaken.has_all(&first), "it was written behind the back of the reader");
    for reader in [&mut behind, &mut overtaken] {
        reader.catch_up().await;
        assert_eq!(reader.restarts, 1, "once");
    }
}

#[tokio::test]
async fn a_log_that_was_emptied_or_made_anew_is_read_anew() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let admin = Admin::of(&server).await;
    let log = open(&server.url());
    let mut reader = reader(&server.url());
    for (at, what) in [
        "TRUNCATE portcullis.revocations",
        "DELETE FROM portcullis.revocation_log",
        "TRUNCATE portcullis.revocations, portcullis.revocation_log",
        "DROP TABLE portcullis.revocations",
        "DROP SCHEMA portcullis CASCADE",
        "DROP SCHEMA portcullis CASCADE; CREATE SCHEMA portcullis AUTHORIZATION service",
    ]
    .into_iter()
    .enumerate()
    {
        append(&log, &entries(&format!("before-{at}"), 2)).await;
        reader.catch_up().await;
        reader.restarts = 0;
        admin.run(what).await;
        reader.catch_up().await;
        assert_eq!(reader.restarts, 1, "{what}: nothing has come since, and still it is another log");
        let after = entries(&format!("after-{at}"), 4);
        append(&log, &after).await;
        reader.catch_up().await;
        // If the end stayed where it was, no entry is there that the reader could stand behind, and it restarts once more.
        assert!(reader.restarts <= 2 && reader.has_all(&after), "{what}");
        reader.restarts = 0;
        append(&log, &after).await;
        reader.catch_up().await;
        assert_eq!(reader.restarts, 0, "{what}: that was that");
    }
}

#[tokio::test]
async fn a_history_that_was_trimmed_by_hand_is_read_anew() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let (log, admin) = (open(&server.url()), Admin::of(&server).await);
    log.append(&entries("old", 10)).await.unwrap();
    let mut reader = reader(&server.url());
    reader.catch_up().await;
    let new = entries("new", 10);
    log.append(&new).await.unwrap();
    admin.run("DELETE FROM portcullis.revocations WHERE position <= 15").await;
    reader.catch_up().await;
    assert_eq!(reader.restarts, 1);
    assert!(reader.has_all(&new[5..]));
}

#[tokio::test]
async fn a_standby_is_refused_and_one_that_takes_over_is_read_anew() {
    if is_missing("postgres") {
        return;
    }
    let mut server = PostgresServer::start();
    let log = open(&server.url());
    let written = entries("a", 3);
    log.append(&written).await.unwrap();
    let mut reader = reader(&server.url());
    reader.catch_up().await;

    server.become_standby();
    let refused = [reader.read(Duration::ZERO).await.map(drop), log.append(&written).await];
    for error in refused.map(Result::unwrap_err) {
        // The old connection is gone, and tells that first.
        let error =
            if error.kind() == LogErrorKind::Unavailable { log.append(&written).await.unwrap_err() } else { error };
        assert!(is_misconfigured(&error, "is a standby"), "{error:?}");
    }
    Admin::of(&server).await.run("SELECT pg_promote()").await;
    log.append(&entries("new", 1)).await.unwrap();
    reader.catch_up().await;
    assert_eq!(reader.restarts, 1, "who takes over may lack entries");
    assert_eq!(reader.seen.len(), 4);
}

#[tokio::test]
async fn a_server_that_became_a_standby_behind_pgbouncer_confirms_nothing() {
    if is_missing("postgres") || is_missing("pgbouncer") {
        return;
    }
    let mut server = PostgresServer::start();
    let before = PgBouncer::before(&server);
    let mut reader = reader(&before.url());
    reader.log.append(&entries("a", 3)).await.unwrap();
    reader.catch_up().await;
    assert!(reader.read(Duration::ZERO).await.unwrap().is_last);
    server.become_standby();
    // PgBouncer keeps our connections and reopens its own.
    for _ in 0..5 {
        let error = reader.read(Duration::ZERO).await.unwrap_err();
        assert!(!error.to_string().is_empty());
    }
    Admin::of(&server).await.run("SELECT pg_promote()").await;
    while reader.read(Duration::ZERO).await.is_err() {}
    assert_eq!(reader.seen.len(), 3);
}

// ------------------------------------------------------------------------------------------------------------------------------- set-up

#[tokio::test]
async fn instances_that_start_together_make_one_log() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let mut instances = JoinSet::new();
    for instance in 0..8 {
        let log = open(&server.url());
        instances.spawn(async move {
            let entries = entries(&format!("instance-{instance}"), 1);
            log.append(&entries).await.unwrap();
            (log.read(None, Duration::ZERO).await.unwrap().cursor.incarnation(), entries)
        });
    }
    let (incarnations, written): (HashSet<_>, Vec<_>) = instances.join_all().await.into_iter().unzip();
    assert_eq!(incarnations.len(), 1);
    let mut reader = reader(&server.url());
    reader.catch_up().await;
    assert!(reader.has_all(&written.concat()));
}

#[tokio::test]
async fn services_with_a_schema_each_share_a_database() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let (one, other) = (open(&server.url()), open(&server.url()).schema("of_another").unwrap());
    one.append(&entries("one", 2)).await.unwrap();
    other.append(&entries("other", 1)).await.unwrap();
    assert_eq!(one.read(None, Duration::ZERO).await.unwrap().entries.len(), 2);
    assert_eq!(other.read(None, Duration::ZERO).await.unwrap().entries, entries("other", 1));
    let at_rest = one.read(None, Duration::ZERO).await.unwrap();
    let page = other.read(Some(&at_rest.cursor), Duration::ZERO).await.unwrap();
    assert!(page.is_restart, "a cursor of one log means nothing to another");
}

#[tokio::test]
async fn whoever_is_not_let_in_is_told_why_without_secrets() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let url = server.url();
    let open_as = |user, password| open(&url).credentials(user, password);
    for (log, part) in [
        (open_as("service", "wr0ng"), "28P01"),
        (open_as("unknown-user", "wr0ng"), "28P01"),
        (open(&in_database(&url, "nothing-here")), "3D000"),
        (open(&format!("{url}?sslmode=require")), "ssl = on"),
    ] {
        for error in [log.append(&entries("a", 1)).await.unwrap_err(), log.read(None, PATIENT).await.unwrap_err()] {
            assert!(is_misconfigured(&error, part), "{error:?}");
            is_without_secrets(&format!("{error} {error:?} {log:?}"));
        }
    }
    open_as("service", PostgresServer::password()).append(&entries("a", 1)).await.unwrap();
    let key_values = format!(
        "host=127.0.0.1 port={} dbname=service user=service password={}",
        server.port(),
        PostgresServer::password()
    );
    assert_eq!(open(&key_values).read(None, Duration::ZERO).await.unwrap().entries.len(), 1);
}

#[tokio::test]
async fn a_user_without_rights_is_told_what_it_needs_and_gets_by_with_that() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let admin = Admin::of(&server).await;
    admin.run(&format!("CREATE ROLE small LOGIN PASSWORD '{}'", PostgresServer::password())).await;
    let log = open(&server.url()).credentials("small", PostgresServer::password());
    let error = log.append(&entries("a", 1)).await.unwrap_err();
    assert!(is_misconfigured(&error, "schema_sql"), "{error:?}");

    admin.run(&format!("BEGIN; {}; COMMIT", log.schema_sql())).await;
    for grant in [
        "GRANT USAGE ON SCHEMA portcullis TO small",
        "GRANT SELECT ON ALL TABLES IN SCHEMA portcullis TO small",
        "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA portcullis TO small",
    ] {
        let error = log.append(&entries("a", 1)).await.unwrap_err();
        assert!(is_misconfigured(&error, "GRANT it USAGE"), "{error:?}");
        admin.run(grant).await;
    }
    log.append(&entries("a", 1)).await.unwrap();
    assert_eq!(log.read(None, Duration::ZERO).await.unwrap().entries, entries("a", 1));

    let small = Admin::at(&server.admin_url().replace("//postgres:", "//small:")).await;
    for attempt in [
        "DELETE FROM portcullis.revocations",
        "TRUNCATE portcullis.revocations",
        "UPDATE portcullis.revocations SET entry = ''",
    ] {
        assert!(small.0.batch_execute(attempt).await.is_err(), "{attempt}");
    }
    admin.run(&format!("BEGIN; {}; COMMIT", log.schema_sql())).await; // again
    log.append(&entries("b", 1)).await.unwrap();
}

#[tokio::test]
async fn a_user_cannot_have_functions_of_its_own_run_with_the_rights_of_the_owner() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let (log, admin) = (open(&server.url()), Admin::of(&server).await);
    log.append(&entries("a", 1)).await.unwrap();
    let password = PostgresServer::password();
    admin
        .run(&format!("CREATE ROLE mallory LOGIN PASSWORD '{password}'; CREATE SCHEMA trap AUTHORIZATION mallory"))
        .await;
    admin.run("GRANT USAGE ON SCHEMA portcullis TO mallory").await;
    admin.run("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA portcullis TO mallory").await;
    let mallory = Admin::at(&server.admin_url().replace("//postgres:", "//mallory:")).await;
    // Called as the function that appends calls it, if names are looked up where the caller says.
    mallory
        .run(
            "CREATE FUNCTION trap.random() RETURNS float8 LANGUAGE plpgsql AS \
             'BEGIN TRUNCATE portcullis.revocations; RETURN 0.5; END'",
        )
        .await;
    mallory.run("GRANT USAGE ON SCHEMA trap TO PUBLIC; SET search_path = trap, pg_catalog").await;
    mallory.run("SELECT portcullis.append_revocations(ARRAY['b'], ARRAY[4000000000])").await;
    assert_eq!(admin.numbers("SELECT count(*) FROM portcullis.revocations").await, [2]);
}

#[tokio::test]
async fn settings_that_lose_revocations_are_warned_about() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::with(&["fsync=off", "full_page_writes=off", "synchronous_commit=local"]);
    let log = open(&server.url());
    log.append(&entries("a", 1)).await.unwrap();
    let starts = |part: &str| log.warnings().iter().filter(|warning| warning.contains(part)).count();
    assert_eq!(log.warnings().len(), 3, "{:?}", log.warnings());
    assert_eq!(["fsync = off", "full_page_writes = off", "synchronous_commit"].map(starts), [1, 1, 1]);

    Admin::of(&server).await.run("ALTER TABLE portcullis.revocations SET UNLOGGED").await;
    let log = open(&server.url());
    log.read(None, Duration::ZERO).await.unwrap();
    assert!(log.warnings().iter().any(|warning| warning.contains("UNLOGGED")), "{:?}", log.warnings());
}

#[tokio::test]
async fn a_database_that_cannot_hold_the_log_is_refused() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let admin = Admin::of(&server).await;
    admin.run("CREATE DATABASE latin OWNER service ENCODING 'LATIN1' TEMPLATE template0").await;
    let latin = open(&in_database(&server.url(), "latin"));
    assert!(is_misconfigured(&latin.append(&entries("a", 1)).await.unwrap_err(), "ENCODING 'UTF8'"));

    let log = open(&server.url());
    log.append(&entries("a", 1)).await.unwrap();
    admin.run("UPDATE portcullis.revocation_log SET form = 2").await;
    let later = open(&server.url());
    assert!(is_misconfigured(&later.append(&entries("a", 1)).await.unwrap_err(), "is of form 2"));
    admin.run("UPDATE portcullis.revocation_log SET form = 1, position = 0").await;
    let error = later.append(&entries("a", 1)).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Corrupt, "{error:?}");
    admin.run("DELETE FROM portcullis.revocation_log").await; // as the error says
    append(&later, &entries("b", 1)).await;
    assert_eq!(later.read(None, Duration::ZERO).await.unwrap().entries.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_do_not_fail_by_the_defaults_of_a_database() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let admin = Admin::of(&server).await;
    admin.run("ALTER DATABASE service SET default_transaction_isolation = 'serializable'").await;
    admin.run("ALTER DATABASE service SET default_transaction_read_only = on").await;
    admin.run("ALTER DATABASE service SET search_path = nowhere").await;
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        let log = open(&server.url());
        writers.spawn(async move {
            for at in 0..20 {
                log.append(&entries(&format!("{writer}-{at}"), 1)).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    let mut reader = reader(&server.url());
    reader.catch_up().await;
    assert_eq!(reader.seen.len(), 80);
}

#[tokio::test]
async fn a_certificate_is_trusted_if_the_root_is_given_and_refused_if_not() {
    if is_missing("postgres") || is_missing("openssl") {
        return;
    }
    let server = PostgresServer::with_tls();
    let url = server.url();
    let required = format!("{url}?sslmode=require");
    let trusting = |url: &str| open(url).root_certificates(&server.root_certificate()).unwrap();
    let log = trusting(&required);
    log.append(&entries("a", 1)).await.unwrap();
    assert_eq!(log.read(None, Duration::ZERO).await.unwrap().entries.len(), 1);
    // Who wants no TLS is not let in, see below: so this was encrypted.
    trusting(&required.replace("127.0.0.1", "localhost")).append(&entries("a", 1)).await.unwrap();
    let other_root = PostgresServer::with_tls().root_certificate();
    let elsewhere = format!(
        "host=db.example.com hostaddr=127.0.0.1 port={} user=service dbname=service sslmode=require",
        server.port()
    );
    for (log, part) in [
        (open(&required), "root_certificates"),
        (open(&required).root_certificates(&other_root).unwrap(), "root_certificates"),
        (trusting(&elsewhere).credentials("service", PostgresServer::password()), "host name"),
        (open(&url), "28000"),
    ] {
        let error = log.append(&entries("a", 1)).await.unwrap_err();
        assert!(is_misconfigured(&error, part), "{error:?}");
        is_without_secrets(&format!("{error} {error:?} {log:?}"));
    }
}

#[test]
fn a_configuration_that_cannot_work_is_refused_without_secrets() {
    let good = "postgres://alice:s3cr3t-of-tests@db.example.com/orders?sslmode=require";
    let log = PostgresLog::new(good).unwrap();
    let shown = format!("{log:?}");
    assert!(shown.contains("db.example.com"), "{shown}");
    is_without_secrets(&shown);
    for (url, part) in [
        ("", "names no host"),
        ("postgres:///orders?user=alice", "names no host"),
        ("redis://alice:s3cr3t-of-tests@db.example.com", "cannot be read"),
        ("postgres://alice:s3cr3t-of-tests@db.example.com:many/orders", "cannot be read"),
        ("postgres://alice:s3cr3t-of-tests@db.example.com/orders?sslmode=verify-full", "which verifies"),
        ("postgres://alice:s3cr3t-of-tests@db.example.com/orders?sslrootcert=/ca.pem", "root_certificates"),
        ("postgres://alice:s3cr3t-of-tests@db.example.com/orders?s3cr3t-of-tests=1", "cannot be read"),
        ("host=a,b,c port=1,2 password=s3cr3t-of-tests", "a port"),
        ("hostaddr=127.0.0.1 sslmode=require password=s3cr3t-of-tests", "`host`"),
    ] {
        let error = PostgresLog::new(url).unwrap_err();
        assert!(is_misconfigured(&error, part), "{url}: {error}");
        is_without_secrets(&format!("{error} {error:?}"));
    }
    for name in ["", "Upper", "1st", "pg_own", "a\"; DROP", "a-b", "ä", &"a".repeat(41)] {
        let error = PostgresLog::new(good).unwrap().schema(name).unwrap_err();
        assert!(is_misconfigured(&error, "schema"), "{name}");
    }
    let own = PostgresLog::new(good).unwrap().schema("of_orders").unwrap();
    assert!(!own.schema_sql().contains("portcullis\"") && own.schema_sql().contains("'revocations of of_orders'"));
    for pem in [&b""[..], b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(is_misconfigured(&PostgresLog::new(good).unwrap().root_certificates(pem).unwrap_err(), "PEM"));
    }
    let log = PostgresLog::new(good).unwrap();
    assert_eq!(RevocationLog::horizon(&log), Duration::from_secs(86_400));
    assert_eq!(RevocationLog::horizon(&log.horizon(Duration::from_secs(60))), Duration::from_secs(60));
}

// ----------------------------------------------------------------------------------------------------------------------------- measured

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures, and says so on the standard error"]
async fn measure() {
    let asked = Instant::now();
    let mut server = PostgresServer::with(&["fsync=on"]);
    eprintln!("server started in {:?}", asked.elapsed());
    let log = open(&server.url());
    measure_appends(&log).await;
    let mut reader = measure_reading(&log, &server.url()).await;
    for _ in 0..3 {
        server.kill();
        let _ = reader.read(Duration::ZERO).await;
        let asked = Instant::now();
        server.restart();
        let up = Instant::now();
        reader.read(Duration::ZERO).await.unwrap();
        eprintln!("server up after {:?}, reader back {:?} later", up - asked, up.elapsed());
    }
}

async fn measure_appends(log: &PostgresLog) {
    let asked = Instant::now();
    log.append(&entries("warm", 1)).await.unwrap();
    eprintln!("the log made, and the first append: {:?}", asked.elapsed());
    for size in [1, 32, 500] {
        let mut took: Vec<_> = Vec::new();
        for at in 0..100 {
            let some = entries(&format!("{size}-{at}"), size);
            let asked = Instant::now();
            log.append(&some).await.unwrap();
            took.push(asked.elapsed());
        }
        took.sort();
        eprintln!("append of {size}: median {:?}, 99 of 100 {:?}", took[50], took[98]);
    }
    for at in 0..200 {
        log.append(&entries(&format!("bulk-{at}"), 5000)).await.unwrap();
    }
}

async fn measure_reading(log: &PostgresLog, url: &str) -> LogReader<PostgresLog> {
    let mut reader = reader(url);
    let (asked, mut count, mut is_last) = (Instant::now(), 0, false);
    while !is_last {
        let page = reader.log.read(reader.cursor.as_ref(), Duration::ZERO).await.unwrap();
        (reader.cursor, is_last, count) = (Some(page.cursor), page.is_last, count + page.entries.len());
        if count % 100_000 < 5000 {
            eprintln!("read {count} entries in {:?}", asked.elapsed());
        }
    }
    let mut lags = Vec::new();
    for at in 0..50 {
        log.append(&entries(&format!("lag-{at}"), 1)).await.unwrap();
        let appended = Instant::now();
        reader.read(PATIENT).await.unwrap();
        lags.push(appended.elapsed());
    }
    lags.sort();
    eprintln!("read after append: median {:?}", lags[25]);
    reader
}

// ------------------------------------------------------------------------------------------------------------------------------ helpers

fn open(url: &str) -> PostgresLog {
    PostgresLog::new(url).unwrap()
}

fn reader(url: &str) -> LogReader<PostgresLog> {
    LogReader::new(open(url))
}

fn in_database(url: &str, name: &str) -> String {
    format!("{}/{name}", url.rsplit_once('/').unwrap().0)
}

fn entries(prefix: &str, count: u64) -> Vec<RevocationEntry> {
    (0..count).map(|at| entry(format!("{prefix}-{at}"))).collect()
}

fn is_misconfigured(error: &LogError, part: &str) -> bool {
    error.kind() == LogErrorKind::Misconfigured && error.to_string().contains(part)
}

/// None of what the URLs of these tests have in them beside hosts and ports.
fn is_without_secrets(text: &str) {
    for secret in ["s3cr3t", "wr0ng", "alice", "service:", "\"service\"", "unknown-user", "orders"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

/// Appends, after a connection that was lost at the second attempt.
async fn append(log: &PostgresLog, entries: &[RevocationEntry]) {
    if log.append(entries).await.is_err() {
        log.append(entries).await.unwrap();
    }
}

/// Appends one after the other, whatever happens; gives those that were acknowledged.
async fn write_until(log: PostgresLog, prefix: String, stop: Arc<AtomicBool>) -> Vec<RevocationEntry> {
    let mut acknowledged = Vec::new();
    let mut at = 0;
    while !stop.load(Ordering::SeqCst) {
        at += 1;
        let entry = entry(format!("{prefix}-{at}"));
        match log.append(std::slice::from_ref(&entry)).await {
            Ok(()) => acknowledged.push(entry),
            Err(_) => sleep(Duration::from_millis(5)).await,
        }
    }
    acknowledged
}

async fn fails(log: &PostgresLog, cursor: &Cursor) {
    let entries = entries("while it hangs", 1);
    let (appended, read) = tokio::join!(log.append(&entries), log.read(Some(cursor), PATIENT));
    for error in [appended.unwrap_err(), read.unwrap_err()] {
        assert_eq!(error.kind(), LogErrorKind::Unavailable, "{error:?}");
    }
}

async fn fails_promptly(log: &PostgresLog, cursor: &Cursor) {
    let ((), took) = on_virtual_time(fails(log, cursor)).await;
    assert!(took <= GIVEN_UP, "{took:?}");
}

/// Neither call is given up.
async fn works_at_once(log: &PostgresLog, cursor: &Cursor) {
    let entries = entries("when it works", 1);
    log.append(&entries).await.unwrap();
    let page = log.read(Some(cursor), Duration::ZERO).await.unwrap();
    assert!(!page.is_restart && entries.iter().all(|entry| page.entries.contains(entry)));
}
