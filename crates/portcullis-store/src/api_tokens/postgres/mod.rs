//! [`PostgresApiTokenStore`]: API tokens in tables beside the sessions.

mod columns;
#[cfg(test)]
mod plans;
mod statements;

use portcullis_issuer::{
    StoreError,
    api_tokens::{
        ApiTokenDigest, ApiTokenId, ApiTokenPage, ApiTokenRow, ApiTokenStore, ApiTokenUse, Changed, FoundApiToken,
        Inserted, LastUse, Owner,
    },
    refresh::Millis,
};
use tokio_postgres::{Row, error::SqlState, types::Type};

use self::{
    columns::{Columns, column, read, signed},
    statements::Statements,
};
use super::row;
use crate::{
    PostgresRefreshStore,
    postgres::{
        connection::{Parameters, Work, promptly},
        error::explain,
    },
    refresh::postgres::{
        LANES,
        layout::{FORGOTTEN_AT_ONCE, Part},
    },
};

/// API tokens in the database of a [`PostgresRefreshStore`], by its [`api_tokens`](PostgresRefreshStore::api_tokens). It has connections of its own.
///
/// # The rules
///
/// - A change is one statement in a transaction of its own, which is committed when it returns. It locks the row, and compares the version of what is
///   then there.
/// - A token with its ancestors is found by one statement, in one round trip and one snapshot.
/// - A use of a token writes no indexed column. Instances lock the rows in the same order.
/// - Tokens that are over stay in the table until [`forget_before`](ApiTokenStore::forget_before) is called.
///
/// # What is on the server
///
/// Two tables in the schema of the sessions. They are created at the first connection, if they do not exist; the tables of the sessions are not needed.
/// [`schema_sql`](Self::schema_sql) returns this SQL:
///
/// ```sql
#[doc = include_str!("schema.sql")]
/// ```
///
/// # Rights
///
/// ```sql
/// GRANT USAGE ON SCHEMA portcullis TO service;
/// GRANT SELECT, INSERT, UPDATE, DELETE ON portcullis.api_tokens, portcullis.api_token_ancestors TO service;
/// ```
#[derive(Debug)]
pub struct PostgresApiTokenStore(PostgresRefreshStore);

/// The tables that a connection needs.
static PART: Part = Part {
    tables: &["api_tokens", "api_token_ancestors"],
    creation: include_str!("schema.sql"),
    rights: "SELECT, INSERT, UPDATE, DELETE on \"portcullis\".api_tokens and \"portcullis\".api_token_ancestors",
};

/// How many tokens are marked as used by one statement: the server ends one that takes three seconds.
const USED_AT_ONCE: usize = 10_000;

impl PostgresRefreshStore {
    /// Returns the place for API tokens in the same schema.
    pub fn api_tokens(&self) -> PostgresApiTokenStore {
        PostgresApiTokenStore(self.apart(LANES).with_part(&PART))
    }
}

impl PostgresApiTokenStore {
    /// Returns the SQL that creates the tables, for an administrator to run in one transaction if the service itself may not create anything. It
    /// can be run again: existing objects stay.
    pub fn schema_sql(&self) -> String {
        self.0.schema_sql()
    }

    /// Returns what an operator should know about the server: settings with which it loses what was acknowledged, for example. It is empty before
    /// the first connection.
    pub fn warnings(&self) -> Vec<String> {
        self.0.warnings()
    }

