//! [`ApiTokenStore`]: keeps API tokens.

use std::{fmt, future::Future, sync::Arc};

use super::{ApiTokenDigest, ApiTokenId, ApiTokenPage, ApiTokenRow, LastUse, Owner};
use crate::{StoreError, refresh::Millis};

/// Keeps the rows of API tokens. Implement it to keep them in a new place. The rules:
///
/// * Each method is one atomic step, and durable when it returns `Ok`: every later call by any instance sees it.
/// * [`replace`](Self::replace) writes if the row still has the version before, and then all of it: of several callers, one succeeds.
/// * A row comes back as it was, but for its last use.
/// * What a store cannot keep is an error and changes nothing: each calls [`ApiTokenRow::checked`] and [`ApiTokenUse::checked`] first.
/// * "We could not find out" is an error, never `None` and never [`Changed::Conflict`]. So is a row that a later version of the store has
///   written, or an ancestor's: it is left as it is, and a list [names](ApiTokenPage::unreadable) it.
/// * Nothing is forgotten but by [`forget_before`](Self::forget_before).
///
/// The time is the caller's: a store has no clock.
pub trait ApiTokenStore: fmt::Debug + Send + Sync + 'static {
    /// Adds a row, unless there is one of this id or this digest.
    fn insert(&self, row: &ApiTokenRow) -> impl Future<Output = Result<Inserted, StoreError>> + Send;

    /// Returns the row of this digest with those of its ancestors, read in one step; `None` if there is none. This is what each check of a token that
    /// is not cached costs.
    fn find(&self, digest: &ApiTokenDigest) -> impl Future<Output = Result<Option<FoundApiToken>, StoreError>> + Send;

    /// Returns the row of this id; `None` if there is none.
    fn find_by_id(&self, id: ApiTokenId) -> impl Future<Output = Result<Option<ApiTokenRow>, StoreError>> + Send;

    /// Puts `row` in the place of the row of its id, if that has the version before the row's, the same owner and the same path, and no other row has its
    /// digest; its last use stays as it is.
    /// With a `successor`, adds that row in the same step; if there is already one of its id or digest, nothing is changed.
    fn replace(
        &self,
        row: &ApiTokenRow,
        successor: Option<&ApiTokenRow>,
    ) -> impl Future<Output = Result<Changed, StoreError>> + Send;

    /// Returns the rows of an owner, live or not, in the order of their ids: at most `limit`, and those behind `after` alone. A page may be
    /// shorter and not the last. A row that is added or
    /// changed between two pages is seen if its id is behind the cursor, and hides no other.
    fn list(
        &self,
        owner: &Owner,
        after: Option<ApiTokenId>,
        limit: usize,
    ) -> impl Future<Output = Result<ApiTokenPage, StoreError>> + Send;

    /// Returns how many tokens of an owner are live at `now`: neither [revoked nor over](ApiTokenRow::is_live). Those whose rows cannot be read count, because they may
    /// be. One step, if the store can do it in one.
    ///
    /// Defaults to reading them page by page.
    fn count_live(&self, owner: &Owner, now: Millis) -> impl Future<Output = Result<usize, StoreError>> + Send {
        async move {
            let (mut live, mut after) = (0, None);
            loop {
                let page = self.list(owner, after, 500).await?;
                live += page.unreadable.len() + page.rows.iter().filter(|row| row.is_live(now)).count();
                after = page.next;
                if after.is_none() {
                    return Ok(live);
                }
            }
        }
    }

    /// Returns the rows that were derived from this one, at any depth, as [`list`](Self::list) does.
    fn derived_from(
        &self,
        ancestor: ApiTokenId,
        after: Option<ApiTokenId>,
        limit: usize,
    ) -> impl Future<Output = Result<ApiTokenPage, StoreError>> + Send;

    /// Returns all rows, as [`list`](Self::list) does.
    fn all(
        &self,
        after: Option<ApiTokenId>,
        limit: usize,
    ) -> impl Future<Output = Result<ApiTokenPage, StoreError>> + Send;

    /// Returns the rows that [end by their time](ApiTokenRow::ends_at) before `before`, and not before the cursor, in the order of that time and then
    /// of their ids; the row at the cursor itself is left out.
    fn ending(
        &self,
        after: (Millis, Option<ApiTokenId>),
        before: Millis,
        limit: usize,
    ) -> impl Future<Output = Result<ApiTokenPage<(Millis, Option<ApiTokenId>)>, StoreError>> + Send;

    /// Records when tokens were used, all in one statement, as far as that is later than what is known. Tokens that do not exist, and those whose rows
    /// cannot be read, are left out. The same token may be there several times.
    fn record_uses(&self, uses: &[ApiTokenUse]) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Forgets rows that are [over](ApiTokenRow::over_at) before `before`, and no others. Returns how many. A token that was derived from one that is forgotten is
    /// no longer accepted.
    fn forget_before(&self, before: Millis) -> impl Future<Output = Result<usize, StoreError>> + Send;
}

