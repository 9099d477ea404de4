//! [`Columns`]: a row as the server has it.

use portcullis_issuer::{
    StoreError,
    api_tokens::{ApiTokenId, ApiTokenRow, LastUse},
    refresh::Millis,
};
use tokio_postgres::{
    Row,
    types::{FromSql, ToSql, Type},
};

use super::statements::FORM;
use crate::{
    api_tokens::row::{self, Found},
    postgres::error::explain,
};

/// The values of a row's columns.
pub(super) struct Columns<'a> {
    id: String,
    version: i64,
    digest: &'a [u8],
    owner: (&'a str, &'a str),
    path: Vec<String>,
    ends_at: Option<i64>,
    revoked_at: Option<i64>,
    used_at: Option<i64>,
    used_from: Option<&'a str>,
    text: String,
}

pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

impl<'a> Columns<'a> {
    pub(super) fn of(row: &'a ApiTokenRow) -> Self {
        let used = row.last_used.as_ref();
        Self {
            id: row.id.to_string(),
            // No version that a store keeps is larger.
            version: i64::try_from(row.version).unwrap_or(i64::MAX),
            digest: row.digest.as_bytes(),
            owner: (row.owner.kind(), row.owner.id()),
            path: row.path.iter().map(ApiTokenId::to_string).collect(),
            ends_at: row.ends_at().map(signed),
            revoked_at: row.revoked.as_ref().map(|revoked| signed(revoked.at)),
            used_at: used.map(|used| signed(used.at)),
            used_from: used.and_then(|used| used.source.as_deref()),
            text: row::text(row),
        }
    }

    /// Returns the parameters with which a row is added.
    pub(super) fn new_row(&self) -> Vec<Parameter<'_>> {
        let mut parameters = self.head();
        parameters.extend([
            (&self.used_at as &(dyn ToSql + Sync), Type::INT8),
            (&self.used_from, Type::TEXT),
            (&self.text, Type::TEXT),
        ]);
        parameters
    }

    /// Returns the parameters with which a row is replaced: its last use is not among them.
    pub(super) fn changed_row(&self) -> Vec<Parameter<'_>> {
        let mut parameters = self.head();
        parameters.push((&self.text, Type::TEXT));
        parameters
    }

    fn head(&self) -> Vec<Parameter<'_>> {
        vec![
            (&self.id, Type::TEXT),
            (&self.version, Type::INT8),
            (&self.digest, Type::BYTEA),
            (&self.owner.0, Type::TEXT),
            (&self.owner.1, Type::TEXT),
            (&self.path, Type::TEXT_ARRAY),
            (&self.ends_at, Type::INT8),
            (&self.revoked_at, Type::INT8),
        ]
    }
}

/// Returns the id of a row that the server has answered with, and the row; no row if there is only an entry of an index.
pub(super) fn read(answer: &Row) -> Result<(ApiTokenId, Option<Found>), StoreError> {
    let id: &str = column(answer, "id")?;
    let id = id
        .parse()
        .map_err(|error| StoreError::new("an id in `api_tokens` is not one of an API token").with_source(error))?;
    let Some(form) = column::<Option<i16>>(answer, "form")? else { return Ok((id, None)) };
    if form != FORM {
        return Ok((id, Some(Err(row::unreadable(id)))));
    }
    let used_at: Option<i64> = column(answer, "used_at")?;
    let used_from: Option<String> = column(answer, "used_from")?;
    let last_used = used_at.map(|at| LastUse::new(Millis::new(at.unsigned_abs()), used_from));
    Ok((id, Some(row::read(column(answer, "token")?, id, last_used))))
}

pub(super) fn column<'r, T: FromSql<'r>>(row: &'r Row, name: &str) -> Result<T, StoreError> {
    row.try_get(name).map_err(|error| explain(error).into())
}

/// PostgreSQL's numbers are signed. No time that a store keeps is as far away; the end of a search can be.
pub(super) fn signed(at: Millis) -> i64 {
    i64::try_from(at.get()).unwrap_or(i64::MAX)
}
