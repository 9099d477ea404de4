//! [`MemoryApiTokenStore`]: API tokens in memory.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    ApiTokenDigest, ApiTokenId, ApiTokenPage, ApiTokenRow, ApiTokenStore, ApiTokenUse, Changed, FoundApiToken,
    Inserted, Owner,
};
use crate::{StoreError, refresh::Millis};

/// API tokens in memory, for tests: they end with the process. Clones share them.
///
/// A look-up is as fast as in a map; a list reads all tokens.
#[derive(Clone, Default)]
pub struct MemoryApiTokenStore(Arc<Mutex<Tokens>>);

#[derive(Default)]
struct Tokens {
    rows: BTreeMap<ApiTokenId, ApiTokenRow>,
    by_digest: HashMap<ApiTokenDigest, ApiTokenId>,
}

impl Tokens {
    /// Whether there is no row of this id or digest.
    fn is_free(&self, row: &ApiTokenRow) -> bool {
        !self.rows.contains_key(&row.id) && !self.by_digest.contains_key(&row.digest)
    }

    fn put(&mut self, row: &ApiTokenRow) {
        self.remove(row.id);
        self.by_digest.insert(row.digest, row.id);
        self.rows.insert(row.id, row.clone());
    }

    fn remove(&mut self, id: ApiTokenId) {
        if let Some(before) = self.rows.remove(&id) {
            self.by_digest.remove(&before.digest);
        }
    }
}

impl MemoryApiTokenStore {
    /// Returns an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the rows of which this holds, by id.
    fn page(&self, after: Option<ApiTokenId>, limit: usize, is_listed: impl Fn(&ApiTokenRow) -> bool) -> ApiTokenPage {
        let tokens = self.tokens();
        let behind = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let rows = tokens.rows.range(behind).map(|(_, row)| row).filter(|row| is_listed(row));
        cut(rows.cloned().collect(), limit, |row| row.id)
    }
}

impl ApiTokenStore for MemoryApiTokenStore {
    async fn insert(&self, row: &ApiTokenRow) -> Result<Inserted, StoreError> {
        let (row, mut tokens) = (row.checked()?, self.tokens());
        if !tokens.is_free(row) {
            return Ok(Inserted::Exists);
        }
        tokens.put(row);
        Ok(Inserted::New)
    }

    async fn find(&self, digest: &ApiTokenDigest) -> Result<Option<FoundApiToken>, StoreError> {
        let tokens = self.tokens();
        let row = tokens.by_digest.get(digest).and_then(|id| tokens.rows.get(id));
        Ok(row.map(|row| {
            let ancestors = row.path.iter().filter_map(|id| tokens.rows.get(id)).cloned();
            FoundApiToken::new(row.clone(), ancestors.collect())
        }))
    }

    async fn find_by_id(&self, id: ApiTokenId) -> Result<Option<ApiTokenRow>, StoreError> {
        Ok(self.tokens().rows.get(&id).cloned())
    }

    async fn replace(&self, row: &ApiTokenRow, successor: Option<&ApiTokenRow>) -> Result<Changed, StoreError> {
        let (mut row, successor) = (row.checked()?.clone(), successor.map(ApiTokenRow::checked).transpose()?);
        let mut tokens = self.tokens();
        let before = tokens.rows.get(&row.id).filter(|before| {
            let is_same_token = before.owner == row.owner && before.path == row.path;
            is_same_token && before.version.checked_add(1) == Some(row.version)
        });
        let Some(before) = before else { return Ok(Changed::Conflict) };
        row.last_used.clone_from(&before.last_used);
        let is_its_own = tokens.by_digest.get(&row.digest).is_none_or(|id| *id == row.id);
        let is_free =
            successor.is_none_or(|next| tokens.is_free(next) && next.id != row.id && next.digest != row.digest);
        if !is_its_own || !is_free {
            return Ok(Changed::Conflict);
        }
        tokens.put(&row);
        if let Some(successor) = successor {
            tokens.put(successor);
        }
        Ok(Changed::Stored)
    }

    async fn list(&self, owner: &Owner, after: Option<ApiTokenId>, limit: usize) -> Result<ApiTokenPage, StoreError> {
        Ok(self.page(after, limit, |row| row.owner == *owner))
    }

    async fn count_live(&self, owner: &Owner, now: Millis) -> Result<usize, StoreError> {
        Ok(self.tokens().rows.values().filter(|row| row.owner == *owner && row.is_live(now)).count())
    }

    async fn derived_from(
        &self,
        ancestor: ApiTokenId,
        after: Option<ApiTokenId>,
        limit: usize,
    ) -> Result<ApiTokenPage, StoreError> {
        Ok(self.page(after, limit, |row| row.path.contains(&ancestor)))
    }

    async fn all(&self, after: Option<ApiTokenId>, limit: usize) -> Result<ApiTokenPage, StoreError> {
        Ok(self.page(after, limit, |_| true))
    }

    async fn ending(
        &self,
        after: (Millis, Option<ApiTokenId>),
        before: Millis,
        limit: usize,
    ) -> Result<ApiTokenPage<(Millis, Option<ApiTokenId>)>, StoreError> {
        let tokens = self.tokens();
        let ends = tokens.rows.values().filter_map(|row| Some(((row.ends_at()?, Some(row.id)), row)));
        // No id is before every id, so the cursor without one is before all that end at its time.
        let mut ends: Vec<_> = ends.filter(|(end, _)| after < *end && end.0 < before).collect();
        ends.sort_by_key(|(end, _)| *end);
        let rows = ends.into_iter().map(|(_, row)| row.clone()).collect();
        Ok(cut(rows, limit, |row| (row.ends_at().unwrap_or(before), Some(row.id))))
    }

    async fn record_uses(&self, uses: &[ApiTokenUse]) -> Result<(), StoreError> {
        uses.iter().try_for_each(|used| used.checked().map(drop))?;
        let mut tokens = self.tokens();
        for used in uses {
            let Some(row) = tokens.rows.get_mut(&used.id) else { continue };
            if row.last_used.as_ref().is_none_or(|known| known.at < used.last_use.at) {
                row.last_used = Some(used.last_use.clone());
            }
        }
        Ok(())
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        let mut tokens = self.tokens();
        let over = tokens.rows.values().filter(|row| row.over_at().is_some_and(|over| over < before));
        let over: Vec<_> = over.map(|row| row.id).collect();
        for id in &over {
            tokens.remove(*id);
        }
        Ok(over.len())
    }
}

/// Returns the first rows, and where the next ones begin.
fn cut<C>(mut rows: Vec<ApiTokenRow>, limit: usize, cursor: impl Fn(&ApiTokenRow) -> C) -> ApiTokenPage<C> {
    let is_more = rows.len() > limit.max(1);
    rows.truncate(limit.max(1));
    let next = rows.last().filter(|_| is_more).map(cursor);
    ApiTokenPage::new(rows).with_next(next)
}

/// Shows how many tokens there are.
impl fmt::Debug for MemoryApiTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryApiTokenStore").field("tokens", &self.tokens().rows.len()).finish()
    }
}
