//! [`Layout`]: the table in a database, and the SQL for it.

use portcullis_core::ConfigError;

use crate::{configuration::configuration, postgres::layout};

/// How many rows are deleted at once: each is locked until the commit.
pub(super) const FORGOTTEN_AT_ONCE: u64 = 1000;

/// The server's time in milliseconds.
const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::int8";

/// The schema with the table, by its name: in lower case, so that it is the same with and without quotes.
#[derive(Clone, Debug)]
pub(super) struct Layout(String);

impl Default for Layout {
    fn default() -> Self {
        Self("portcullis".to_owned())
    }
}

impl Layout {
    pub(super) fn parse(name: &str) -> Result<Self, ConfigError> {
        let parsed = layout::Layout::parse(name).map_err(|error| configuration(&error))?;
        Ok(Self(parsed.name().to_owned()))
    }

    pub(super) fn name(&self) -> &str {
        &self.0
    }

    /// Returns SQL about this schema, from SQL about `portcullis`.
    fn of_schema(&self, sql: &str) -> String {
        sql.replace("\"portcullis\"", &format!("\"{}\"", self.0))
    }

    /// Returns SQL that creates everything that does not exist yet.
    pub(super) fn creation(&self) -> String {
        let lock = format!("'revocations of {}'", self.0);
        self.of_schema(include_str!("schema.sql")).replace("'revocations of portcullis'", &lock)
    }

    /// The same for an existing schema: `CREATE SCHEMA` needs a right in the whole database, even if there is nothing to do.
    pub(super) fn creation_inside(&self) -> String {
        self.creation().replace(&format!("CREATE SCHEMA IF NOT EXISTS \"{}\";", self.0), "")
    }

    /// Returns the statement that stores an id for some milliseconds. It returns a row if the id was not there.
    pub(super) fn accept(&self) -> String {
        self.of_schema(&format!(
            r#"INSERT INTO "portcullis".used_proofs (id, ends_at) VALUES ($1, {NOW} + $2) ON CONFLICT DO NOTHING RETURNING 1"#
        ))
    }

    /// Returns the statement that deletes some ids that have ended.
    pub(super) fn forget(&self) -> String {
        // With an array no plan reads the whole table, even without statistics. Rows that another instance deletes are skipped.
        self.of_schema(&format!(
            r#"DELETE FROM "portcullis".used_proofs WHERE id = ANY (ARRAY(
                   SELECT id FROM "portcullis".used_proofs WHERE ends_at < {NOW} ORDER BY ends_at LIMIT {FORGOTTEN_AT_ONCE}
                   FOR UPDATE SKIP LOCKED
               ))"#
        ))
    }
}
