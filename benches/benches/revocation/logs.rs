//! The logs.

use std::{
    slice::from_ref,
    time::{Duration, Instant},
};

use portcullis::{
    clock::UnixTime,
    revocation::{Revocation, RevocationEntry, RevocationLog},
};
use portcullis_benches::Options;
use portcullis_store::{JetStreamLog, PostgresLog, RedbLog, RedisLog, Revocations};
use real_servers::{NatsServer, PostgresServer, RedisServer, is_missing};
use tokio::runtime::Runtime;

const LATE: UnixTime = UnixTime::from_secs(4_000_000_000);

/// A row for each log whose server is installed here; returns the seconds that reading each takes.
pub(crate) fn rows(options: &Options, entries: usize) -> Vec<(&'static str, f64)> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let mut read = vec![row(options, &runtime, "redb", entries, || RedbLog::open(&path).expect("a file"))];
    if !is_missing("redis-server") {
        let server = RedisServer::start();
        read.push(row(options, &runtime, "Redis", entries, || RedisLog::new(&server.url()).expect("a URL")));
    }
    if !is_missing("nats-server") {
        let server = NatsServer::start();
        read.push(row(options, &runtime, "JetStream", entries, || JetStreamLog::new(&server.url()).expect("a URL")));
    }
    if !is_missing("postgres") {
        let server = PostgresServer::start();
        read.push(row(options, &runtime, "PostgreSQL", entries, || PostgresLog::new(&server.url()).expect("a URL")));
    }
    read
}

fn row<L: RevocationLog>(
    options: &Options,
    runtime: &Runtime,
    name: &'static str,
    entries: usize,
    open: impl Fn() -> L,
) -> (&'static str, f64) {
    let started = Instant::now();
    runtime.block_on(write(&open(), entries));
    let written = started.elapsed().as_secs_f64();
    let log = open();
    let started = Instant::now();
    runtime.block_on(async {
        let revocations = Revocations::builder(log).canary(Duration::ZERO).start().expect("sound settings");
        revocations.require(Duration::from_secs(120)).await.expect("the log can be read");
        assert!(revocations.health().entries >= entries, "{}", revocations.health().entries);
    });
    let read = started.elapsed().as_secs_f64();
    println!("| {name} | {entries} | {written:.1} | {read:.2} |");
    options.record_ns("revocation", "read", name, read * 1e9, 0);
    (name, read)
}

async fn write(log: &impl RevocationLog, entries: usize) {
    let entry = |at: usize| {
        RevocationEntry::new(Revocation::token("https://login.example.com", &format!("{at:032x}"), LATE), LATE)
    };
    log.append(from_ref(&entry(0))).await.expect("the log can be written");
    for from in (1..entries).step_by(1000) {
        let batch: Vec<_> = (from..entries.min(from + 1000)).map(entry).collect();
        log.append(&batch).await.expect("the log can be written");
    }
}