    fn statements(&self) -> Statements<'_> {
        Statements(self.0.layout())
    }

    /// Runs a statement that writes. Returns `None` if it has changed nothing, because a unique column would have a value twice.
    async fn ask_unless_taken(&self, query: &str, parameters: Parameters<'_>) -> Result<Option<Vec<Row>>, StoreError> {
        let ask = async {
            let connection = self.0.connection().await?;
            match connection.try_to_ask(Work::Writes, query, parameters).await {
                Ok(rows) => Ok(Some(rows)),
                Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(None),
                Err(error) => {
                    connection.give_up();
                    Err(explain(error))
                }
            }
        };
        Ok(promptly(ask).await?)
    }

    async fn page(&self, limit: i64, query: &str, parameters: Parameters<'_>) -> Result<ApiTokenPage, StoreError> {
        let rows = self.0.ask(Work::Reads, query, parameters).await?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in &rows {
            let (id, found) = read(row)?;
            entries.push((id, id, found));
        }
        // A join may have mixed them up.
        entries.sort_by_key(|(id, ..)| *id);
        Ok(row::page(entries, usize::try_from(limit).unwrap_or(usize::MAX)))
    }
}

impl ApiTokenStore for PostgresApiTokenStore {
    async fn insert(&self, row: &ApiTokenRow) -> Result<Inserted, StoreError> {
        let row = Columns::of(row.checked()?);
        let added = self.0.ask(Work::Writes, &self.statements().insert(), &row.new_row()).await?;
        Ok(if added.is_empty() { Inserted::Exists } else { Inserted::New })
    }

    async fn find(&self, digest: &ApiTokenDigest) -> Result<Option<FoundApiToken>, StoreError> {
        let parameters: Parameters<'_> = &[(&digest.as_bytes().as_slice(), Type::BYTEA)];
        let rows = self.0.ask(Work::Reads, &self.statements().find(), parameters).await?;
        let place = |row: &Row| column::<i64>(row, "place");
        let (mut found, mut ancestors) = (None, Vec::new());
        for row in &rows {
            let (at, (id, Some(token))) = (place(row)?, read(row)?) else { continue };
            if at > 0 {
                ancestors.push((at, token?));
            } else {
                found = Some(
                    token
                        .and_then(|token| if token.digest == *digest { Ok(token) } else { Err(row::unreadable(id)) })?,
                );
            }
        }
        ancestors.sort_by_key(|(at, _)| *at);
        Ok(found.map(|row| FoundApiToken::new(row, ancestors.into_iter().map(|(_, row)| row).collect())))
    }

    async fn find_by_id(&self, id: ApiTokenId) -> Result<Option<ApiTokenRow>, StoreError> {
        let rows = self.0.ask(Work::Reads, &self.statements().find_by_id(), &[(&id.to_string(), Type::TEXT)]).await?;
        rows.first().map(read).transpose()?.and_then(|(_, found)| found).transpose()
    }

    async fn replace(&self, row: &ApiTokenRow, successor: Option<&ApiTokenRow>) -> Result<Changed, StoreError> {
        let columns = Columns::of(row.checked()?);
        let successor = successor.map(ApiTokenRow::checked).transpose()?.map(Columns::of);
        let mut parameters = columns.changed_row();
        let statement = match &successor {
            Some(successor) => {
                parameters.extend(successor.new_row());
                self.statements().replace_and_insert()
            }
            None => self.statements().replace(),
        };
        let changed = self.ask_unless_taken(&statement, &parameters).await?;
        if changed.is_some_and(|rows| !rows.is_empty()) {
            return Ok(Changed::Stored);
        }
        // A row of a later form is left as it is, which is no conflict.
        self.find_by_id(row.id).await.map(|_| Changed::Conflict)
    }

    async fn list(&self, owner: &Owner, after: Option<ApiTokenId>, limit: usize) -> Result<ApiTokenPage, StoreError> {
        if owner.id().contains('\0') {
            // The server fails at it, and no row that is kept has it.
            return Ok(ApiTokenPage::new(Vec::new()));
        }
        let (kind, id, after, limit) = (owner.kind(), owner.id(), text(after), at_most(limit));
        let parameters: Parameters<'_> =
            &[(&kind, Type::TEXT), (&id, Type::TEXT), (&after, Type::TEXT), (&limit, Type::INT8)];
        self.page(limit, &self.statements().list(), parameters).await
    }

