//! [`PostgresRefreshStore`]: sessions in a table of PostgreSQL. Its documentation has the rules.

pub(crate) mod layout;
mod survey;

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use portcullis_core::{ConfigError, revocation::LogError};
use portcullis_issuer::refresh::{
    EndReason, Family, FamilyId, Millis, Opened, Outcome, RefreshStore, Rotation, Step, StoreError,
};
use tokio_postgres::{Row, types::Type};

use self::layout::{FORGOTTEN_AT_ONCE, Layout};
use crate::{
    configuration::configuration,
    postgres::{
        access::Access,
        connection::{Connection, Lane, Parameters, Work, promptly},
    },
    refresh::unlisted::Unlisted,
};

/// The sessions of an issuer in PostgreSQL (13 or later), for several instances that share a database.
///
/// It connects when it is first used, and again after any failure. `Debug` shows hosts and ports, but not the user, the password or the
/// database.
///
/// # The rules
///
/// - **A step is one statement**, which locks the family's row, decides, and writes only if a token is replaced or the session is
///   prolonged. What is acknowledged is committed.
/// - **The time is the server's**, read after the lock (`clock_timestamp()`).
/// - **A row mints nothing**: it has a digest of what all tokens of the session share.
/// - A session that cannot be read, because a later version wrote it, is left out of a list, and can be ended: `ended` means the same in every
///   version.
/// - Sessions that are over stay until [`Sessions::forget_ended`](portcullis_issuer::refresh::Sessions::forget_ended) is called. Call it once an hour.
/// - Up to eight connections are used at once. Every call ends within about 4 seconds, whatever the server or the network do.
///
/// # What is on the server
///
/// A schema, `portcullis` unless [set otherwise](Self::schema), with three tables. They are created at the first connection, if they do not
/// exist. [`schema_sql`](Self::schema_sql) returns this SQL:
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
/// GRANT SELECT, INSERT, UPDATE, DELETE ON portcullis.refresh_families, portcullis.records TO service;
/// GRANT SELECT, INSERT, UPDATE ON portcullis.signing_keys TO service;
/// ```
///
/// # What a crash can lose
///
/// With the default settings, neither `kill -9` of PostgreSQL nor a power failure loses what was acknowledged. `synchronous_commit = off`
/// loses the last moment, `fsync = off` and an `UNLOGGED` table may lose everything; the store [warns](Self::warnings) about them. If a
/// standby takes over or a backup is restored, clients that refreshed meanwhile go on: their tokens are newer than the table, and only this
/// issuer can have made them.
///
/// # `PgBouncer`
///
/// Works in every mode except `statement`: each step is its own transaction, no statement is prepared, and nothing is set for the session.
///
/// # Example
///
/// ```no_run
/// use portcullis_store::PostgresRefreshStore;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let password = "from the environment";
/// let store = PostgresRefreshStore::new("postgres://db.example.com/service?sslmode=require")?.credentials("service", password);
/// # Ok(())
/// # }
/// ```
pub struct PostgresRefreshStore {
    access: Access,
    layout: Layout,
    lanes: Vec<Lane>,
    turn: AtomicUsize,
    warnings: Mutex<Vec<String>>,
    unlisted: Unlisted,
}

/// How many connections there are at most.
pub(crate) const LANES: usize = 8;

fn lanes(count: usize) -> Vec<Lane> {
    std::iter::repeat_with(Lane::default).take(count).collect()
}

