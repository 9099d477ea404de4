//! A log in a table of PostgreSQL. The rules are at [`PostgresLog`], where users find them.

mod access;
mod append;
mod connection;
mod error;
mod follow;
mod layout;
mod read;
mod survey;

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
/// # What is on the server
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
    access: Access,
    layout: Layout,
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
    /// used. `sslmode` is `require`; `disable`; or `prefer` (the default), which is `disable` on this machine and `require` elsewhere. With TLS,
    /// certificate and host name are verified always.
    ///
    /// # Errors
    ///
    /// If the URL cannot be read or names no host. The error says nothing of what is in it.
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

    /// The longest life of a token whose revocation is remembered. Defaults to 24 hours: the longest that the large identity providers
    /// give access tokens by default.
    #[must_use]
    pub fn horizon(self, horizon: Duration) -> Self {
        Self { horizon, ..self }
    }

    /// The user and the password to log in with, instead of what the URL says.
    #[must_use]
    pub fn credentials(mut self, user: &str, password: &str) -> Self {
        self.access.credentials(user, password);
        self
    }

    /// The schema to keep the log in. Defaults to `portcullis`; services that share a database but no users need one each.
    ///
    /// # Errors
    ///
    /// If it is not of 1 to 40 lower-case ASCII letters, digits and underscores, or starts with a digit or `pg_`.
    pub fn schema(self, name: &str) -> Result<Self, LogError> {
        Ok(Self { layout: Layout::parse(name)?, ..self })
    }

    /// The certificates, in PEM format, of the only authorities that may vouch for the server. Defaults to those that the system trusts.
    ///
    /// # Errors
    ///
    /// If there is none in it, or something that is no certificate.
    pub fn root_certificates(mut self, pem: &[u8]) -> Result<Self, LogError> {
        self.access.trust(pem)?;
        Ok(self)
    }

    /// The SQL that creates the log, for an administrator to run in one transaction where the service itself may create nothing. It can
    /// be run again: what is there stays. The rights to grant stand [above](Self#rights).
    pub fn schema_sql(&self) -> String {
        self.layout.creation()
    }

    // What opens a connection is boxed: it is large, seldom needed, and would be a part of every call.

    async fn reading(&self) -> Result<Arc<Connection>, LogError> {
        let open = async {
            let connection = self.open().await?;
            let timeline = survey::timeline(&connection).await?;
            // Before the first question, so that nothing comes in between.
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
