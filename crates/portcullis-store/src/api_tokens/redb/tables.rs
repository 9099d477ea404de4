//! [`TokenTables`]: the tables of API tokens in the file, in one transaction.

use portcullis_issuer::{
    api_tokens::{ApiTokenDigest, ApiTokenId, ApiTokenRow, LastUse, Owner},
    refresh::Millis,
};
use redb::{ReadableTable, StorageError, Table, TableDefinition, TableError, WriteTransaction};

use crate::api_tokens::row::{self, Found};

/// Rows by id, as JSON.
const TOKENS: TableDefinition<'_, u128, &str> = TableDefinition::new("api_tokens");

/// Which token has a digest.
const DIGESTS: TableDefinition<'_, &[u8; 32], u128> = TableDefinition::new("api_token_digests");

/// When a token was last used, in milliseconds, and from where.
const USES: TableDefinition<'_, u128, (u64, Option<&str>)> = TableDefinition::new("api_token_uses");

/// The tokens of owners, by their kind and id.
const OWNERS: TableDefinition<'_, (&str, &str, u128), ()> = TableDefinition::new("api_token_owners");

/// The tokens that were derived from others, by the other one.
const ANCESTORS: TableDefinition<'_, (u128, u128), ()> = TableDefinition::new("api_token_ancestors");

/// When tokens end by their time, in milliseconds: of those that do.
const ENDS: TableDefinition<'_, (u64, u128), ()> = TableDefinition::new("api_token_ends");

/// When tokens were revoked, in milliseconds: of those that were.
const REVOKED: TableDefinition<'_, (u64, u128), ()> = TableDefinition::new("api_token_revoked");

type Times<'t> = Table<'t, (u64, u128), ()>;

/// The tables in one transaction. What is read includes what was written in the same transaction.
pub(crate) struct TokenTables<'t> {
    tokens: Table<'t, u128, &'static str>,
    digests: Table<'t, &'static [u8; 32], u128>,
    uses: Table<'t, u128, (u64, Option<&'static str>)>,
    owners: Table<'t, (&'static str, &'static str, u128), ()>,
    ancestors: Table<'t, (u128, u128), ()>,
    ends: Times<'t>,
    revoked: Times<'t>,
    /// Whether there is anything to commit.
    pub(crate) is_written: bool,
}

/// By which time tokens are searched.
#[derive(Clone, Copy, Debug)]
pub(super) enum Time {
    End,
    Revocation,
}

impl<'t> TokenTables<'t> {
    pub(crate) fn of(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        Ok(Self {
            tokens: transaction.open_table(TOKENS)?,
            digests: transaction.open_table(DIGESTS)?,
            uses: transaction.open_table(USES)?,
            owners: transaction.open_table(OWNERS)?,
            ancestors: transaction.open_table(ANCESTORS)?,
            ends: transaction.open_table(ENDS)?,
            revoked: transaction.open_table(REVOKED)?,
            is_written: false,
        })
    }

    pub(super) fn get(&self, id: ApiTokenId) -> Result<Option<Found>, StorageError> {
        let Some(text) = self.tokens.get(key(id))? else { return Ok(None) };
        let last_used = self.uses.get(key(id))?.map(|used| {
            let (at, source) = used.value();
            LastUse::new(Millis::new(at), source.map(str::to_owned))
        });
        Ok(Some(row::read(text.value(), id, last_used)))
    }

    pub(super) fn has(&self, id: ApiTokenId) -> Result<bool, StorageError> {
        Ok(self.tokens.get(key(id))?.is_some())
    }

    pub(super) fn of_digest(&self, digest: &ApiTokenDigest) -> Result<Option<ApiTokenId>, StorageError> {
        Ok(self.digests.get(digest.as_bytes())?.map(|found| id(found.value())))
    }

    /// Adds a row where there is none.
    pub(super) fn insert(&mut self, row: &ApiTokenRow) -> Result<(), StorageError> {
        self.put(row)?;
        self.owners.insert((row.owner.kind(), row.owner.id(), key(row.id)), ())?;
        for ancestor in &row.path {
            self.ancestors.insert((key(*ancestor), key(row.id)), ())?;
        }
        if let Some(used) = &row.last_used {
            self.put_use(row.id, used)?;
        }
        Ok(())
    }

    /// Writes a row in the place of `before`, which has the same id, owner and path.
    pub(super) fn replace(&mut self, before: &ApiTokenRow, row: &ApiTokenRow) -> Result<(), StorageError> {
        self.take(before)?;
        self.put(row)
    }

