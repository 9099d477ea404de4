//! [`Layout`]: the table in a database, and the SQL for it.

use portcullis_core::ConfigError;
use portcullis_issuer::refresh::{EndReason, Family, FamilyId, Millis, StoreError};
use tokio_postgres::{Error, Row};

use crate::postgres::error::explain;

/// The version of the table and its rows that this crate reads and writes.
const FORM: i16 = 1;

/// How many rows are deleted at once: each is locked until the commit.
pub(crate) const FORGOTTEN_AT_ONCE: usize = 1000;

const COLUMNS: &str = "form, generation, key_id, rotated_at, idle_until, absolute_until, ended, family";

/// The server's time in milliseconds. Not `now()`, which stays the same for a transaction.
pub(crate) const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::int8";

/// Tables that belong together: a connection needs all of them, and no others.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) tables: &'static [&'static str],
    /// SQL that creates everything that does not exist yet.
    pub(crate) creation: &'static str,
    /// What the user has to be granted besides `USAGE`.
    pub(crate) rights: &'static str,
}

static ISSUER: Part = Part {
    tables: &["refresh_families", "signing_keys", "records"],
    creation: include_str!("schema.sql"),
    rights: "SELECT, INSERT, UPDATE, DELETE on \"portcullis\".refresh_families and \"portcullis\".records, and SELECT, INSERT, UPDATE on \
             \"portcullis\".signing_keys",
};

/// The schema with the tables, by its name: in lower case, so that it is the same with and without quotes.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    name: String,
    part: &'static Part,
}

impl Default for Layout {
    fn default() -> Self {
        Self { name: "portcullis".to_owned(), part: &ISSUER }
    }
}

impl Layout {
    pub(super) fn parse(name: &str) -> Result<Self, ConfigError> {
        let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
        let is_plain = name.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_');
        if starts_well && is_plain && name.len() <= 40 && !name.starts_with("pg_") {
            return Ok(Self { name: name.to_owned(), part: &ISSUER });
        }
        Err(ConfigError::new(
            "the name of the PostgreSQL schema must be of at most 40 lower-case letters, digits and underscores, and start neither \
             with a digit nor with `pg_`",
        ))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the layout of other tables in the same schema.
    #[cfg(feature = "api-tokens")]
    pub(super) fn with_part(self, part: &'static Part) -> Self {
        Self { part, ..self }
    }

    pub(super) fn tables(&self) -> &'static [&'static str] {
        self.part.tables
    }

    /// Returns what the user has to be granted besides `USAGE`.
    pub(super) fn rights(&self) -> String {
        self.of_schema(self.part.rights)
    }

    /// Returns SQL about this schema, from SQL about `portcullis`.
    pub(crate) fn of_schema(&self, sql: &str) -> String {
        sql.replace("\"portcullis\"", &format!("\"{}\"", self.name))
    }

    /// Returns SQL that creates everything that does not exist yet.
    pub(super) fn creation(&self) -> String {
        let lock = format!("'revocations of {}'", self.name);
        self.of_schema(self.part.creation).replace("'revocations of portcullis'", &lock)
    }

    /// The same for an existing schema: `CREATE SCHEMA` needs a right in the whole database, even if there is nothing to do.
    pub(super) fn creation_inside(&self) -> String {
        self.creation().replace(&format!("CREATE SCHEMA IF NOT EXISTS \"{}\";", self.name), "")
    }

    pub(crate) fn now() -> String {
        format!("SELECT {NOW} AS now")
    }

