//! [`PostgresReplayStore`]: ids of used proofs in a table of PostgreSQL. Its documentation has the rules.

mod layout;
mod survey;

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use portcullis_core::{
    ConfigError, UnixTime,
    authenticator::Attempt,
    metrics::{Measured, Snapshot},
    possession::{Once, ReplayKey, ReplayStore},
    revocation::LogError,
};
use tokio_postgres::{Row, types::Type};

use self::layout::{FORGOTTEN_AT_ONCE, Layout};
use super::{counts::Counts, life, undecided};
use crate::{
    configuration::configuration,
    postgres::{
        access::Access,
        connection::{Connection, Lane, Parameters, Work, promptly},
    },
};

/// Ids of used proofs in PostgreSQL (13 or later), for services with several instances that share a database.
///
/// It connects when it is first used, and again after any failure. Clones share their connections. `Debug` shows hosts and ports, but not the
/// user, the password or the database.
///
/// # The rules
///
/// - **One statement decides**: `INSERT … ON CONFLICT DO NOTHING`. Of any number of instances, one inserts the row. What is acknowledged is
///   committed, so a request takes as long as the disk of the server; Redis is faster.
/// - An id is remembered for a minute longer than its proof is accepted, because the clocks of the instances differ. Rows are deleted a
///   thousand at a time, by the requests that add others.
/// - A server that cannot be reached is an error: the request is answered with 503, and
///   [`Code::ReplayUndecided`](portcullis_core::Code::ReplayUndecided). No statement is repeated.
/// - Up to eight connections are used at once. Every call ends within about 4 seconds, whatever the server or the network do.
///
/// # What is on the server
///
/// A schema, `portcullis` unless [set otherwise](Self::schema), with one table. It is created at the first connection, if it does not exist.
/// [`schema_sql`](Self::schema_sql) returns this SQL:
///
/// ```sql
#[doc = include_str!("schema.sql")]
/// ```
///
/// # Rights
///
/// To create the schema, the user needs `CREATE` in the database. Otherwise, an administrator runs the SQL above once, and grants these
/// rights:
///
/// ```sql
/// GRANT USAGE ON SCHEMA portcullis TO service;
/// GRANT SELECT, INSERT, UPDATE, DELETE ON portcullis.used_proofs TO service;
/// ```
///
/// # What a crash can lose
///
/// With the default settings, neither `kill -9` of PostgreSQL nor a power failure loses what was acknowledged. With `synchronous_commit =
/// off`, `fsync = off` or an `UNLOGGED` table, proofs can be used a second time until their nonces end; the store [warns](Self::warnings).
/// The same is true if a standby takes over that lacks the latest rows.
///
/// # `PgBouncer`
///
/// Works in every mode except `statement`: each step is its own transaction, no statement is prepared, and nothing is set for the session.
///
/// # Example
///
/// ```no_run
/// use portcullis_store::PostgresReplayStore;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let password = "from the environment";
/// let replays = PostgresReplayStore::new("postgres://db.example.com/service?sslmode=require")?.credentials("service", password);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresReplayStore(Arc<Shared>);

struct Shared {
    settings: Settings,
    lanes: Vec<Lane>,
    /// How many questions were asked.
    turn: AtomicUsize,
    /// The second in which ids were last deleted.
    forgot: AtomicU64,
    warnings: Mutex<Vec<String>>,
    counts: Counts,
}

#[derive(Clone)]
struct Settings {
    access: Access,
    layout: Layout,
}

/// How many connections there are at most.
const LANES: usize = 8;

impl PostgresReplayStore {
    /// Returns the store on that server. This only parses the URL.
    ///
    /// `url` is `postgres://user:password@host:port/database?sslmode=require`, or `host=.. port=.. user=.. password=.. dbname=..`; user
    /// and password can instead be set with [`credentials`](Self::credentials). Of several hosts (`host1,host2:5433`) the first one that
    /// accepts writes is used. `sslmode` is `require`, `disable` or `prefer` (the default), which means `disable` on this machine and
    /// `require` elsewhere. With TLS, certificate and host name are always verified.
    ///
    /// # Errors
    ///
    /// If the URL cannot be parsed or names no host. The error does not contain any part of the URL.
    pub fn new(url: &str) -> Result<Self, ConfigError> {
        let access = Access::parse(url).map_err(|error| configuration(&error))?;
        Ok(Self::with(Settings { access, layout: Layout::default() }))
    }

    /// Logs in with this user and password instead of those in the URL.
    #[must_use]
    pub fn credentials(&self, user: &str, password: &str) -> Self {
        let mut settings = self.0.settings.clone();
        settings.access.credentials(user, password);
        Self::with(settings)
    }