    pub(super) fn remove(&mut self, row: &ApiTokenRow) -> Result<(), StorageError> {
        self.take(row)?;
        self.tokens.remove(key(row.id))?;
        self.uses.remove(key(row.id))?;
        self.owners.remove((row.owner.kind(), row.owner.id(), key(row.id)))?;
        for ancestor in &row.path {
            self.ancestors.remove((key(*ancestor), key(row.id)))?;
        }
        Ok(())
    }

    /// Writes a row and what can change of it in the indexes.
    fn put(&mut self, row: &ApiTokenRow) -> Result<(), StorageError> {
        self.is_written = true;
        let id = key(row.id);
        self.tokens.insert(id, &*row::text(row))?;
        self.digests.insert(row.digest.as_bytes(), id)?;
        if let Some(end) = row.ends_at() {
            self.ends.insert((end.get(), id), ())?;
        }
        if let Some(revoked) = &row.revoked {
            self.revoked.insert((revoked.at.get(), id), ())?;
        }
        Ok(())
    }

    /// Takes a row from the indexes in which it can change.
    fn take(&mut self, row: &ApiTokenRow) -> Result<(), StorageError> {
        self.is_written = true;
        self.digests.remove(row.digest.as_bytes())?;
        if let Some(end) = row.ends_at() {
            self.ends.remove((end.get(), key(row.id)))?;
        }
        if let Some(revoked) = &row.revoked {
            self.revoked.remove((revoked.at.get(), key(row.id)))?;
        }
        Ok(())
    }

    /// Records a use, if it is later than what is known.
    pub(super) fn record(&mut self, of: ApiTokenId, used: &LastUse) -> Result<(), StorageError> {
        let known = self.uses.get(key(of))?.map(|known| known.value().0);
        if known.is_none_or(|known| known < used.at.get()) {
            self.put_use(of, used)?;
        }
        Ok(())
    }

    fn put_use(&mut self, of: ApiTokenId, used: &LastUse) -> Result<(), StorageError> {
        self.is_written = true;
        self.uses.insert(key(of), (used.at.get(), used.source.as_deref()))?;
        Ok(())
    }

    pub(super) fn of_owner(
        &self,
        owner: &Owner,
        after: Option<ApiTokenId>,
        limit: usize,
    ) -> Result<Vec<ApiTokenId>, StorageError> {
        let Some(first) = behind(after) else { return Ok(Vec::new()) };
        let (kind, name) = (owner.kind(), owner.id());
        let entries = self.owners.range((kind, name, first)..=(kind, name, u128::MAX))?;
        entries.take(limit).map(|entry| Ok(id(entry?.0.value().2))).collect()
    }

    pub(super) fn derived_from(
        &self,
        ancestor: ApiTokenId,
        after: Option<ApiTokenId>,
        limit: usize,
    ) -> Result<Vec<ApiTokenId>, StorageError> {
        let Some(first) = behind(after) else { return Ok(Vec::new()) };
        let entries = self.ancestors.range((key(ancestor), first)..=(key(ancestor), u128::MAX))?;
        entries.take(limit).map(|entry| Ok(id(entry?.0.value().1))).collect()
    }

    pub(super) fn all(&self, after: Option<ApiTokenId>, limit: usize) -> Result<Vec<ApiTokenId>, StorageError> {
        let Some(first) = behind(after) else { return Ok(Vec::new()) };
        self.tokens.range(first..)?.take(limit).map(|entry| Ok(id(entry?.0.value()))).collect()
    }

    /// Returns the tokens whose time is before this instant and behind the cursor, and when it is.
    pub(super) fn by(
        &self,
        time: Time,
        (at, after): (Millis, Option<ApiTokenId>),
        before: Millis,
        limit: usize,
    ) -> Result<Vec<(Millis, ApiTokenId)>, StorageError> {
        let times = match time {
            Time::End => &self.ends,
            Time::Revocation => &self.revoked,
        };
        let first = behind(after).map_or((at.get().saturating_add(1), 0), |first| (at.get(), first));
        if first >= (before.get(), 0) {
            return Ok(Vec::new());
        }
        let entries = times.range(first..(before.get(), 0))?;
        let entry = |(at, of): (u64, u128)| (Millis::new(at), id(of));
        entries.take(limit).map(|key| Ok(entry(key?.0.value()))).collect()
    }
}

/// Returns the first key behind the cursor; `None` if there is none.
fn behind(after: Option<ApiTokenId>) -> Option<u128> {
    after.map_or(Some(0), |after| key(after).checked_add(1))
}

fn key(id: ApiTokenId) -> u128 {
    u128::from_be_bytes(*id.as_bytes())
}

fn id(key: u128) -> ApiTokenId {
    ApiTokenId::from_bytes(key.to_be_bytes())
}