    pub(super) fn open(&self) -> String {
        self.of_schema(
            r#"INSERT INTO "portcullis".refresh_families (id, form, subject, client_id, share, generation, key_id, rotated_at,
                   idle_until, absolute_until, ended, family)
               VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING RETURNING id"#,
        )
    }

    /// One row, with the time alone if there is no such family.
    pub(super) fn find(&self) -> String {
        self.of_schema(&format!(
            r#"SELECT clock.now, {COLUMNS} FROM (SELECT {NOW} AS now) AS clock
               LEFT JOIN "portcullis".refresh_families ON id = $1"#
        ))
    }

    pub(super) fn rotate(&self) -> String {
        self.of_schema(include_str!("rotate.sql"))
    }

    pub(super) fn end(&self) -> String {
        self.of_schema(r#"UPDATE "portcullis".refresh_families SET ended = $2 WHERE id = $1 AND ended IS NULL"#)
    }

    pub(super) fn end_all_of(&self) -> String {
        self.of_schema(&format!(
            r#"UPDATE "portcullis".refresh_families SET ended = $3
               WHERE subject = $1 AND id <> $2 AND ended IS NULL RETURNING id, ends_at > {NOW} AS was_live"#
        ))
    }

    pub(super) fn surplus_of(&self) -> String {
        self.of_schema(&format!(
            r#"SELECT id FROM (
                   SELECT id, ends_at, row_number() OVER (ORDER BY ends_at DESC) AS place FROM "portcullis".refresh_families
                   WHERE subject = $1 AND ended IS NULL AND ends_at > {NOW}
               ) AS live WHERE place > $2 ORDER BY ends_at LIMIT 100"#
        ))
    }

    pub(super) fn families_of(&self) -> String {
        self.of_schema(&format!(
            r#"SELECT {NOW} AS now, {COLUMNS} FROM "portcullis".refresh_families
               WHERE subject = $1 AND ended IS NULL AND ends_at > {NOW}"#
        ))
    }

    pub(crate) fn load_keys(&self) -> String {
        self.of_schema(r#"SELECT version, document FROM "portcullis".signing_keys"#)
    }

    pub(crate) fn create_keys(&self) -> String {
        self.of_schema(
            r#"INSERT INTO "portcullis".signing_keys (version, document) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING version"#,
        )
    }

    pub(crate) fn replace_keys(&self) -> String {
        self.of_schema(
            r#"UPDATE "portcullis".signing_keys SET version = $1, document = $2 WHERE version = $3 RETURNING version"#,
        )
    }

    pub(super) fn forget(&self) -> String {
        // With an array no plan reads the whole table, even without statistics; the first condition ends the search in the index.
        self.of_schema(&format!(
            r#"WITH forgotten AS (
                   DELETE FROM "portcullis".refresh_families WHERE ends_at < $1 AND id = ANY (ARRAY(
                       SELECT id FROM "portcullis".refresh_families WHERE ends_at < $1 AND ends_at < {NOW} ORDER BY ends_at LIMIT {FORGOTTEN_AT_ONCE}
                       FOR UPDATE SKIP LOCKED
                   )) RETURNING 1
               ) SELECT count(*) AS forgotten FROM forgotten"#
        ))
    }
}

/// Returns the family of a row; `None` if the row has none.
pub(super) fn family(row: &Row) -> Result<Option<Family>, StoreError> {
    let Some(form) = row.try_get::<_, Option<i16>>("form").map_err(failed)? else { return Ok(None) };
    let text: &str = row.try_get("family").map_err(failed)?;
    let mut family = Family::from_json(text).filter(|_| form == FORM).ok_or_else(|| {
        StoreError::new(format!(
            "a row of `refresh_families` cannot be read: a later version of Portcullis wrote it (form {form}), or it is damaged"
        ))
    })?;
    let number = |column: &str| row.try_get::<_, i64>(column).map(i64::unsigned_abs).map_err(failed);
    family.generation = number("generation")?;
    family.key_id = row.try_get::<_, i16>("key_id").ok().and_then(|id| u8::try_from(id).ok()).unwrap_or_default();
    let rotated_at: Option<i64> = row.try_get("rotated_at").map_err(failed)?;
    family.rotated_at = rotated_at.map(|at| Millis::new(at.unsigned_abs()));
    family.idle_until = Millis::new(number("idle_until")?);
    family.absolute_until = Millis::new(number("absolute_until")?);
    family.ended = row.try_get::<_, Option<&str>>("ended").map_err(failed)?.map(EndReason::from_name);
    Ok(Some(family))
}

/// Returns the server's time.
pub(crate) fn now(row: &Row) -> Result<Millis, StoreError> {
    row.try_get::<_, i64>("now").map(|now| Millis::new(now.unsigned_abs())).map_err(failed)
}

/// Returns the id in the column `id`.
pub(super) fn id(row: &Row) -> Result<FamilyId, StoreError> {
    let bytes: &[u8] = row.try_get("id").map_err(failed)?;
    let bytes = bytes.try_into().map_err(|_| StoreError::new("an id in `refresh_families` has not 16 bytes"))?;
    Ok(FamilyId::from_bytes(bytes))
}

fn failed(error: Error) -> StoreError {
    explain(error).into()
}
