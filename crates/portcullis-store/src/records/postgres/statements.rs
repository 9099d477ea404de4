//! [`Statements`]: the SQL for records.

use crate::refresh::postgres::layout::{FORGOTTEN_AT_ONCE, Layout, NOW};

/// The form of the rows that this crate reads and writes. The statements know it, too.
pub(super) const FORM: i16 = 1;

const KEY: &str = "kind = $1 AND group_name = $2 AND id = $3";

const COLUMNS: &str = "form, version, ends_at, text";

/// The statements for a schema. The parameters of all that change a record are its kind, group and id; the new version, end and text; and the
/// version that is expected. A statement returns a row if it is done.
pub(super) struct Statements<'a>(pub(super) &'a Layout);

impl Statements<'_> {
    pub(super) fn find(&self) -> String {
        self.of_schema(&format!(r#"SELECT {COLUMNS} FROM "portcullis".records WHERE {KEY} AND {}"#, is_there()))
    }

    pub(super) fn list(&self) -> String {
        let there = is_there();
        let sql = format!(
            r#"SELECT id, {COLUMNS} FROM "portcullis".records WHERE kind = $1 AND group_name = $2 AND {there}"#
        );
        self.of_schema(&sql)
    }

    /// Creates a record, or takes the place of one that has ended.
    pub(super) fn create(&self) -> String {
        self.of_schema(&format!(
            r#"INSERT INTO "portcullis".records AS found (kind, group_name, id, form, version, ends_at, text)
               VALUES ($1, $2, $3, 1, $4, $5, $6)
               ON CONFLICT (kind, group_name, id) DO UPDATE SET version = excluded.version, ends_at = excluded.ends_at, text = excluded.text
               WHERE found.form = 1 AND found.ends_at <= {NOW}
               RETURNING version"#
        ))
    }

    pub(super) fn change(&self) -> String {
        self.of_schema(&format!(
            r#"UPDATE "portcullis".records SET version = $4, ends_at = $5, text = $6 WHERE {KEY} AND {} RETURNING version"#,
            is_expected()
        ))
    }

    pub(super) fn delete(&self) -> String {
        let expected = is_expected();
        self.of_schema(&format!(r#"DELETE FROM "portcullis".records WHERE {KEY} AND {expected} RETURNING version"#))
    }

    pub(super) fn is_absent(&self) -> String {
        let there = is_there();
        let sql = format!(r#"SELECT 1 WHERE NOT EXISTS (SELECT FROM "portcullis".records WHERE {KEY} AND {there})"#);
        self.of_schema(&sql)
    }

    /// Deletes some of the records that have ended before an instant, and returns how many. Each is locked until the commit.
    pub(super) fn forget(&self) -> String {
        // The places of rows that are locked do not change. The first condition ends the search in the index.
        self.of_schema(&format!(
            r#"WITH forgotten AS (
                   DELETE FROM "portcullis".records WHERE ctid = ANY (ARRAY(
                       SELECT ctid FROM "portcullis".records WHERE ends_at < $1 AND ends_at < {NOW} AND form = 1
                       ORDER BY ends_at LIMIT {FORGOTTEN_AT_ONCE} FOR UPDATE SKIP LOCKED
                   )) RETURNING 1
               ) SELECT count(*) AS forgotten FROM forgotten"#
        ))
    }

    fn of_schema(&self, sql: &str) -> String {
        self.0.of_schema(sql)
    }
}

/// Whether a row has not ended, as far as this version can read it.
fn is_there() -> String {
    format!("(form <> 1 OR ends_at IS NULL OR ends_at > {NOW})")
}

/// Whether a row has not ended, and has the version that is expected.
fn is_expected() -> String {
    format!("form = 1 AND version = $7 AND (ends_at IS NULL OR ends_at > {NOW})")
}
