//! [`RedbApiTokenStore`]: API tokens in the file of the sessions.

pub(crate) mod tables;
mod work;

use std::{fmt, sync::Arc};

use portcullis_issuer::{
    StoreError,
    api_tokens::{
        ApiTokenDigest, ApiTokenId, ApiTokenPage, ApiTokenRow, ApiTokenStore, ApiTokenUse, Changed, FoundApiToken,
        Inserted, LastUse, Owner,
    },
    refresh::Millis,
};
use redb::StorageError;

use self::{
    tables::{Time, TokenTables},
    work::Answer,
};
use super::row;
use crate::{RedbRefreshStore, refresh::redb::writer::Writer};

/// API tokens in the file of a [`RedbRefreshStore`], by its [`api_tokens`](RedbRefreshStore::api_tokens). Clones share it.
///
/// # The rules
///
/// - What it has stored is on the disk (`fsync`). A change that is refused writes nothing.
/// - A change is decided in the transaction that makes it, which is the only one at that time. Calls at the same time share one write to the disk.
/// - A use of a token does not write its row: uses have a table of their own.
/// - Tokens that are over stay in the file until [`forget_before`](ApiTokenStore::forget_before) is called.
#[derive(Clone)]
pub struct RedbApiTokenStore {
    writer: Arc<Writer>,
}

/// How many tokens are forgotten, or marked as used, in one transaction: other callers wait for it.
const AT_ONCE: usize = 1000;

impl RedbRefreshStore {
    /// Returns the place for API tokens in the same file.
    pub fn api_tokens(&self) -> RedbApiTokenStore {
        RedbApiTokenStore { writer: Arc::clone(&self.writer) }
    }
}

impl RedbApiTokenStore {
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut TokenTables<'_>) -> Answer<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.ask(move |tables, _| work(tables.tokens()?)).await
    }

    /// Returns the page of these tokens, by id.
    async fn page(
        &self,
        limit: usize,
        listed: impl FnOnce(&TokenTables<'_>, usize) -> Result<Vec<ApiTokenId>, StorageError> + Send + 'static,
    ) -> Result<ApiTokenPage, StoreError> {
        let limit = limit.max(1);
        self.ask(move |tokens| work::page(tokens, listed(tokens, limit)?, limit, |_, id| id)).await
    }
}

impl ApiTokenStore for RedbApiTokenStore {
    async fn insert(&self, row: &ApiTokenRow) -> Result<Inserted, StoreError> {
        let row = row.checked()?.clone();
        self.ask(move |tokens| work::insert(tokens, &row)).await
    }

    async fn find(&self, digest: &ApiTokenDigest) -> Result<Option<FoundApiToken>, StoreError> {
        let digest = *digest;
        self.ask(move |tokens| work::find(tokens, &digest)).await
    }

    async fn find_by_id(&self, id: ApiTokenId) -> Result<Option<ApiTokenRow>, StoreError> {
        self.ask(move |tokens| Ok(tokens.get(id)?.transpose())).await
    }

    async fn replace(&self, row: &ApiTokenRow, successor: Option<&ApiTokenRow>) -> Result<Changed, StoreError> {
        let row = row.checked()?.clone();
        let successor = successor.map(ApiTokenRow::checked).transpose()?.cloned();
        self.ask(move |tokens| work::replace(tokens, &row, successor.as_ref())).await
    }

    async fn list(&self, owner: &Owner, after: Option<ApiTokenId>, limit: usize) -> Result<ApiTokenPage, StoreError> {
        let owner = owner.clone();
        self.page(limit, move |tokens, limit| tokens.of_owner(&owner, after, limit)).await
    }

    async fn count_live(&self, owner: &Owner, now: Millis) -> Result<usize, StoreError> {
        let owner = owner.clone();
        self.ask(move |tokens| work::count_live(tokens, &owner, now)).await
    }

    async fn derived_from(
        &self,
        ancestor: ApiTokenId,
        after: Option<ApiTokenId>,
        limit: usize,
    ) -> Result<ApiTokenPage, StoreError> {
        self.page(limit, move |tokens, limit| tokens.derived_from(ancestor, after, limit)).await
    }

    async fn all(&self, after: Option<ApiTokenId>, limit: usize) -> Result<ApiTokenPage, StoreError> {
        self.page(limit, move |tokens, limit| tokens.all(after, limit)).await
    }

    async fn ending(
        &self,
        after: (Millis, Option<ApiTokenId>),
        before: Millis,
        limit: usize,
    ) -> Result<ApiTokenPage<(Millis, Option<ApiTokenId>)>, StoreError> {
        let limit = limit.max(1);
        let page = move |tokens: &mut TokenTables<'_>| {
            let ends = tokens.by(Time::End, after, before, limit)?;
            let listed = ends.iter().map(|(_, id)| *id).collect();
            work::page(tokens, listed, limit, |at, id| (ends.get(at).map_or(before, |end| end.0), Some(id)))
        };
        self.ask(page).await
    }

    async fn record_uses(&self, uses: &[ApiTokenUse]) -> Result<(), StoreError> {
        let latest: Vec<(ApiTokenId, LastUse)> =
            row::latest(uses)?.into_iter().map(|(id, used)| (id, used.clone())).collect();
        for some in latest.chunks(AT_ONCE) {
            let some = some.to_vec();
            let record = move |tokens: &mut TokenTables<'_>| {
                for (id, used) in some {
                    if let Some(Ok(_)) = tokens.get(id)? {
                        tokens.record(id, &used)?;
                    }
                }
                Ok(Ok(()))
            };
            self.ask(record).await?;
        }
        Ok(())
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        let mut forgotten = 0;
        for time in [Time::End, Time::Revocation] {
            let mut from = Some((Millis::new(0), None));
            while let Some(cursor) = from {
                let forget = move |tokens: &mut TokenTables<'_>| work::forget(tokens, time, cursor, before, AT_ONCE);
                let (some, next) = self.ask(forget).await?;
                (forgotten, from) = (forgotten + some, next);
            }
        }
        Ok(forgotten)
    }
}

/// Shows where the file is.
impl fmt::Debug for RedbApiTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbApiTokenStore").field("path", &self.writer.path()).finish()
    }
}
