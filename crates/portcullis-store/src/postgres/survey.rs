//! Checks, before a server is used, whether it can hold a log, and whether the log exists.

use portcullis_core::revocation::LogError;
use tokio_postgres::{Error, Row, types::Type};

use super::{
    access::Access,
    connection::{Connection, Work},
    error::explain,
    layout::{FORM, Layout},
};

/// The oldest version that is still supported, or was until a year ago: 13, which can generate UUIDs itself.
const OLDEST_VERSION: i32 = 130_000;

const QUESTION: &str = r"
    SELECT current_setting('server_version_num')::int4 AS version,
           pg_is_in_recovery() AS is_standby,
           (SELECT pg_encoding_to_char(encoding)::text FROM pg_database WHERE datname = current_database()) AS encoding,
           current_setting('fsync') = 'on' AS syncs,
           current_setting('full_page_writes') = 'on' AS writes_full_pages,
           current_setting('synchronous_commit') IN ('on', 'remote_apply') AS commits_to_disk,
           coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS is_encrypted,
           schema.oid IS NOT NULL AS has_schema,
           tables.count = 2 AND function.oid IS NOT NULL AS is_complete,
           coalesce(tables.are_unlogged, false) AS is_unlogged,
           coalesce(has_schema_privilege(schema.oid, 'USAGE') AND tables.can_read
                    AND has_function_privilege(function.oid, 'EXECUTE'), false) AS may_use
    FROM (VALUES (1)) AS one
    LEFT JOIN pg_namespace AS schema ON schema.nspname = $1
    LEFT JOIN pg_proc AS function ON function.pronamespace = schema.oid AND function.proname = 'append_revocations'
    CROSS JOIN LATERAL (
        SELECT count(*), bool_or(relpersistence <> 'p') AS are_unlogged, bool_and(has_table_privilege(oid, 'SELECT')) AS can_read
        FROM pg_class WHERE relnamespace = schema.oid AND relname IN ('revocations', 'revocation_log')
    ) AS tables
    LIMIT 1";

/// The answer to a question about the server and a schema.
pub(crate) struct Finding(Row);

impl Finding {
    /// Asks a question, whose only parameter is the schema. It must not fail if the schema does not exist.
    pub(crate) async fn look(connection: &Connection, question: &str, schema: &str) -> Result<Self, LogError> {
        let rows = connection.ask(Work::Reads, question, &[(&schema, Type::TEXT)]).await?;
        rows.into_iter().next().map(Self).ok_or_else(|| LogError::unavailable("PostgreSQL answers with no row"))
    }

    pub(crate) fn is(&self, what: &str) -> Result<bool, LogError> {
        self.0.try_get(what).map_err(explain)
    }

    /// Refuses a server that can hold nothing of ours, by `version`, `is_standby` and `encoding` of the answer.
    pub(crate) fn refuse(&self) -> Result<(), LogError> {
        let text =
            |row: &Row| -> Result<(i32, String), Error> { Ok((row.try_get("version")?, row.try_get("encoding")?)) };
        let (version, encoding) = text(&self.0).map_err(explain)?;
        if version < OLDEST_VERSION {
            let version = version / 10_000;
            return Err(LogError::misconfigured(format!("PostgreSQL {version} is too old: 13 or later is required")));
        }
        if self.is("is_standby")? {
            return Err(LogError::misconfigured(
                "this PostgreSQL server is a standby, which is behind by an unknown time and takes no writes: name the primary, or \
                 all of them (`host1,host2`), of which the primary is then taken",
            ));
        }
        if encoding != "UTF8" {
            return Err(LogError::misconfigured(format!(
                "the PostgreSQL database has the encoding {encoding}, which cannot hold every user's name: it has to be created with \
                 ENCODING 'UTF8'"
            )));
        }
        Ok(())
    }
}

/// Checks the server, creates what is missing, and returns what an operator should know.
pub(super) async fn inspect(
    connection: &Connection,
    access: &Access,
    layout: &Layout,
) -> Result<Vec<String>, LogError> {
    let mut finding = Finding::look(connection, QUESTION, layout.name()).await?;
    finding.refuse()?;
    if !finding.is("is_complete")? {
        create(connection, layout, &finding).await?;
        finding = Finding::look(connection, QUESTION, layout.name()).await?;
    }
    if !finding.is("may_use")? {
        let name = layout.name();
        return Err(LogError::misconfigured(format!(
            "the PostgreSQL user may not use the revocation log: GRANT it USAGE on the schema \"{name}\", SELECT on both of its \
             tables, and EXECUTE on \"{name}\".append_revocations"
        )));
    }
    if connection.ask(Work::Reads, &layout.form(), &[]).await?.is_empty() {
        // The table has been emptied. The log that begins now is a different one, and readers notice that.
        create(connection, layout, &finding).await?;
    }
    let form = connection.ask(Work::Reads, &layout.form(), &[]).await?;
    let form = form.first().map(|row| row.try_get::<_, i32>(0)).transpose().map_err(explain)?.unwrap_or(0);
    if form != FORM {
        return Err(LogError::misconfigured(format!(
            "the revocation log in PostgreSQL is of form {form}, and this version of Portcullis knows {FORM}: use the same \
             version on all instances"
        )));
    }
    warnings(&finding, access)
}

/// Returns the server's timeline: a number that changes whenever a standby takes over or a backup is restored, or 0 if
/// the server does not tell it.
pub(super) async fn timeline(connection: &Connection) -> Result<u32, LogError> {
    let rows = connection.try_to_ask(Work::Reads, "SELECT pg_walfile_name(pg_current_wal_lsn())", &[]).await;
    let name = |rows: Vec<Row>| rows.first().map(|row| row.try_get::<_, String>(0)).transpose();
    match rows.and_then(name) {
        Ok(name) => Ok(name.and_then(|name| u32::from_str_radix(name.get(..8)?, 16).ok()).unwrap_or(0)),
        // Some hosted servers do not tell it.
        Err(error) if error.as_db_error().is_some() => Ok(0),
        Err(error) => Err(explain(error)),
    }
}

async fn create(connection: &Connection, layout: &Layout, finding: &Finding) -> Result<(), LogError> {
    let creation = if finding.is("has_schema")? { layout.creation_inside() } else { layout.creation() };
    connection.run(&creation).await
}

fn warnings(finding: &Finding, access: &Access) -> Result<Vec<String>, LogError> {
    let sentences = [
        (
            !finding.is("syncs")?,
            "PostgreSQL runs with `fsync = off`: when its machine loses power, the whole database may be lost, and acknowledged \
             revocations with it",
        ),
        (
            !finding.is("writes_full_pages")?,
            "PostgreSQL runs with `full_page_writes = off`: when its machine loses power, half-written pages cannot be repaired",
        ),
        (
            !finding.is("commits_to_disk")?,
            "PostgreSQL runs with a `synchronous_commit` that is less than `on`: revocations are written with `on` \
             nevertheless, but after a crash the other data of this database may be older than they are",
        ),
        (
            finding.is("is_unlogged")?,
            "a table of the revocation log is UNLOGGED: PostgreSQL empties it after each crash; ALTER TABLE .. SET LOGGED",
        ),
        (
            !finding.is("is_encrypted")? && !access.is_here(),
            "the connection to PostgreSQL is not encrypted: an attacker on the network can read and change revocations; \
             `sslmode=require` in the URL prevents this",
        ),
    ];
    Ok(sentences.into_iter().filter(|(holds, _)| *holds).map(|(_, sentence)| sentence.to_owned()).collect())
}