    async fn count_live(&self, owner: &Owner, now: Millis) -> Result<usize, StoreError> {
        if owner.id().contains('\0') {
            return Ok(0);
        }
        let (kind, id, now) = (owner.kind(), owner.id(), signed(now));
        let parameters: Parameters<'_> = &[(&kind, Type::TEXT), (&id, Type::TEXT), (&now, Type::INT8)];
        let rows = self.0.ask(Work::Reads, &self.statements().count_live(), parameters).await?;
        let live = rows.first().map_or(Ok(0), |row| column::<i64>(row, "live"))?;
        Ok(usize::try_from(live).unwrap_or_default())
    }

    async fn derived_from(
        &self,
        ancestor: ApiTokenId,
        after: Option<ApiTokenId>,
        limit: usize,
    ) -> Result<ApiTokenPage, StoreError> {
        let (ancestor, after, limit) = (ancestor.to_string(), text(after), at_most(limit));
        let parameters: Parameters<'_> = &[(&ancestor, Type::TEXT), (&after, Type::TEXT), (&limit, Type::INT8)];
        self.page(limit, &self.statements().derived_from(), parameters).await
    }

    async fn all(&self, after: Option<ApiTokenId>, limit: usize) -> Result<ApiTokenPage, StoreError> {
        let (after, limit) = (text(after), at_most(limit));
        self.page(limit, &self.statements().all(), &[(&after, Type::TEXT), (&limit, Type::INT8)]).await
    }

    async fn ending(
        &self,
        (at, after): (Millis, Option<ApiTokenId>),
        before: Millis,
        limit: usize,
    ) -> Result<ApiTokenPage<(Millis, Option<ApiTokenId>)>, StoreError> {
        let (after, limit) = (text(after), at_most(limit));
        let parameters: Parameters<'_> =
            &[(&signed(at), Type::INT8), (&after, Type::TEXT), (&signed(before), Type::INT8), (&limit, Type::INT8)];
        let rows = self.0.ask(Work::Reads, &self.statements().ending(), parameters).await?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in &rows {
            let ((id, found), end) = (read(row)?, column::<i64>(row, "ends_at")?);
            entries.push(((Millis::new(end.unsigned_abs()), Some(id)), id, found));
        }
        Ok(row::page(entries, usize::try_from(limit).unwrap_or(usize::MAX)))
    }

    async fn record_uses(&self, uses: &[ApiTokenUse]) -> Result<(), StoreError> {
        let latest: Vec<(ApiTokenId, &LastUse)> = row::latest(uses)?.into_iter().collect();
        for some in latest.chunks(USED_AT_ONCE) {
            let ids: Vec<String> = some.iter().map(|(id, _)| id.to_string()).collect();
            let times: Vec<i64> = some.iter().map(|(_, used)| signed(used.at)).collect();
            let sources: Vec<Option<&str>> = some.iter().map(|(_, used)| used.source.as_deref()).collect();
            let parameters: Parameters<'_> =
                &[(&ids, Type::TEXT_ARRAY), (&times, Type::INT8_ARRAY), (&sources, Type::TEXT_ARRAY)];
            self.0.ask(Work::Writes, &self.statements().record_uses(), parameters).await?;
        }
        Ok(())
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        let mut forgotten = 0;
        loop {
            let parameters: Parameters<'_> = &[(&signed(before), Type::INT8)];
            let rows = self.0.ask(Work::Writes, &self.statements().forget(), parameters).await?;
            let some = rows.first().map_or(Ok(0), |row| column::<i64>(row, "forgotten"))?;
            let some = usize::try_from(some).unwrap_or_default();
            forgotten += some;
            if some < FORGOTTEN_AT_ONCE {
                return Ok(forgotten);
            }
        }
    }
}

/// Returns the text that is before every id if there is none.
fn text(after: Option<ApiTokenId>) -> String {
    after.map(|after| after.to_string()).unwrap_or_default()
}

fn at_most(limit: usize) -> i64 {
    i64::try_from(limit.max(1)).unwrap_or(i64::MAX)
}