    /// Sets the schema for the table. Defaults to `portcullis`; services that share a database need one each.
    ///
    /// # Errors
    ///
    /// If the name does not consist of 1 to 40 lower-case ASCII letters, digits and underscores, or starts with a digit or `pg_`.
    pub fn schema(&self, name: &str) -> Result<Self, ConfigError> {
        Ok(Self::with(Settings { layout: Layout::parse(name)?, ..self.0.settings.clone() }))
    }

    /// Trusts only these certificates, in PEM format, as authorities for the server's certificate. Defaults to those that the system trusts.
    ///
    /// # Errors
    ///
    /// If the text contains no certificates, or anything that is not a certificate.
    pub fn root_certificates(&self, pem: &[u8]) -> Result<Self, ConfigError> {
        let mut settings = self.0.settings.clone();
        settings.access.trust(pem).map_err(|error| configuration(&error))?;
        Ok(Self::with(settings))
    }

    /// Returns the SQL that creates the table, for an administrator to run in one transaction if the service itself may not create
    /// anything. It can be run again: existing objects stay. The rights to grant are listed [above](Self#rights).
    pub fn schema_sql(&self) -> String {
        self.0.settings.layout.creation()
    }

    /// Returns what an operator should know about the server: settings with which it loses what was acknowledged, for example. It is empty
    /// before the first connection.
    pub fn warnings(&self) -> Vec<String> {
        self.0.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn with(settings: Settings) -> Self {
        Self(Arc::new(Shared {
            settings,
            lanes: std::iter::repeat_with(Lane::default).take(LANES).collect(),
            turn: AtomicUsize::new(0),
            forgot: AtomicU64::new(0),
            warnings: Mutex::default(),
            counts: Counts::default(),
        }))
    }
}

impl ReplayStore for PostgresReplayStore {
    fn accept_once(&self, key: ReplayKey, until: UnixTime, now: UnixTime) -> Attempt<Once> {
        let shared = Arc::clone(&self.0);
        Attempt::waiting(async move {
            let answer = match life(until, now) {
                Ok(life) => shared.accept(key, life, now).await.map_err(undecided),
                Err(error) => Err(error),
            };
            shared.counts.count(&answer);
            answer
        })
    }
}

impl Shared {
    async fn accept(&self, key: ReplayKey, life: Duration, now: UnixTime) -> Result<Once, LogError> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let (id, millis) = (key.as_bytes().as_slice(), i64::try_from(life.as_millis()).unwrap_or(i64::MAX));
        let parameters: Parameters<'_> = &[(&id, Type::BYTEA), (&millis, Type::INT8)];
        let inserted = self.ask(turn, &self.settings.layout.accept(), parameters).await?;
        if self.is_time_to_forget(turn, now) {
            // The answer does not depend on it. If it fails, there will be another time.
            let _ = self.ask(turn, &self.settings.layout.forget(), &[]).await;
        }
        Ok(if inserted.is_empty() { Once::Repeated } else { Once::First })
    }

    async fn ask(&self, turn: usize, query: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, LogError> {
        promptly(async {
            // Boxed: the future is large, and seldom needed.
            let connection = self.lanes[turn % self.lanes.len()].connection(Box::pin(self.connect())).await?;
            connection.ask(Work::Writes, query, parameters).await
        })
        .await
    }

    /// Once a second, and more often if more ids are added than are deleted.
    fn is_time_to_forget(&self, turn: usize, now: UnixTime) -> bool {
        let is_next_second = self.forgot.swap(now.as_secs(), Ordering::Relaxed) != now.as_secs();
        is_next_second || (turn as u64).is_multiple_of(FORGOTTEN_AT_ONCE / 2)
    }

    async fn connect(&self) -> Result<Connection, LogError> {
        let Settings { access, layout } = &self.settings;
        let connection = Connection::open(access).await?;
        let warnings = survey::inspect(&connection, access, layout).await?;
        *self.warnings.lock().unwrap_or_else(PoisonError::into_inner) = warnings;
        Ok(connection)
    }
}

/// How many proofs were repeated on this instance, and how often the server could not be asked.
impl Measured for PostgresReplayStore {
    fn measure(&self, source: &str, snapshot: &mut Snapshot) {
        self.0.counts.measure(source, snapshot);
    }
}

impl fmt::Debug for PostgresReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresReplayStore")
            .field("server", &self.0.settings.access)
            .field("layout", &self.0.settings.layout)
            .finish_non_exhaustive()
    }
}
