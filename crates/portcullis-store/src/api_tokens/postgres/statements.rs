//! [`Statements`]: the SQL for API tokens.

use crate::refresh::postgres::layout::{FORGOTTEN_AT_ONCE, Layout};

/// The form of the rows that this crate reads and writes. The statements know it, too.
pub(super) const FORM: i16 = 1;

const ALL: &str =
    "id, form, version, digest, owner_kind, owner_id, path, ends_at, revoked_at, used_at, used_from, token";

const READ: &str = "id, form, used_at, used_from, token";

/// The statements for a schema. The parameters of a new row are its columns in the order of [`ALL`], without the form.
pub(super) struct Statements<'a>(pub(super) &'a Layout);

impl Statements<'_> {
    pub(super) fn insert(&self) -> String {
        self.of_schema(&format!(
            r#"WITH added AS (
                   INSERT INTO "portcullis".api_tokens ({ALL}) VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                   ON CONFLICT DO NOTHING RETURNING id, path
               ), below AS (
                   INSERT INTO "portcullis".api_token_ancestors (ancestor, id) SELECT unnest(path), id FROM added
               ) SELECT id FROM added"#
        ))
    }

    /// The row of a digest and those of its ancestors, with their places, in one snapshot.
    pub(super) fn find(&self) -> String {
        self.of_schema(&format!(
            r#"WITH found AS MATERIALIZED (SELECT {READ}, digest, path FROM "portcullis".api_tokens WHERE digest = $1)
               SELECT 0::int8 AS place, {READ} FROM found
               UNION ALL
               SELECT above.place, token.id, token.form, token.used_at, token.used_from, token.token
               FROM found CROSS JOIN LATERAL unnest(found.path) WITH ORDINALITY AS above(id, place)
               JOIN "portcullis".api_tokens AS token ON token.id = above.id"#
        ))
    }

    pub(super) fn find_by_id(&self) -> String {
        self.of_schema(&format!(r#"SELECT {READ} FROM "portcullis".api_tokens WHERE id = $1"#))
    }

    /// Writes a row over one of the version before, with the same owner and path. $9 is its text.
    pub(super) fn replace(&self) -> String {
        self.of_schema(&format!("{} RETURNING id", update("")))
    }

    /// The same, and adds a row in the same statement, with the parameters from $10 on. A row of its id or digest that is added at the same time
    /// makes the statement fail, and nothing is changed.
    pub(super) fn replace_and_insert(&self) -> String {
        let update = update(
            r#"AND NOT EXISTS (SELECT FROM "portcullis".api_tokens AS other WHERE other.id = $10 OR other.digest = $12)"#,
        );
        self.of_schema(&format!(
            r#"WITH changed AS ({update} RETURNING id), added AS (
                   INSERT INTO "portcullis".api_tokens ({ALL})
                   SELECT $10, 1, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20 FROM changed RETURNING id, path
               ), below AS (
                   INSERT INTO "portcullis".api_token_ancestors (ancestor, id) SELECT unnest(path), id FROM added
               ) SELECT id FROM changed"#
        ))
    }

    pub(super) fn list(&self) -> String {
        self.of_schema(&format!(
            r#"SELECT {READ} FROM "portcullis".api_tokens WHERE owner_kind = $1 AND owner_id = $2 AND id > $3
               ORDER BY owner_kind, owner_id, id LIMIT $4"#
        ))
    }

    /// How many are neither revoked nor over. Those of a later form may be live.
    pub(super) fn count_live(&self) -> String {
        self.of_schema(
            r#"SELECT count(*) AS live FROM "portcullis".api_tokens WHERE owner_kind = $1 AND owner_id = $2
               AND (form <> 1 OR revoked_at IS NULL AND (ends_at IS NULL OR ends_at > $3))"#,
        )
    }

    /// One row for each entry of the index, also if its token is gone.
    pub(super) fn derived_from(&self) -> String {
        self.of_schema(
            r#"SELECT below.id, token.form, token.used_at, token.used_from, token.token FROM (
                   SELECT ancestor, id FROM "portcullis".api_token_ancestors WHERE ancestor = $1 AND id > $2
                   ORDER BY ancestor, id LIMIT $3
               ) AS below LEFT JOIN "portcullis".api_tokens AS token ON token.id = below.id"#,
        )
    }

    pub(super) fn all(&self) -> String {
        self.of_schema(&format!(r#"SELECT {READ} FROM "portcullis".api_tokens WHERE id > $1 ORDER BY id LIMIT $2"#))
    }

    pub(super) fn ending(&self) -> String {
        self.of_schema(&format!(
            r#"SELECT {READ}, ends_at FROM "portcullis".api_tokens
               WHERE ends_at IS NOT NULL AND (ends_at, id) > ($1, $2) AND ends_at < $3 ORDER BY ends_at, id LIMIT $4"#
        ))
    }

    /// Locks the rows in the order of their ids, so that two instances do not wait for each other.
    pub(super) fn record_uses(&self) -> String {
        self.of_schema(
            r#"WITH locked AS MATERIALIZED (
                   SELECT id FROM "portcullis".api_tokens WHERE id = ANY ($1) AND form = 1 ORDER BY id FOR NO KEY UPDATE
               )
               UPDATE "portcullis".api_tokens AS token SET used_at = used.at, used_from = used.source
               FROM locked JOIN unnest($1, $2, $3) AS used(id, at, source) ON used.id = locked.id
               WHERE token.id = locked.id AND (token.used_at IS NULL OR token.used_at < used.at)"#,
        )
    }

    /// Deletes some of the rows that are over before an instant, and returns how many. Each is locked until the commit.
    pub(super) fn forget(&self) -> String {
        let over = |time: &str| {
            format!(
                r#"ARRAY(SELECT id FROM "portcullis".api_tokens WHERE {time} < $1 AND form = 1
                         ORDER BY {time}, id LIMIT {FORGOTTEN_AT_ONCE} FOR UPDATE SKIP LOCKED)"#
            )
        };
        // With arrays, and with OFFSET for each entry, no plan reads a whole table, even without statistics.
        self.of_schema(&format!(
            r#"WITH forgotten AS (
                   DELETE FROM "portcullis".api_tokens WHERE id = ANY ({} || {}) AND (ends_at < $1 OR revoked_at < $1) RETURNING id, path
               ), below AS (
                   DELETE FROM "portcullis".api_token_ancestors WHERE ctid = ANY (ARRAY(
                       SELECT entry.ctid FROM (SELECT id, unnest(path) AS ancestor FROM forgotten) AS gone CROSS JOIN LATERAL (
                           SELECT ctid FROM "portcullis".api_token_ancestors AS below
                           WHERE below.ancestor = gone.ancestor AND below.id = gone.id OFFSET 0
                       ) AS entry
                   ))
               ) SELECT count(*) AS forgotten FROM forgotten"#,
            over("ends_at"),
            over("revoked_at"),
        ))
    }

    fn of_schema(&self, sql: &str) -> String {
        self.0.of_schema(sql)
    }
}

fn update(condition: &str) -> String {
    format!(
        r#"UPDATE "portcullis".api_tokens AS token
           SET version = $2, digest = $3, ends_at = $7, revoked_at = $8, token = $9
           WHERE id = $1 AND form = 1 AND version = $2 - 1 AND owner_kind = $4 AND owner_id = $5 AND path = $6
               AND NOT EXISTS (SELECT FROM "portcullis".api_tokens AS other WHERE other.digest = $3 AND other.id <> $1)
               {condition}"#
    )
}
