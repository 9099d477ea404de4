//! [`Place`]: where the store and the log of an issuer are.

use std::{path::PathBuf, sync::Arc, time::Duration};

use ::redb::{Database, ReadableTable, TableDefinition};
use portcullis_core::{
    Algorithm,
    policy::TokenSpec,
    revocation::{Level, RevocationLog},
};
use portcullis_issuer::{
    SigningKey, TokenIssuer,
    refresh::{DangerUncheckedSubjects, Family, FamilyId, Millis, RefreshKeys, RefreshStore, Sessions, Tokens},
};
use portcullis_store::{
    JetStreamLog, NatsRefreshStore, PostgresLog, PostgresRefreshStore, RedbLog, RedbRefreshStore, RedisLog,
    RedisRefreshStore, Revocations,
};
use real_servers::{NatsProgram, NatsServer, PostgresServer, RedisServer};
use tempfile::TempDir;

use super::killed::{Killed, Point, Shared};

/// An issuer of its own, as another process would be.
pub(crate) struct Instance<S, L> {
    pub(crate) sessions: Sessions<Killed<S>, Killed<Revocations>, DangerUncheckedSubjects>,
    pub(crate) dies_at: Option<Point>,
    log: Arc<L>,
}

impl<S: RefreshStore, L: RevocationLog> Instance<S, L> {
    fn new(store: S, log: L, dies_at: Option<Point>) -> Self {
        let spec = TokenSpec::new("https://id.test").audience("https://orders.test");
        let issuer = TokenIssuer::new(spec, SigningKey::generate(Algorithm::EdDsa).unwrap()).unwrap();
        let log = Arc::new(log);
        let revocations = Revocations::builder(Shared(Arc::clone(&log))).start().unwrap();
        let (store, revoker) = (Killed { inner: store, dies_at }, Killed { inner: revocations, dies_at });
        let keys = RefreshKeys::new(1, [1; 32]).unwrap();
        Self { sessions: Sessions::new(issuer, store, keys, revoker, DangerUncheckedSubjects), dies_at, log }
    }

    /// Whether the log names the session.
    pub(crate) async fn is_revoked(&self, tokens: &Tokens) -> bool {
        let session = tokens.session().id.session_id();
        let mut cursor = None;
        loop {
            let page = self.log.read(cursor.as_ref(), Duration::ZERO).await.unwrap();
            let mut revocations = page.entries.iter().map(portcullis_core::revocation::RevocationEntry::revocation);
            if revocations.any(|revocation| revocation.level() == Level::Session && revocation.id() == session) {
                return true;
            }
            if page.is_last {
                return false;
            }
            cursor = Some(page.cursor);
        }
    }
}

pub(crate) trait Place {
    type Store: RefreshStore;
    type Log: RevocationLog;

    /// How another process finds it.
    fn name(&self) -> String;

    async fn instance(&self, dies_at: Option<Point>) -> Instance<Self::Store, Self::Log>;

    /// Makes a session older. No instance is there at that time.
    async fn age(&mut self, family: FamilyId, by: Duration);
}

fn earlier(at: Millis, by: Duration) -> Millis {
    Millis::new(at.get() - u64::try_from(by.as_millis()).unwrap())
}

// ---- a file

pub(crate) struct RedbPlace {
    path: PathBuf,
    _folder: Option<TempDir>,
}

impl RedbPlace {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self { path: folder.path().to_owned(), _folder: Some(folder) }
    }

    pub(crate) fn at(path: &str) -> Self {
        Self { path: path.into(), _folder: None }
    }
}

impl Place for RedbPlace {
    type Store = RedbRefreshStore;
    type Log = RedbLog;

    fn name(&self) -> String {
        format!("redb {}", self.path.display())
    }

    async fn instance(&self, dies_at: Option<Point>) -> Instance<RedbRefreshStore, RedbLog> {
        // The instance before may still be on its way out.
        let log = loop {
            match RedbLog::open(self.path.join("log.redb")) {
                Ok(log) => break log,
                Err(error) => assert!(error.to_string().contains("another process"), "{error}"),
            }
            tokio::task::yield_now().await;
        };
        Instance::new(RedbRefreshStore::open(self.path.join("sessions.redb")).unwrap(), log, dies_at)
    }

