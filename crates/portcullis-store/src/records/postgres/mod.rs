//! [`PostgresRecordStore`]: records in a table beside the sessions.

mod statements;

use portcullis_issuer::{
    StoreError,
    records::{NewRecord, Record, RecordGroup, RecordKey, RecordStore, RecordVersion, Swapped},
    refresh::Millis,
};
use tokio_postgres::{
    Row,
    types::{FromSql, Type},
};

use self::statements::Statements;
use super::unreadable;
use crate::{
    PostgresRefreshStore,
    postgres::{
        connection::{Parameters, Work},
        error::explain,
    },
    refresh::postgres::layout::{FORGOTTEN_AT_ONCE, Layout, now},
    signing_keys::new_version,
};

/// Records in the database of a [`PostgresRefreshStore`], by its [`records`](PostgresRefreshStore::records). It has connections of its own.
///
/// # The rules
///
/// - A change is one statement, in its own transaction. It locks the row, and compares the version of what is then there. What it has stored is
///   committed.
/// - The time is the server's, read after the lock (`clock_timestamp()`).
/// - Records that have ended stay in the table until [`forget_before`](RecordStore::forget_before) is called. Call it once an hour.
///
/// They are in the table `records` of the schema of the sessions.
#[derive(Debug)]
pub struct PostgresRecordStore(PostgresRefreshStore);

impl PostgresRefreshStore {
    /// Returns the place for records in the same schema, in the table `records`.
    pub fn records(&self) -> PostgresRecordStore {
        PostgresRecordStore(self.apart(crate::refresh::postgres::LANES))
    }
}

impl RecordStore for PostgresRecordStore {
    async fn now(&self) -> Result<Millis, StoreError> {
        now(&one(self.0.ask(Work::Reads, &Layout::now(), &[]).await?)?)
    }

    async fn find(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        let (kind, group, id) = (key.group().kind().name(), key.group().name(), key.id());
        let parameters: Parameters<'_> = &[(&kind, Type::TEXT), (&group, Type::TEXT), (&id, Type::TEXT)];
        let rows = self.0.ask(Work::Reads, &self.statements().find(), parameters).await?;
        rows.first().map(read).transpose()
    }

    async fn list(&self, group: &RecordGroup) -> Result<Vec<(String, Record)>, StoreError> {
        let (kind, group) = (group.kind().name(), group.name());
        let parameters: Parameters<'_> = &[(&kind, Type::TEXT), (&group, Type::TEXT)];
        let rows = self.0.ask(Work::Reads, &self.statements().list(), parameters).await?;
        rows.iter().map(|row| Ok((column(row, "id")?, read(row)?))).collect()
    }

    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<RecordVersion>,
        next: Option<NewRecord>,
    ) -> Result<Swapped, StoreError> {
        let next = next.map(NewRecord::checked).transpose()?;
        let (kind, group, id) = (key.group().kind().name(), key.group().name(), key.id());
        let until = next.as_ref().and_then(NewRecord::ends_at).map(|until| until.get().cast_signed());
        let text = next.as_ref().map(|next| next.text().as_bytes());
        // No version that was given out is negative.
        let before = expected.map(|version| i64::try_from(version.number()).unwrap_or(-1));
        let parameters: Parameters<'_> = &[
            (&kind, Type::TEXT),
            (&group, Type::TEXT),
            (&id, Type::TEXT),
            (&new_version().cast_signed(), Type::INT8),
            (&until, Type::INT8),
            (&text, Type::BYTEA),
            (&before, Type::INT8),
        ];
        let statement = match (expected, &next) {
            (None, Some(_)) => self.statements().create(),
            (Some(_), Some(_)) => self.statements().change(),
            (Some(_), None) => self.statements().delete(),
            (None, None) => self.statements().is_absent(),
        };
        if !self.0.ask(Work::Writes, &statement, parameters).await?.is_empty() {
            return Ok(Swapped::Stored);
        }
        // A row of a later form is left as it is, which is no conflict.
        self.find(key).await.map(|_| Swapped::Conflict)
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        let before = i64::try_from(before.get()).unwrap_or(i64::MAX);
        let mut forgotten = 0;
        loop {
            let rows = self.0.ask(Work::Writes, &self.statements().forget(), &[(&before, Type::INT8)]).await?;
            let some = usize::try_from(column::<i64>(&one(rows)?, "forgotten")?).unwrap_or_default();
            forgotten += some;
            if some < FORGOTTEN_AT_ONCE {
                return Ok(forgotten);
            }
        }
    }
}

impl PostgresRecordStore {
    fn statements(&self) -> Statements<'_> {
        Statements(self.0.layout())
    }
}

/// Returns the record of a row.
fn read(row: &Row) -> Result<Record, StoreError> {
    if column::<i16>(row, "form")? != statements::FORM {
        return Err(unreadable());
    }
    let text = String::from_utf8(column(row, "text")?).map_err(|_| unreadable())?;
    let version = RecordVersion::new(column::<i64>(row, "version")?.unsigned_abs());
    let until = column::<Option<i64>>(row, "ends_at")?.map(|until| Millis::new(until.unsigned_abs()));
    Ok(Record::new(text, version, until))
}

fn column<'r, T: FromSql<'r>>(row: &'r Row, name: &str) -> Result<T, StoreError> {
    row.try_get(name).map_err(|error| explain(error).into())
}

fn one(rows: Vec<Row>) -> Result<Row, StoreError> {
    rows.into_iter().next().ok_or_else(|| StoreError::new("PostgreSQL answers with no row"))
}
