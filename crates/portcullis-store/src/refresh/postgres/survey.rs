//! Checks, before a server is used, whether it can hold sessions, and whether the tables exist.

use portcullis_core::revocation::LogError;

use super::layout::Layout;
use crate::postgres::{access::Access, connection::Connection, survey::Finding};

const QUESTION: &str = r"
    SELECT current_setting('server_version_num')::int4 AS version,
           pg_is_in_recovery() AS is_standby,
           (SELECT pg_encoding_to_char(encoding)::text FROM pg_database WHERE datname = current_database()) AS encoding,
           current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on' AS is_safe,
           current_setting('synchronous_commit') IN ('on', 'remote_apply') AS commits_to_disk,
           coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS is_encrypted,
           schema.oid IS NOT NULL AS has_schema,
           tables.count = $TABLES AS has_tables,
           coalesce(tables.are_unlogged, false) AS is_unlogged,
           coalesce(has_schema_privilege(schema.oid, 'USAGE') AND tables.may_write, false) AS may_use
    FROM (VALUES (1)) AS one
    LEFT JOIN pg_namespace AS schema ON schema.nspname = $1
    CROSS JOIN LATERAL (
        SELECT count(*), bool_or(relpersistence <> 'p') AS are_unlogged,
               bool_and(has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
                        AND has_table_privilege(oid, 'UPDATE')
                        AND (relname = 'signing_keys' OR has_table_privilege(oid, 'DELETE'))) AS may_write
        FROM pg_class WHERE relnamespace = schema.oid AND relname IN ($NAMES)
    ) AS tables
    LIMIT 1";

/// Checks the server, creates the tables if they are not there, and returns what an operator should know.
pub(super) async fn inspect(
    connection: &Connection,
    access: &Access,
    layout: &Layout,
) -> Result<Vec<String>, LogError> {
    let question = question(layout);
    let mut finding = Finding::look(connection, &question, layout.name()).await?;
    finding.refuse()?;
    if !finding.is("has_tables")? {
        let creation = if finding.is("has_schema")? { layout.creation_inside() } else { layout.creation() };
        connection.run(&creation).await?;
        finding = Finding::look(connection, &question, layout.name()).await?;
    }
    if !finding.is("may_use")? {
        let name = layout.name();
        return Err(LogError::misconfigured(format!(
            "the PostgreSQL user may not use what the issuer keeps: GRANT it USAGE on the schema \"{name}\", {}",
            layout.rights()
        )));
    }
    warnings(&finding, access)
}

fn question(layout: &Layout) -> String {
    let names: Vec<_> = layout.tables().iter().map(|table| format!("'{table}'")).collect();
    QUESTION.replace("$TABLES", &names.len().to_string()).replace("$NAMES", &names.join(", "))
}

fn warnings(finding: &Finding, access: &Access) -> Result<Vec<String>, LogError> {
    let sentences = [
        (
            !finding.is("is_safe")?,
            "PostgreSQL runs with `fsync` or `full_page_writes` off: when its machine loses power, the whole database may be lost, and \
             all users have to log in again",
        ),
        (
            !finding.is("commits_to_disk")?,
            "PostgreSQL runs with a `synchronous_commit` that is less than `on`: a crash loses the sessions of the last moment",
        ),
        (
            finding.is("is_unlogged")?,
            "a table of the issuer is UNLOGGED: PostgreSQL empties it after each crash; ALTER TABLE .. SET LOGGED",
        ),
        (
            !finding.is("is_encrypted")? && !access.is_here(),
            "the connection to PostgreSQL is not encrypted: its password and the names of users can be read on the way; \
             `sslmode=require`",
        ),
    ];
    Ok(sentences.into_iter().filter(|(is, _)| *is).map(|(_, sentence)| sentence.to_owned()).collect())
}