    async fn age(&mut self, family: FamilyId, by: Duration) {
        const FAMILIES: TableDefinition<'_, u128, &str> = TableDefinition::new("families");
        let file = Database::create(self.path.join("sessions.redb")).unwrap();
        let transaction = file.begin_write().unwrap();
        {
            let (mut families, key) =
                (transaction.open_table(FAMILIES).unwrap(), u128::from_be_bytes(*family.as_bytes()));
            let mut family = Family::from_json(families.get(key).unwrap().unwrap().value()).unwrap();
            family.rotated_at = family.rotated_at.map(|at| earlier(at, by));
            families.insert(key, &*family.to_json()).unwrap();
        }
        transaction.commit().unwrap();
    }
}

// ---- Redis

pub(crate) struct RedisPlace {
    url: String,
    server: Option<RedisServer>,
}

impl RedisPlace {
    pub(crate) fn new() -> Self {
        let server = RedisServer::start();
        Self { url: server.url(), server: Some(server) }
    }

    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), server: None }
    }
}

impl Place for RedisPlace {
    type Store = RedisRefreshStore;
    type Log = RedisLog;

    fn name(&self) -> String {
        format!("redis {}", self.url)
    }

    async fn instance(&self, dies_at: Option<Point>) -> Instance<RedisRefreshStore, RedisLog> {
        Instance::new(RedisRefreshStore::new(&self.url).unwrap(), RedisLog::new(&self.url).unwrap(), dies_at)
    }

    async fn age(&mut self, family: FamilyId, by: Duration) {
        let (server, key) = (self.server.as_ref().unwrap(), format!("{{portcullis}}:family:{}", family.session_id()));
        let at = server.cli(&["HGET", &key, "rotated_at"]);
        let at = earlier(Millis::new(at.trim().trim_matches('"').parse().unwrap()), by).get().to_string();
        server.cli(&["HSET", &key, "rotated_at", &at]);
    }
}

// ---- PostgreSQL

pub(crate) struct PostgresPlace {
    url: String,
    _server: Option<PostgresServer>,
}

impl PostgresPlace {
    pub(crate) fn new() -> Self {
        let server = PostgresServer::start();
        Self { url: server.url(), _server: Some(server) }
    }

    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), _server: None }
    }
}

impl Place for PostgresPlace {
    type Store = PostgresRefreshStore;
    type Log = PostgresLog;

    fn name(&self) -> String {
        format!("postgres {}", self.url)
    }

    async fn instance(&self, dies_at: Option<Point>) -> Instance<PostgresRefreshStore, PostgresLog> {
        Instance::new(PostgresRefreshStore::new(&self.url).unwrap(), PostgresLog::new(&self.url).unwrap(), dies_at)
    }

    async fn age(&mut self, family: FamilyId, by: Duration) {
        let (client, connection) = tokio_postgres::connect(&self.url, tokio_postgres::NoTls).await.unwrap();
        let mut task = tokio::task::JoinSet::new();
        task.spawn(connection);
        let id = u128::from_be_bytes(*family.as_bytes());
        let statement = format!(
            "UPDATE portcullis.refresh_families SET rotated_at = rotated_at - {} WHERE id = '\\x{id:032x}'",
            by.as_millis()
        );
        client.batch_execute(&statement).await.unwrap();
    }
}

// ---- NATS

pub(crate) struct NatsPlace {
    url: String,
    server: Option<NatsServer>,
}

impl NatsPlace {
    pub(crate) fn new(nats: &NatsProgram) -> Self {
        let server = nats.start();
        Self { url: server.url(), server: Some(server) }
    }

    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), server: None }
    }
}

impl Place for NatsPlace {
    type Store = NatsRefreshStore;
    type Log = JetStreamLog;

    fn name(&self) -> String {
        format!("nats {}", self.url)
    }

    async fn instance(&self, dies_at: Option<Point>) -> Instance<NatsRefreshStore, JetStreamLog> {
        Instance::new(NatsRefreshStore::new(&self.url).unwrap(), JetStreamLog::new(&self.url).unwrap(), dies_at)
    }

    async fn age(&mut self, family: FamilyId, by: Duration) {
        let client = async_nats::connect(&self.url).await.unwrap();
        let stream = async_nats::jetstream::new(client).get_stream("KV_portcullis_refresh").await.unwrap();
        let key = format!("$KV.portcullis_refresh.f.{}", family.session_id());
        let row = stream.get_last_raw_message_by_subject(&key).await.unwrap().payload;
        let mut family = Family::from_json(str::from_utf8(&row).unwrap()).unwrap();
        family.rotated_at = family.rotated_at.map(|at| earlier(at, by));
        let answer = self.server.as_ref().unwrap().request(&key, &family.to_json());
        assert!(answer.contains("\"seq\""), "{answer}");
    }
}
