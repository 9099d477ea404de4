//! The methods of a store with a fault.

use std::collections::HashSet;

use portcullis_issuer::{
    StoreError,
    api_tokens::{
        ApiTokenDigest, ApiTokenId, ApiTokenPage, ApiTokenRow, ApiTokenStore, ApiTokenUse, Changed, FoundApiToken,
        Inserted, Owner,
    },
    refresh::Millis,
};
use tokio::task::yield_now;

use super::{fault::Fault, faulty::Faulty};

impl ApiTokenStore for Faulty {
    async fn insert(&self, row: &ApiTokenRow) -> Result<Inserted, StoreError> {
        if !self.reach(&[Fault::StoredIfUnreachable])? {
            return Ok(Inserted::New);
        }
        let row = self.kept(row)?;
        let is_free = self.is_free(&self.shared(), &row);
        if self.has(Fault::InsertsNotAtomic) {
            yield_now().await;
        }
        let mut shared = self.shared();
        if is_free || self.has(Fault::StoresConflicts) {
            self.add(&mut shared, row);
        } else {
            shared.refused.push(row);
        }
        Ok(if is_free || self.has(Fault::ExistsIsNew) { Inserted::New } else { Inserted::Exists })
    }

    async fn find(&self, digest: &ApiTokenDigest) -> Result<Option<FoundApiToken>, StoreError> {
        if !self.reach(&[Fault::NoneIfUnreachable])? {
            return Ok(None);
        }
        let Some(row) = self.by_digest(digest) else { return Ok(None) };
        let (ids, is_unreadable) = {
            let shared = self.shared();
            (self.ancestors(&shared, &row), shared.unreadable.contains(&row.id))
        };
        if is_unreadable {
            return if self.has(Fault::NoneIfUnreadable) { Ok(None) } else { Err(Self::unreadable()) };
        }
        let mut ancestors = Vec::new();
        for id in ids {
            if self.has(Fault::AncestorsLater) {
                yield_now().await;
            }
            let shared = self.shared();
            if shared.unreadable.contains(&id) {
                if self.has(Fault::AncestorNoneIfUnreadable) {
                    continue;
                }
                return Err(Self::unreadable());
            }
            ancestors.extend(shared.row(id).cloned());
        }
        if self.has(Fault::OldAncestors) {
            ancestors = self.shared().first_ancestors.get(&row.id).cloned().unwrap_or_default();
        }
        if self.has(Fault::NeedsAncestors) && ancestors.len() < row.path.len() {
            return Ok(None);
        }
        let found = Some(FoundApiToken::new(row, ancestors));
        if self.has(Fault::Caches) {
            return Ok(self.seen.lock().unwrap().entry(*digest).or_insert(found).clone());
        }
        Ok(found)
    }

    async fn find_by_id(&self, id: ApiTokenId) -> Result<Option<ApiTokenRow>, StoreError> {
        if !self.reach(&[Fault::NoneIfUnreachable])? {
            return Ok(None);
        }
        let shared = self.shared();
        if shared.unreadable.contains(&id) && !self.has(Fault::NoneIfUnreadable) {
            return Err(Self::unreadable());
        }
        Ok(shared.row(id).cloned())
    }

    async fn replace(&self, row: &ApiTokenRow, successor: Option<&ApiTokenRow>) -> Result<Changed, StoreError> {
        if !self.reach(&[Fault::StoredIfUnreachable, Fault::ConflictIfUnreachable])? {
            let is_stored = self.has(Fault::StoredIfUnreachable);
            return Ok(if is_stored { Changed::Stored } else { Changed::Conflict });
        }
        let (row, successor) = (self.kept(row)?, successor.map(|row| self.kept(row)).transpose()?);
        if self.shared().unreadable.contains(&row.id) {
            match self.fault {
                Some(Fault::ReplacesUnreadable) => {}
                Some(Fault::ConflictIfUnreadable) => return Ok(Changed::Conflict),
                _ => return Err(Self::unreadable()),
            }
        }
        let (is_next, is_free) = self.may(&row, successor.as_ref());
        if self.has(Fault::NotAtomic) {
            yield_now().await;
        }
        let changes = is_next && (is_free || self.has(Fault::ChangesWithoutSuccessor));
        if changes || self.has(Fault::StoresConflicts) {
            self.write_over(&mut self.shared(), row);
        }
        if self.has(Fault::SuccessorLater) {
            yield_now().await;
        }
        let adds = is_free && (is_next || self.has(Fault::AddsWithoutChange)) && !self.has(Fault::ForgetsSuccessor);
        if let Some(successor) = successor.filter(|_| adds) {
            self.add(&mut self.shared(), successor);
        }
        let is_stored = (is_next && is_free || self.has(Fault::HidesConflicts)) && !self.has(Fault::AlwaysConflicts);
        Ok(if is_stored { Changed::Stored } else { Changed::Conflict })
    }

