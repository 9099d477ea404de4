//! [`PostgresLog`]: a log in a table of PostgreSQL. Its documentation has the rules.

pub(crate) mod access;
mod append;
pub(crate) mod connection;
pub(crate) mod error;
mod follow;
pub(crate) mod layout;
mod read;
pub(crate) mod survey;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portcullis_core::revocation::{Cursor, LogError, Page, RevocationEntry, RevocationLog};
use tokio::time::Instant;

use self::{
    access::Access,
    connection::{Connection, Lane, promptly},
    follow::POLL,
    layout::Layout,
};

/// A [`RevocationLog`] in PostgreSQL (13 or later), for several instances of a service that share a database.
///
/// It connects when it is first used, and again after any failure. `Debug` shows hosts and ports, but not the user, the
/// password or the database.
///
/// # The rules
///
/// - **An append is one commit**, all of it or nothing, and it is on the server's disk when
///   [`append`](RevocationLog::append) returns. Whatever the server's `synchronous_commit` is, this log commits at
///   least with `on`.
/// - **Positions become visible in order.** A function of the schema assigns them from a row that stays locked until
///   the commit is done. A reader that sees one entry sees all earlier ones, and need not guess which numbers are still
///   to come. The price is that appends run one after the other, each with a flush of the disk.
/// - **A reader proves that it may continue.** Each entry carries a random mark, drawn for its append, and the cursor
///   has the mark of the last entry read. The reader starts again from the beginning, and the page says so, if that
///   entry is gone, is a different one, or is after the end; or if the log was created again, truncated, restored from
///   a backup, or taken over by a standby.
/// - **Notifications only wake readers up.** A waiting reader listens for `NOTIFY`, and also asks every second.
/// - **An entry is deleted once it has been expired for 20 minutes**, a few with each append, except for the newest
///   1000. No one has to clean up.
/// - Reading and appending use separate connections, so neither waits for the other.
/// - Every call ends within about 4 seconds (plus its patience), whatever the server or the network do.
///
/// # What is on the server
///
/// A schema, `portcullis` unless [set otherwise](Self::schema), with two tables and a function. They are created at the
/// first connection, if they do not exist. [`schema_sql`](Self::schema_sql) returns this SQL:
///
/// ```sql
#[doc = include_str!("schema.sql")]
/// ```
///
/// # Rights
///
/// To create the schema, the user needs `CREATE` in the database. Otherwise, an administrator runs the SQL above once, and
/// grants these rights:
///
/// ```sql
/// GRANT USAGE ON SCHEMA portcullis TO service;
/// GRANT SELECT ON ALL TABLES IN SCHEMA portcullis TO service;
/// GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA portcullis TO service;
/// ```
///
/// With these rights, the service can revoke and read, and nothing else: a stolen password cannot undo a revocation.
///
/// # What a crash can lose
///
/// With the default settings, neither `kill -9` of PostgreSQL nor a power failure loses an acknowledged entry. These
/// settings of the server change that:
///
/// - `synchronous_commit = off`: still nothing is lost, because this log commits with `on`.
/// - `fsync = off`: a power failure can lose all entries. The log warns about it.
/// - `full_page_writes = off`: a power failure can lose half-written pages. The log warns about it.
/// - A table that was made `UNLOGGED` by hand: `kill -9` and a power failure lose all entries. The log warns about it.
/// - No `synchronous_standby_names`: if a standby takes over, the newest entries can be lost.
///
/// Every reader notices if a standby or a backup has fewer entries: the entries that it has read stay in force, and the
/// [`Revocations`](crate::Revocations) of each instance append again what they revoked. Instances that start later do not
/// know the rest. With `synchronous_standby_names`, an append waits for a standby, and no entries are missing.
///
/// # Looking at it by hand
///
/// ```sql
/// SELECT position, until, entry::json ->> 'level' AS level, entry FROM portcullis.revocations ORDER BY position DESC LIMIT 20;
/// SELECT * FROM portcullis.revocation_log; -- its length
/// ```
///
/// Write only with `append_revocations`. To empty the log, `TRUNCATE portcullis.revocations`: readers notice, and
/// append again what they revoked themselves. Rows that are *deleted* by hand look like expired ones: readers that know
/// them keep them, new readers never see them. After `VACUUM FULL`, or anything else that rewrites the table, readers
/// start again from the beginning, which only costs time.
///
/// # `PgBouncer`
///
/// Works in every mode except `statement`: each query is its own transaction, no statement is prepared, and nothing is
/// set for the session. In mode `transaction` notifications get lost, so a revocation is read up to a second later, and
/// `PgBouncer` logs a warning for each; use a URL that bypasses it if you can.
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
    access: Access,
    layout: Layout,
    horizon: Duration,
    reader: Lane,
    writer: Lane,
    warnings: Mutex<Vec<String>>,
}

