//! A log in a table of PostgreSQL. What it promises, and what it creates on the server, is said at [`PostgresLog`].

mod access;
mod connection;
mod error;
mod layout;
mod read;
mod survey;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portcullis_core::revocation::{Cursor, LogError, Page, RevocationEntry, RevocationLog};
use tokio::time::{Instant, timeout};
use tokio_postgres::types::Type;

use self::{
    access::Server,
    connection::{Access, Lane, Session},
    layout::Schema,
};

/// What PostgreSQL may take to answer, connecting included. More than the server's own limit for a statement, so that the usual answer to
/// a long wait is its error, which says what was waited for.
const LIMIT: Duration = Duration::from_secs(4);

/// How often it is asked although it has not called.
const POLL: Duration = Duration::from_secs(1);

/// A [`RevocationLog`] in PostgreSQL (13 or later), for several instances of a service that share a database.
///
/// It connects when it is first used, and again after any failure. `Debug` shows hosts and ports, and neither user, password nor database.
///
/// # The rules
///
/// - **An append is one commit**, all of it or nothing, and it is on the server's disk when [`append`](RevocationLog::append) returns.
///   Whatever the server has as its `synchronous_commit`, this log commits with `on` at least.
/// - **Positions become visible in their order.** A function of the schema hands them out from a row that stays locked until the commit
///   is over. Who sees one entry sees all before it: no reader needs to guess which numbers are still to come. The price is that appends
///   come one after the other, each with a flush of the disk.
/// - **A reader proves that it may go on.** Each entry carries the mark that was drawn for its append, and the cursor has that of the
///   last entry read. If that entry is gone, is another one, or lies behind the end; if the log was created anew, truncated, restored
///   from a backup, or taken over by a standby: then the reader starts anew, and the page says so.
/// - **Calls are a wake-up only.** A reader that waits listens for `NOTIFY`, and asks each second all the same.
/// - **An entry is deleted once it has been over for 20 minutes**, a few with each append, but for the newest 1000. Nobody has to clean up.
/// - Reading and appending have a connection each, so neither waits for the other.
/// - Every call ends within about 4 seconds (plus its patience), whatever the server or the network do.
///
/// # What there is on the server
///
/// A schema, `portcullis` unless [set otherwise](Self::schema), with two tables and a function. They are created at the first
/// connection, unless they are there. This is what [`schema_sql`](Self::schema_sql) gives:
///
/// ```sql
#[doc = include_str!("schema.sql")]
/// ```
///
/// # Rights
///
/// To have it created, the user needs `CREATE` in the database. Otherwise an administrator runs the SQL above, once, and grants:
///
/// ```sql
/// GRANT USAGE ON SCHEMA portcullis TO service;
/// GRANT SELECT ON ALL TABLES IN SCHEMA portcullis TO service;
/// GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA portcullis TO service;
/// ```
///
/// Then the service can revoke and read, and nothing else: a stolen password cannot undo a revocation.
///
/// # What survives what
///
/// | the server's setting | `kill -9` of PostgreSQL | loss of power |
/// |---|---|---|
/// | as delivered | loses nothing | loses nothing |
/// | `synchronous_commit = off` | loses nothing: this log commits with `on` | loses nothing |
/// | `fsync = off` (warned about) | loses nothing | can lose all of it |
/// | `full_page_writes = off` (warned about) | loses nothing | can lose half-written pages |
/// | a table made `UNLOGGED` by hand (warned about) | loses all entries | loses all entries |
/// | a standby without `synchronous_standby_names` takes over | loses the last moments | the same |
///
/// That a standby or a backup lacks something, every reader notices: what it has read stays in force, and each instance's
/// [`Revocations`](crate::Revocations) append again what they revoked. Instances that start later do not know the rest. With
/// `synchronous_standby_names`, an append waits for a standby, and nothing is lacking.
///
/// # Looking at it by hand
///
/// ```sql
/// SELECT position, until, entry::json ->> 'level' AS level, entry FROM portcullis.revocations ORDER BY position DESC LIMIT 20;
/// SELECT * FROM portcullis.revocation_log; -- how far it has come
/// ```
///
/// Leave writing to `append_revocations`. To empty the log, `TRUNCATE portcullis.revocations`: readers notice, and append again what
/// they revoked themselves. Rows that are *deleted* by hand look as if they had expired: readers that know them keep them, new ones never
/// see them. `VACUUM FULL` and whatever else rewrites the table has readers start anew, which costs them time and nothing else.
///
/// # `PgBouncer`
///
/// Works in every mode but `statement`: each question is a transaction of its own, no statement is prepared, and nothing is set for the
/// session. In mode `transaction` the server's calls get lost, so that a revocation is read up to a second later, and `PgBouncer` writes
/// a warning for each; a URL that leads around it is better.
///
/// # Example
///
/// ```no_run
/// use std::time::Duration;
///
/// use portcullis_store::{PostgresLog, Revocations};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let password = "from the environment";
/// let log = PostgresLog::new("postgres://db.example.com/service?sslmode=require")?
///     .credentials("service", password)
///     .horizon(Duration::from_secs(60 * 60)); // no token lives longer than an hour
/// let revocations = Revocations::builder(log).start()?;
/// # Ok(())
/// # }
/// ```
pub struct PostgresLog {
    server: Server,
    schema: Schema,
    horizon: Duration,
    reader: Lane,
    writer: Lane,
    warnings: Mutex<Vec<String>>,
}