impl PostgresRefreshStore {
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
        Ok(Self {
            access: Access::parse(url).map_err(|error| configuration(&error))?,
            layout: Layout::default(),
            lanes: lanes(LANES),
            turn: AtomicUsize::new(0),
            warnings: Mutex::default(),
            unlisted: Unlisted::default(),
        })
    }

    /// Logs in with this user and password instead of those in the URL.
    #[must_use]
    pub fn credentials(mut self, user: &str, password: &str) -> Self {
        self.access.credentials(user, password);
        self
    }

    /// Sets the schema for the table. Defaults to `portcullis`; issuers that share a database need one each.
    ///
    /// # Errors
    ///
    /// If the name does not consist of 1 to 40 lower-case ASCII letters, digits and underscores, or starts with a digit or `pg_`.
    pub fn schema(self, name: &str) -> Result<Self, ConfigError> {
        Ok(Self { layout: Layout::parse(name)?, ..self })
    }

    /// Trusts only these certificates, in PEM format, as authorities for the server's certificate. Defaults to those that the system trusts.
    ///
    /// # Errors
    ///
    /// If the text contains no certificates, or anything that is not a certificate.
    pub fn root_certificates(mut self, pem: &[u8]) -> Result<Self, ConfigError> {
        self.access.trust(pem).map_err(|error| configuration(&error))?;
        Ok(self)
    }

    /// Returns the SQL that creates the table, for an administrator to run in one transaction if the service itself may not create
    /// anything. It can be run again: existing objects stay. The rights to grant are listed [above](Self#rights).
    pub fn schema_sql(&self) -> String {
        self.layout.creation()
    }

    /// Returns what an operator should know about the server: settings with which it loses what was acknowledged, for example. It is empty
    /// before the first connection.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns another handle to the same server, with up to so many connections of its own.
    pub(crate) fn apart(&self, count: usize) -> Self {
        Self {
            access: self.access.clone(),
            layout: self.layout.clone(),
            lanes: lanes(count),
            turn: AtomicUsize::new(0),
            warnings: Mutex::default(),
            unlisted: Unlisted::default(),
        }
    }

    /// Returns the handle for other tables in the same schema.
    #[cfg(feature = "api-tokens")]
    pub(crate) fn with_part(self, part: &'static layout::Part) -> Self {
        Self { layout: self.layout.with_part(part), ..self }
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) async fn ask(
        &self,
        work: Work,
        query: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        Ok(promptly(async { self.connection().await?.ask(work, query, parameters).await }).await?)
    }

    /// Returns the next connection.
    pub(crate) async fn connection(&self) -> Result<Arc<Connection>, LogError> {
        let lane = &self.lanes[self.turn.fetch_add(1, Ordering::Relaxed) % self.lanes.len()];
        // Boxed: the future is large, and seldom needed.
        lane.connection(Box::pin(self.connect())).await
    }

    async fn connect(&self) -> Result<Connection, LogError> {
        let connection = Connection::open(&self.access).await?;
        let warnings = survey::inspect(&connection, &self.access, &self.layout).await?;
        *self.warnings.lock().unwrap_or_else(PoisonError::into_inner) = warnings;
        Ok(connection)
    }
}

impl RefreshStore for PostgresRefreshStore {
    async fn now(&self) -> Result<Millis, StoreError> {
        layout::now(&one(self.ask(Work::Reads, &Layout::now(), &[]).await?)?)
    }