impl PostgresLog {
    /// Returns the log on that server. This only parses the URL.
    ///
    /// `url` is `postgres://user:password@host:port/database?sslmode=require`, or `host=.. port=.. user=.. password=..
    /// dbname=..`; user and password can instead be set with [`credentials`](Self::credentials). Of several hosts
    /// (`host1,host2:5433`) the first one that accepts writes is used. `sslmode` is `require`, `disable` or `prefer`
    /// (the default), which means `disable` on this machine and `require` elsewhere. With TLS, certificate and host
    /// name are always verified.
    ///
    /// # Errors
    ///
    /// If the URL cannot be parsed or names no host. The error does not contain any part of the URL.
    pub fn new(url: &str) -> Result<Self, LogError> {
        Ok(Self {
            access: Access::parse(url)?,
            layout: Layout::default(),
            horizon: crate::DEFAULT_HORIZON,
            reader: Lane::default(),
            writer: Lane::default(),
            warnings: Mutex::default(),
        })
    }

    /// Sets the longest lifetime of tokens whose revocations are remembered. Defaults to 24 hours, the longest default
    /// lifetime of access tokens at the large identity providers.
    #[must_use]
    pub fn horizon(self, horizon: Duration) -> Self {
        Self { horizon, ..self }
    }

    /// Logs in with this user and password instead of those in the URL.
    #[must_use]
    pub fn credentials(mut self, user: &str, password: &str) -> Self {
        self.access.credentials(user, password);
        self
    }

    /// Sets the schema for the log. Defaults to `portcullis`; services that share a database but not their users need
    /// one each.
    ///
    /// # Errors
    ///
    /// If the name does not consist of 1 to 40 lower-case ASCII letters, digits and underscores, or starts with a digit
    /// or `pg_`.
    pub fn schema(self, name: &str) -> Result<Self, LogError> {
        Ok(Self { layout: Layout::parse(name)?, ..self })
    }

    /// Trusts only these certificates, in PEM format, as authorities for the server's certificate. Defaults to those
    /// that the system trusts.
    ///
    /// # Errors
    ///
    /// If the text contains no certificates, or anything that is not a certificate.
    pub fn root_certificates(mut self, pem: &[u8]) -> Result<Self, LogError> {
        self.access.trust(pem)?;
        Ok(self)
    }

    /// Returns the SQL that creates the log, for an administrator to run in one transaction if the service itself may
    /// not create anything. It can be run again: existing objects stay. The rights to grant are listed
    /// [above](Self#rights).
    pub fn schema_sql(&self) -> String {
        self.layout.creation()
    }

    // The code that opens a connection is boxed: its future is large, seldom needed, and would be a part of every
    // call's.

    async fn reading(&self) -> Result<Arc<Connection>, LogError> {
        let open = async {
            let connection = self.open().await?;
            let timeline = survey::timeline(&connection).await?;
            // Before the first query, so that nothing can be appended in between.
            connection.run(&self.layout.listen()).await?;
            Ok(connection.with_timeline(timeline))
        };
        self.reader.connection(Box::pin(open)).await
    }

    async fn writing(&self) -> Result<Arc<Connection>, LogError> {
        self.writer.connection(Box::pin(self.open())).await
    }

    async fn open(&self) -> Result<Connection, LogError> {
        let connection = Connection::open(&self.access).await?;
        let warnings = survey::inspect(&connection, &self.access, &self.layout).await?;
        *self.warnings.lock().unwrap_or_else(PoisonError::into_inner) = warnings;
        Ok(connection)
    }
}

impl fmt::Debug for PostgresLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresLog")
            .field("server", &self.access)
            .field("layout", &self.layout)
            .field("horizon", &self.horizon)
            .finish_non_exhaustive()
    }
}

impl RevocationLog for PostgresLog {
    async fn append(&self, entries: &[RevocationEntry]) -> Result<(), LogError> {
        if entries.is_empty() {
            return Ok(());
        }
        let append = async {
            let connection = self.writing().await?;
            append::append(&connection, &self.layout, entries).await
        };
        promptly(append).await
    }

    async fn read(&self, after: Option<&Cursor>, patience: Duration) -> Result<Page, LogError> {
        let asked_at = Instant::now();
        let first = async {
            let connection = self.reading().await?;
            let news = connection.news();
            Ok((read::page(&connection, &self.layout, after).await?, connection, news))
        };
        let (mut page, connection, mut news) = promptly(first).await?;
        loop {
            let left = patience.saturating_sub(asked_at.elapsed());
            let is_news = !page.entries.is_empty() || page.unreadable > 0 || page.is_restart;
            if is_news || !page.is_last || left.is_zero() {
                return Ok(page);
            }
            news.within(left.min(POLL)).await;
            let cursor = page.cursor;
            page = promptly(read::page(&connection, &self.layout, Some(&cursor))).await?;
        }
    }

    fn horizon(&self) -> Duration {
        self.horizon
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