    async fn list(&self, owner: &Owner, after: Option<ApiTokenId>, limit: usize) -> Result<ApiTokenPage, StoreError> {
        let is_listed = |row: &ApiTokenRow| match self.fault {
            Some(Fault::IgnoresKind) => row.owner.id() == owner.id(),
            Some(Fault::IgnoresCase) => {
                row.owner.kind() == owner.kind() && row.owner.id().eq_ignore_ascii_case(owner.id())
            }
            Some(Fault::ListsPrefix) => row.owner.kind() == owner.kind() && row.owner.id().starts_with(owner.id()),
            _ => row.owner == *owner,
        };
        self.page(after, limit, is_listed)
    }

    async fn count_live(&self, owner: &Owner, now: Millis) -> Result<usize, StoreError> {
        if !self.reach(&[Fault::NoneLiveIfUnreachable])? {
            return Ok(0);
        }
        let shared = self.shared();
        let counts = |row: &&ApiTokenRow| self.counts(&shared, row, owner, now);
        Ok(shared.rows.iter().filter(counts).count())
    }

    async fn derived_from(
        &self,
        ancestor: ApiTokenId,
        after: Option<ApiTokenId>,
        limit: usize,
    ) -> Result<ApiTokenPage, StoreError> {
        let is_listed = |row: &ApiTokenRow| match self.fault {
            Some(Fault::ListsChildren) => row.path.last() == Some(&ancestor),
            Some(Fault::ListsOfRoot) => row.path.first() == Some(&ancestor),
            _ => row.path.contains(&ancestor),
        };
        self.page(after, limit, is_listed)
    }

    async fn all(&self, after: Option<ApiTokenId>, limit: usize) -> Result<ApiTokenPage, StoreError> {
        self.page(after, limit, |_| true)
    }

    async fn ending(
        &self,
        after: (Millis, Option<ApiTokenId>),
        before: Millis,
        limit: usize,
    ) -> Result<ApiTokenPage<(Millis, Option<ApiTokenId>)>, StoreError> {
        self.ends(after, before, limit)
    }

    async fn record_uses(&self, uses: &[ApiTokenUse]) -> Result<(), StoreError> {
        if !self.reach(&[Fault::UsedIfUnreachable])? {
            return Ok(());
        }
        if !self.has(Fault::AnyUse) {
            uses.iter().try_for_each(|used| used.checked().map(drop))?;
        }
        let mut shared = self.shared();
        let limit = match self.fault {
            Some(Fault::OneUse) => 1,
            Some(Fault::UsesOfAThousand) => 1000,
            _ => usize::MAX,
        };
        for used in uses.iter().take(limit) {
            if shared.unreadable.contains(&used.id) {
                if self.has(Fault::UnreadableStopsUses) {
                    return Err(Self::unreadable());
                }
                continue;
            }
            if !self.use_one(&mut shared, used) && self.has(Fault::UnknownUseStops) {
                break;
            }
        }
        Ok(())
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        self.reach(&[])?;
        let mut shared = self.shared();
        let unreadable = shared.unreadable.clone();
        let rows = std::mem::take(&mut shared.rows);
        let is_over = |row: &ApiTokenRow| {
            self.is_over(row, before) && (!unreadable.contains(&row.id) || self.has(Fault::ForgetsUnreadable))
        };
        let (mut over, mut left): (Vec<_>, Vec<_>) = rows.into_iter().partition(is_over);
        if self.has(Fault::ForgetsDescendants) {
            let gone: HashSet<_> = over.iter().map(|row| row.id).collect();
            let (below, others) = left.into_iter().partition(|row| row.path.iter().any(|id| gone.contains(id)));
            left = others;
            over.extend::<Vec<_>>(below);
        }
        shared.rows = left;
        let forgotten = over.len();
        if self.has(Fault::ForgetsUnreadable) {
            shared.unreadable.retain(|id| !over.iter().any(|row| row.id == *id));
        }
        shared.forgotten.extend(over);
        Ok(if self.has(Fault::CountsForgotten) { shared.forgotten.len() } else { forgotten })
    }
}