/// A row with those of its ancestors.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundApiToken {
    /// The row.
    pub row: ApiTokenRow,
    /// The rows of its ancestors that there are, in the order of its path.
    pub ancestors: Vec<ApiTokenRow>,
}

impl FoundApiToken {
    /// Returns a row with those of its ancestors.
    pub const fn new(row: ApiTokenRow, ancestors: Vec<ApiTokenRow>) -> Self {
        Self { row, ancestors }
    }
}

/// When which token was used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiTokenUse {
    /// The token.
    pub id: ApiTokenId,
    /// When, and from where.
    pub last_use: LastUse,
}

impl ApiTokenUse {
    /// Returns the use of this token.
    pub const fn new(id: ApiTokenId, last_use: LastUse) -> Self {
        Self { id, last_use }
    }
}

/// Whether a row was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "there may have been a row of this id or this digest before"]
#[expect(clippy::exhaustive_enums, reason = "there is no third: whether it was stored is known, or it is an error")]
pub enum Inserted {
    /// The row was added and is durable.
    New,
    /// There is a row of this id or this digest already. It may be the caller's own, if the answer to an earlier call was lost.
    Exists,
}

/// Whether a row was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "another caller may have been first"]
#[expect(clippy::exhaustive_enums, reason = "there is no third: whether it was stored is known, or it is an error")]
pub enum Changed {
    /// The row was changed and is durable.
    Stored,
    /// Nothing was changed: the row has another version, or is not there, or its successor is.
    Conflict,
}

impl<T: ApiTokenStore> ApiTokenStore for Arc<T> {
    fn insert(&self, row: &ApiTokenRow) -> impl Future<Output = Result<Inserted, StoreError>> + Send {
        (**self).insert(row)
    }

    fn find(&self, digest: &ApiTokenDigest) -> impl Future<Output = Result<Option<FoundApiToken>, StoreError>> + Send {
        (**self).find(digest)
    }

    fn find_by_id(&self, id: ApiTokenId) -> impl Future<Output = Result<Option<ApiTokenRow>, StoreError>> + Send {
        (**self).find_by_id(id)
    }

    fn replace(
        &self,
        row: &ApiTokenRow,
        successor: Option<&ApiTokenRow>,
    ) -> impl Future<Output = Result<Changed, StoreError>> + Send {
        (**self).replace(row, successor)
    }

    fn list(
        &self,
        owner: &Owner,
        after: Option<ApiTokenId>,
        limit: usize,
    ) -> impl Future<Output = Result<ApiTokenPage, StoreError>> + Send {
        (**self).list(owner, after, limit)
    }

    fn count_live(&self, owner: &Owner, now: Millis) -> impl Future<Output = Result<usize, StoreError>> + Send {
        (**self).count_live(owner, now)
    }

    fn derived_from(
        &self,
        ancestor: ApiTokenId,
        after: Option<ApiTokenId>,
        limit: usize,
    ) -> impl Future<Output = Result<ApiTokenPage, StoreError>> + Send {
        (**self).derived_from(ancestor, after, limit)
    }

    fn all(
        &self,
        after: Option<ApiTokenId>,
        limit: usize,
    ) -> impl Future<Output = Result<ApiTokenPage, StoreError>> + Send {
        (**self).all(after, limit)
    }

    fn ending(
        &self,
        after: (Millis, Option<ApiTokenId>),
        before: Millis,
        limit: usize,
    ) -> impl Future<Output = Result<ApiTokenPage<(Millis, Option<ApiTokenId>)>, StoreError>> + Send {
        (**self).ending(after, before, limit)
    }

    fn record_uses(&self, uses: &[ApiTokenUse]) -> impl Future<Output = Result<(), StoreError>> + Send {
        (**self).record_uses(uses)
    }

    fn forget_before(&self, before: Millis) -> impl Future<Output = Result<usize, StoreError>> + Send {
        (**self).forget_before(before)
    }
}
