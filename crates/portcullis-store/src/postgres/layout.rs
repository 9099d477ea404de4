//! [`Layout`]: the tables in a database, and the SQL for them.

use portcullis_core::revocation::{Cursor, LogError};

/// The version of the tables that this crate reads and writes.
pub(super) const FORM: i32 = 1;

/// How many entries a page has at most: about 600 KB, and a tenth of a second on a slow network.
pub(super) const PAGE: usize = 5000;

/// The schema with the log, by its name: in lower case, so that it is the same with and without quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout(String);

/// Names in PostgreSQL have at most 63 bytes, and the channel's name is longer than the schema's.
const LONGEST_NAME: usize = 40;

impl Default for Layout {
    fn default() -> Self {
        Self("portcullis".to_owned())
    }
}

impl Layout {
    pub(crate) fn parse(name: &str) -> Result<Self, LogError> {
        let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
        let is_plain = name.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_');
        if starts_well && is_plain && name.len() <= LONGEST_NAME && !name.starts_with("pg_") {
            return Ok(Self(name.to_owned()));
        }
        Err(LogError::misconfigured(
            "the name of the PostgreSQL schema must be of at most 40 lower-case letters, digits and underscores, and start \
             neither with a digit nor with `pg_`",
        ))
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// Returns SQL that creates everything that does not exist yet.
    pub(super) fn creation(&self) -> String {
        let text = include_str!("schema.sql");
        text.replace("\"portcullis\"", &format!("\"{}\"", self.0))
            .replace("'revocations of portcullis'", &format!("'{}'", self.channel()))
    }

    /// The same for an existing schema: `CREATE SCHEMA` needs a right in the whole database, even if there is nothing
    /// to do.
    pub(super) fn creation_inside(&self) -> String {
        self.creation().replace(&format!("CREATE SCHEMA IF NOT EXISTS \"{}\";", self.0), "")
    }

    fn channel(&self) -> String {
        format!("revocations of {}", self.0)
    }

    pub(super) fn listen(&self) -> String {
        format!("LISTEN \"{}\"", self.channel())
    }

    pub(super) fn append(&self) -> String {
        format!("SELECT \"{}\".append_revocations($1, $2)", self.0)
    }

    pub(super) fn form(&self) -> String {
        format!("SELECT form FROM \"{}\".revocation_log", self.0)
    }

    /// Returns the query for the head of the log and the entries after a position (`$1`), all in one snapshot.
    ///
    /// Entries that expired more than ten minutes ago are left out, so that the last entry that a reader gets stays for
    /// ten minutes more.
    pub(super) fn read(&self) -> String {
        let schema = &self.0;
        format!(
            r#"SELECT true AS is_head, log.position, log.mark, replace(log.incarnation::text, '-', '') AS entry,
                      pg_relation_filenode('"{schema}".revocations'::regclass)::int8 AS file,
                      (SELECT mark FROM "{schema}".revocations WHERE position = $1) AS mark_behind,
                      pg_is_in_recovery() AS is_standby, extract(epoch FROM clock_timestamp())::int8 AS as_of
               FROM "{schema}".revocation_log AS log
               UNION ALL
               (SELECT false, position, mark, entry, NULL, NULL, NULL, NULL FROM "{schema}".revocations
                WHERE position > $1 AND position <= (SELECT position FROM "{schema}".revocation_log)
                      AND until > now() - interval '10 minutes'
                ORDER BY position LIMIT {PAGE})"#
        )
    }
}

/// A place in the log: after this position, which was written with this mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) position: i64,
    pub(super) mark: i64,
}

impl Place {
    /// The place before all entries.
    pub(super) const BEGINNING: Self = Self { position: 0, mark: 0 };

    /// The position is in the lower half of the cursor's position.
    pub(super) fn of(cursor: &Cursor) -> Option<Self> {
        let (mark, position) = (cursor.position() >> 64, cursor.position() & u128::from(u64::MAX));
        Some(Self { position: i64::try_from(position).ok()?, mark: i64::try_from(mark).ok()? })
    }

    pub(super) fn cursor(self, incarnation: u128) -> Cursor {
        // Neither is ever negative.
        let (position, mark) = (u128::from(self.position.unsigned_abs()), u128::from(self.mark.unsigned_abs()));
        Cursor::new(incarnation, (mark << 64) | position)
    }
}
