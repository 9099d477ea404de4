//! Checks, before a server is used, whether it can hold the ids of proofs, and whether the table exists.

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
           proofs.oid IS NOT NULL AS has_table,
           coalesce(proofs.relpersistence <> 'p', false) AS is_unlogged,
           coalesce(has_schema_privilege(schema.oid, 'USAGE') AND has_table_privilege(proofs.oid, 'SELECT')
                    AND has_table_privilege(proofs.oid, 'INSERT') AND has_table_privilege(proofs.oid, 'UPDATE')
                    AND has_table_privilege(proofs.oid, 'DELETE'), false) AS may_use
    FROM (VALUES (1)) AS one
    LEFT JOIN pg_namespace AS schema ON schema.nspname = $1
    LEFT JOIN pg_class AS proofs ON proofs.relnamespace = schema.oid AND proofs.relname = 'used_proofs'
    LIMIT 1";

/// Checks the server, creates the table if it is not there, and returns what an operator should know.
pub(super) async fn inspect(
    connection: &Connection,
    access: &Access,
    layout: &Layout,
) -> Result<Vec<String>, LogError> {
    let mut finding = Finding::look(connection, QUESTION, layout.name()).await?;
    finding.refuse()?;
    if !finding.is("has_table")? {
        let creation = if finding.is("has_schema")? { layout.creation_inside() } else { layout.creation() };
        connection.run(&creation).await?;
        finding = Finding::look(connection, QUESTION, layout.name()).await?;
    }
    if !finding.is("may_use")? {
        let name = layout.name();
        return Err(LogError::misconfigured(format!(
            "the PostgreSQL user may not use the table of used proofs: GRANT it USAGE on the schema \"{name}\", and SELECT, INSERT, \
             UPDATE, DELETE on \"{name}\".used_proofs"
        )));
    }
    warnings(&finding, access)
}

fn warnings(finding: &Finding, access: &Access) -> Result<Vec<String>, LogError> {
    let sentences = [
        (
            !finding.is("is_safe")?,
            "PostgreSQL runs with `fsync` or `full_page_writes` off: when its machine loses power, the whole database may be lost",
        ),
        (
            !finding.is("commits_to_disk")?,
            "PostgreSQL runs with a `synchronous_commit` that is less than `on`: after a crash, proofs of the last moment can be used a \
             second time until their nonces end",
        ),
        (
            finding.is("is_unlogged")?,
            "the table of used proofs is UNLOGGED: PostgreSQL empties it after each crash, so that proofs can be used a second time until \
             their nonces end",
        ),
        (
            !finding.is("is_encrypted")? && !access.is_here(),
            "the connection to PostgreSQL is not encrypted: its password can be read on the way, and answers can be changed; \
             `sslmode=require`",
        ),
    ];
    Ok(sentences.into_iter().filter(|(is, _)| *is).map(|(_, sentence)| sentence.to_owned()).collect())
}
