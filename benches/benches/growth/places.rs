//! [`Place`]: a store, how it is filled, and how much it takes.

use std::{
    fs,
    io::{BufWriter, Write},
    ops::Range,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use portcullis_issuer::refresh::{Family, RefreshStore};
use portcullis_store::{NatsRefreshStore, PostgresRefreshStore, RedbRefreshStore, RedisRefreshStore};
use real_servers::{NatsProgram, NatsServer, PostgresServer, RedisServer};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::family;

pub trait Place {
    type Store: RefreshStore;

    fn name(&self) -> &'static str;

    /// How many sessions it is meant for, at most.
    fn most(&self) -> u64 {
        u64::MAX
    }

    fn store(&self) -> Self::Store;

    /// Returns how many bytes all sessions take.
    async fn bytes(&self) -> u64;

    /// Opens the sessions of these numbers.
    async fn fill(&mut self, store: &Arc<Self::Store>, numbers: Range<u64>) {
        let now = store.now().await.expect("the store answers");
        let mut under_way = JoinSet::new();
        for number in numbers {
            if under_way.len() >= 512 {
                under_way.join_next().await;
            }
            let store = Arc::clone(store);
            under_way.spawn(async move { store.open(family(number, now)).await.expect("a session is opened") });
        }
        under_way.join_all().await;
    }
}

pub struct RedbPlace(TempDir);

impl RedbPlace {
    pub fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("sessions.redb")
    }
}

impl Place for RedbPlace {
    type Store = RedbRefreshStore;

    fn name(&self) -> &'static str {
        "redb"
    }

    fn store(&self) -> RedbRefreshStore {
        RedbRefreshStore::open(self.file()).expect("a file")
    }

    async fn bytes(&self) -> u64 {
        fs::metadata(self.file()).expect("a file").len()
    }
}

pub struct RedisPlace(RedisServer);

impl RedisPlace {
    pub fn new() -> Self {
        Self(RedisServer::start_with(&[("appendfsync", "everysec")]))
    }
}

impl Place for RedisPlace {
    type Store = RedisRefreshStore;

    fn name(&self) -> &'static str {
        "Redis"
    }

    fn store(&self) -> RedisRefreshStore {
        RedisRefreshStore::new(&self.0.url()).expect("a URL")
    }

    async fn bytes(&self) -> u64 {
        let info = self.0.cli(&["INFO", "memory"]);
        let used = info.lines().find_map(|line| line.trim().strip_prefix("used_memory:"));
        used.and_then(|used| used.parse().ok()).expect("its memory")
    }
}

pub struct PostgresPlace {
    server: PostgresServer,
    /// What it takes without any session.
    empty: u64,
}

impl PostgresPlace {
    pub fn new() -> Self {
        let server = PostgresServer::start();
        Self { empty: server.bytes(), server }
    }
}

impl Place for PostgresPlace {
    type Store = PostgresRefreshStore;

    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn store(&self) -> PostgresRefreshStore {
        PostgresRefreshStore::new(&self.server.url()).expect("a URL")
    }

    async fn bytes(&self) -> u64 {
        self.server.bytes() - self.empty
    }

    /// By `COPY` of the rows that the store writes: one call for each session would take the greater part of an hour for ten million.
    async fn fill(&mut self, store: &Arc<PostgresRefreshStore>, numbers: Range<u64>) {
        let now = store.now().await.expect("the store answers");
        // It creates the table.
        let _is_new = store.open(family(numbers.start, now)).await.expect("a session is opened");
        let columns = "id, form, subject, client_id, share, generation, key_id, idle_until, absolute_until, family";
        let mut psql = Command::new("psql")
            .args([
                &self.server.admin_url(),
                "-qc",
                &format!("COPY portcullis.refresh_families ({columns}) FROM STDIN"),
            ])
            .stdin(Stdio::piped())
            .spawn()
            .expect("psql, which comes with the server");
        let mut rows = BufWriter::new(psql.stdin.take().expect("its input"));
        for number in numbers.start + 1..numbers.end {
            rows.write_all(copied(&family(number, now)).as_bytes()).expect("it reads");
        }
        drop(rows);
        assert!(psql.wait().expect("it ends").success());
    }
}

/// A row in the text form of `COPY`.
fn copied(family: &Family) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (id, share) = (hex(family.id.as_bytes()), hex(family.share.as_bytes()));
    let (subject, client) = (family.log_in.subject(), family.log_in.client_id());
    let (generation, key, idle, absolute) =
        (family.generation, family.key_id, family.idle_until.get(), family.absolute_until.get());
    let text = family.to_json().replace('\\', r"\\");
    format!("\\\\x{id}\t1\t{subject}\t{client}\t\\\\x{share}\t{generation}\t{key}\t{idle}\t{absolute}\t{text}\n")
}

pub struct NatsPlace(NatsServer);

impl NatsPlace {
    pub fn new(program: &NatsProgram) -> Self {
        Self(program.start())
    }
}

impl Place for NatsPlace {
    type Store = NatsRefreshStore;

    fn name(&self) -> &'static str {
        "NATS"
    }

    /// The server keeps an index of all subjects in memory.
    fn most(&self) -> u64 {
        1_000_000
    }

    fn store(&self) -> NatsRefreshStore {
        NatsRefreshStore::new(&self.0.url()).expect("a URL")
    }

    async fn bytes(&self) -> u64 {
        size(&self.0.data())
    }
}

/// Returns how many bytes the files of a folder have.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries
        .map(
            |entry| {
                if entry.path().is_dir() { size(&entry.path()) } else { entry.metadata().map_or(0, |file| file.len()) }
            },
        )
        .sum()
}