    async fn open(&self, family: Family) -> Result<Opened, StoreError> {
        let log_in = &family.log_in;
        let rotated_at = family.rotated_at.map(signed);
        let parameters: Parameters<'_> = &[
            (&family.id.as_bytes().as_slice(), Type::BYTEA),
            (&log_in.subject(), Type::TEXT),
            (&log_in.client_id(), Type::TEXT),
            (&family.share.as_bytes().as_slice(), Type::BYTEA),
            (&family.generation.cast_signed(), Type::INT8),
            (&i16::from(family.key_id), Type::INT2),
            (&rotated_at, Type::INT8),
            (&signed(family.idle_until), Type::INT8),
            (&signed(family.absolute_until), Type::INT8),
            (&family.ended.map(EndReason::name), Type::TEXT),
            (&family.to_json(), Type::TEXT),
        ];
        let opened = self.ask(Work::Writes, &self.layout.open(), parameters).await?;
        Ok(if opened.is_empty() { Opened::Exists } else { Opened::New })
    }

    async fn find(&self, family: FamilyId) -> Result<(Option<Family>, Millis), StoreError> {
        let parameters: Parameters<'_> = &[(&family.as_bytes().as_slice(), Type::BYTEA)];
        let row = one(self.ask(Work::Reads, &self.layout.find(), parameters).await?)?;
        Ok((layout::family(&row)?, layout::now(&row)?))
    }

    async fn rotate(&self, step: Step<'_>) -> Result<Outcome, StoreError> {
        let parameters: Parameters<'_> = &[
            (&step.family.as_bytes().as_slice(), Type::BYTEA),
            (&step.share.as_bytes().as_slice(), Type::BYTEA),
            (&step.client_id, Type::TEXT),
            (&step.generation.cast_signed(), Type::INT8),
            (&millis(step.grace), Type::INT8),
            (&millis(step.idle), Type::INT8),
            (&(step.rotation == Rotation::EveryUse), Type::BOOL),
            (&i16::from(step.key_id), Type::INT2),
            (&Step::MOST_LOST_WRITES.cast_signed(), Type::INT8),
            (&millis(step.least_prolongation()), Type::INT8),
        ];
        let rows = self.ask(Work::Writes, &self.layout.rotate(), parameters).await?;
        let Some(row) = rows.first() else { return Ok(Outcome::Unknown) };
        let (outcome, written) = step.decide(layout::family(row)?.as_ref(), layout::now(row)?);
        let is_written: bool = row.try_get("is_written").unwrap_or_default();
        if is_written == written.is_some() {
            return Ok(outcome);
        }
        Err(StoreError::new("PostgreSQL decided about a refresh in another way than this version of Portcullis does"))
    }

    async fn end(&self, family: FamilyId, reason: EndReason) -> Result<(), StoreError> {
        let parameters: Parameters<'_> = &[(&family.as_bytes().as_slice(), Type::BYTEA), (&reason.name(), Type::TEXT)];
        self.ask(Work::Writes, &self.layout.end(), parameters).await.map(drop)
    }

    async fn end_all_of(
        &self,
        subject: &str,
        except: Option<FamilyId>,
        reason: EndReason,
    ) -> Result<Vec<FamilyId>, StoreError> {
        // No family has an empty id.
        let except = except.as_ref().map_or(&[][..], |except| except.as_bytes());
        let parameters: Parameters<'_> =
            &[(&subject, Type::TEXT), (&except, Type::BYTEA), (&reason.name(), Type::TEXT)];
        let rows = self.ask(Work::Writes, &self.layout.end_all_of(), parameters).await?;
        rows.iter().filter(|row| row.try_get("was_live").unwrap_or(true)).map(layout::id).collect()
    }

    async fn families_of(&self, subject: &str) -> Result<Vec<Family>, StoreError> {
        Ok(self.readable_of(subject).await?.0)
    }

    async fn readable_of(&self, subject: &str) -> Result<(Vec<Family>, usize), StoreError> {
        let rows = self.ask(Work::Reads, &self.layout.families_of(), &[(&subject, Type::TEXT)]).await?;
        let families: Vec<_> = rows.iter().filter_map(|row| layout::family(row).ok().flatten()).collect();
        let unreadable = rows.len() - families.len();
        self.unlisted.tell(unreadable);
        Ok((families, unreadable))
    }

    async fn surplus_of(&self, subject: &str, most: usize) -> Result<Vec<FamilyId>, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let parameters: Parameters<'_> = &[(&subject, Type::TEXT), (&most, Type::INT8)];
        let rows = self.ask(Work::Reads, &self.layout.surplus_of(), parameters).await?;
        rows.iter().map(layout::id).collect()
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        let mut forgotten = 0;
        loop {
            let parameters: Parameters<'_> = &[(&signed(before), Type::INT8)];
            let row = one(self.ask(Work::Writes, &self.layout.forget(), parameters).await?)?;
            let some = usize::try_from(row.try_get::<_, i64>("forgotten").unwrap_or_default()).unwrap_or_default();
            forgotten += some;
            if some < FORGOTTEN_AT_ONCE {
                return Ok(forgotten);
            }
        }
    }
}

impl fmt::Debug for PostgresRefreshStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresRefreshStore")
            .field("server", &self.access)
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}

fn one(rows: Vec<Row>) -> Result<Row, StoreError> {
    rows.into_iter().next().ok_or_else(|| StoreError::new("PostgreSQL answers with no row"))
}

/// PostgreSQL's numbers are signed. Instants that far away do not occur.
fn signed(at: Millis) -> i64 {
    i64::try_from(at.get()).unwrap_or(i64::MAX)
}

/// Returns a time in milliseconds, at most a century: so that the server's sums do not overflow.
fn millis(time: Duration) -> i64 {
    i64::try_from(Millis::whole(time).as_millis()).unwrap_or_default()
}

/// The least part of a connection's work that is not SQL.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_beyond_all_bounds_do_not_overflow() {
        assert_eq!(millis(Duration::MAX), 3_153_600_000_000);
        assert_eq!(millis(Duration::from_secs(60)), 60_000);
        assert_eq!(signed(Millis::new(u64::MAX)), i64::MAX);
    }

    #[test]
    fn the_schema_may_have_another_name() {
        let store = PostgresRefreshStore::new("postgres://localhost/a").unwrap().schema("billing").unwrap();
        let sql = store.schema_sql();
        assert!(sql.contains("CREATE SCHEMA IF NOT EXISTS \"billing\"") && !sql.contains("portcullis\""), "{sql}");
        for name in ["", "1a", "a b", "pg_a", "A", "a\"b"] {
            assert!(PostgresRefreshStore::new("postgres://localhost/a").unwrap().schema(name).is_err(), "{name}");
        }
    }
}