impl PostgresLog {
    /// The log on that server, of which only the URL is read now.
    ///
    /// `url` is `postgres://user:password@host:port/database?sslmode=require`, or `host=.. port=.. user=.. password=.. dbname=..`; user
    /// and password can be left to [`credentials`](Self::credentials). Of several hosts (`host1,host2:5433`) the first that takes writes is
    /// used. `sslmode` is `require`; `prefer` (the default), which does without TLS if the server has none, and on this machine; or
    /// `disable`. With TLS, certificate and host name are verified always.
    ///
    /// # Errors
    ///
    /// If the URL cannot be read or names no host. The error says nothing of what is in it.
    pub fn new(url: &str) -> Result<Self, LogError> {
        Ok(Self {
            server: Server::parse(url)?,
            schema: Schema::default(),
            horizon: crate::DEFAULT_HORIZON,
            reader: Lane::default(),
            writer: Lane::default(),
            warnings: Mutex::default(),
        })
    }

    /// The longest life of a token whose revocation is remembered. Defaults to 24 hours: the longest that the large identity providers
    /// give access tokens by default.
    #[must_use]
    pub fn horizon(self, horizon: Duration) -> Self {
        Self { horizon, ..self }
    }

    /// As whom to connect, instead of what the URL says.
    #[must_use]
    pub fn credentials(mut self, user: &str, password: &str) -> Self {
        self.server.credentials(user, password);
        self
    }

    /// The schema to keep the log in. Defaults to `portcullis`; services that share a database but no users need one each.
    ///
    /// # Errors
    ///
    /// If it is not of 1 to 40 lower-case ASCII letters, digits and underscores, or starts with a digit or `pg_`.
    pub fn schema(self, name: &str) -> Result<Self, LogError> {
        Ok(Self { schema: Schema::parse(name)?, ..self })
    }

    /// Who may have signed the server's certificate: one or several certificates as PEM. Defaults to whom the machine trusts; they
    /// are no longer trusted then.
    ///
    /// # Errors
    ///
    /// If there is none in it, or something that is no certificate.
    pub fn root_certificates(mut self, pem: &[u8]) -> Result<Self, LogError> {
        self.server.trust(pem)?;
        Ok(self)
    }

    /// The SQL that creates the log, for an administrator to run in one transaction where the service itself may create nothing. It can
    /// be run again: what is there stays. The rights to grant stand [above](Self#rights).
    pub fn schema_sql(&self) -> String {
        self.schema.creation()
    }

    // What opens a session is boxed: it is large, seldom needed, and would be a part of every call.

    async fn reading(&self) -> Result<Arc<Session>, LogError> {
        let open = async {
            let session = self.open().await?;
            let timeline = survey::timeline(&session).await?;
            // Before the first question, so that nothing comes in between.
            session.run(&self.schema.listen()).await?;
            Ok(session.with_timeline(timeline))
        };
        self.reader.session(Box::pin(open)).await
    }

    async fn writing(&self) -> Result<Arc<Session>, LogError> {
        self.writer.session(Box::pin(self.open())).await
    }

    async fn open(&self) -> Result<Session, LogError> {
        let session = Session::open(&self.server).await?;
        let warnings = survey::inspect(&session, &self.server, &self.schema).await?;
        *self.warnings.lock().unwrap_or_else(PoisonError::into_inner) = warnings;
        Ok(session)
    }
}

impl fmt::Debug for PostgresLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresLog")
            .field("server", &self.server)
            .field("schema", &self.schema)
            .field("horizon", &self.horizon)
            .finish_non_exhaustive()
    }
}

impl RevocationLog for PostgresLog {
    async fn append(&self, entries: &[RevocationEntry]) -> Result<(), LogError> {
        if entries.is_empty() {
            return Ok(());
        }
        let texts: Vec<String> = entries.iter().map(RevocationEntry::to_json).collect();
        let until = |entry: &RevocationEntry| i64::try_from(entry.until().as_secs()).unwrap_or(i64::MAX);
        let untils: Vec<i64> = entries.iter().map(until).collect();
        let append = async {
            let session = self.writing().await?;
            let parameters = [(&texts as _, Type::TEXT_ARRAY), (&untils as _, Type::INT8_ARRAY)];
            session.ask(Access::Writes, &self.schema.append(), &parameters).await
        };
        promptly(append).await.map(drop)
    }

    async fn read(&self, after: Option<&Cursor>, patience: Duration) -> Result<Page, LogError> {
        let asked_at = Instant::now();
        let first = async {
            let session = self.reading().await?;
            let news = session.news();
            Ok((read::page(&session, &self.schema, after).await?, session, news))
        };
        let (mut page, session, mut news) = promptly(first).await?;
        loop {
            let left = patience.saturating_sub(asked_at.elapsed());
            let is_news = !page.entries.is_empty() || page.unreadable > 0 || page.is_restart;
            if is_news || !page.is_last || left.is_zero() {
                return Ok(page);
            }
            news.within(left.min(POLL)).await;
            let cursor = page.cursor;
            page = promptly(read::page(&session, &self.schema, Some(&cursor))).await?;
        }
    }

    fn horizon(&self) -> Duration {
        self.horizon
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn promptly<T>(answer: impl Future<Output = Result<T, LogError>>) -> Result<T, LogError> {
    timeout(LIMIT, answer).await.unwrap_or_else(|_| {
        Err(LogError::unavailable(format!("PostgreSQL does not answer within {} seconds", LIMIT.as_secs())))
    })
}
