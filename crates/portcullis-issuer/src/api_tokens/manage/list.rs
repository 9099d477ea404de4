//! What there is: an owner's tokens, those that no one uses, and what would end with one.

use std::{collections::BTreeMap, time::Duration};

use portcullis_core::revocation::Revoker;

use super::ApiTokens;
use crate::{
    StoreError,
    api_tokens::{
        ApiToken, ApiTokenError, ApiTokenId, ApiTokenPage, ApiTokenRow, ApiTokenStore, LastUse, Memberships, Owner,
        PepperId,
    },
    refresh::Millis,
};

/// How many rows are read at once.
pub(super) const PAGE: usize = 500;

/// What ends if a token is revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationImpact {
    /// How many live tokens were derived from it, at any depth.
    pub derived: usize,
    /// The token that has taken its place, and **does not end** with it, unless that is [reported](ApiTokens::report_leaks).
    pub successor: Option<ApiTokenId>,
    /// When it or one of those was last used, as far as that is known.
    pub last_used: Option<LastUse>,
}

/// Tokens, and those that cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiTokenList {
    /// The tokens.
    pub tokens: Vec<ApiToken>,
    /// The tokens whose rows cannot be read: a later version wrote them, or they are damaged. They are refused, and can neither be shown nor revoked: say so.
    pub unreadable: Vec<ApiTokenId>,
    /// Where the next page begins; `None` if there is nothing left.
    pub next: Option<ApiTokenId>,
}

impl<S: ApiTokenStore, M: Memberships, R: Revoker> ApiTokens<S, M, R> {
    /// Returns the token of this id; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If the store cannot be reached.
    pub async fn find(&self, id: ApiTokenId) -> Result<Option<ApiToken>, StoreError> {
        Ok(self.0.checker.store.find_by_id(id).await?.map(|row| self.token(row)))
    }

    /// Returns all tokens of an owner, live or not, the oldest first. For owners with very many, use [`page`](Self::page).
    ///
    /// # Errors
    ///
    /// If the store cannot be reached.
    pub async fn list(&self, owner: &Owner) -> Result<ApiTokenList, StoreError> {
        let mut list = ApiTokenList { tokens: Vec::new(), unreadable: Vec::new(), next: None };
        let mut after = None;
        loop {
            let page = self.page(owner, after, PAGE).await?;
            list.tokens.extend(page.tokens);
            list.unreadable.extend(page.unreadable);
            after = page.next;
            if after.is_none() {
                return Ok(list);
            }
        }
    }

    /// Returns at most `limit` tokens of an owner, the oldest first: from the beginning, or from where the [last page](ApiTokenList::next) ended.
    ///
    /// # Errors
    ///
    /// If the store cannot be reached.
    pub async fn page(
        &self,
        owner: &Owner,
        after: Option<ApiTokenId>,
        limit: usize,
    ) -> Result<ApiTokenList, StoreError> {
        let page = self.0.checker.store.list(owner, after, limit).await?;
        let tokens = page.rows.into_iter().map(|row| self.token(row)).collect();
        Ok(ApiTokenList { tokens, unreadable: page.unreadable, next: page.next })
    }

    /// Returns what would end with a token, to be shown before it is revoked.
    ///
    /// # Errors
    ///
    /// [`ApiTokenError::Unknown`], or if the store cannot be reached.
    pub async fn preview_revocation(&self, id: ApiTokenId) -> Result<RevocationImpact, ApiTokenError> {
        let (row, now) = (self.row(id).await?, self.0.checker.now());
        let mut impact = RevocationImpact { derived: 0, successor: row.successor(), last_used: row.last_used };
        let mut after = None;
        loop {
            let page = self.0.checker.store.derived_from(id, after, PAGE).await?;
            // What cannot be read may be live.
            impact.derived += page.unreadable.len();
            for row in page.rows.iter().filter(|row| row.is_live(now)) {
                impact.derived += 1;
                let at = |last_use: &Option<LastUse>| last_use.as_ref().map(|last_use| last_use.at);
                if at(&row.last_used) > at(&impact.last_used) {
                    impact.last_used.clone_from(&row.last_used);
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(impact);
            }
        }
    }

    /// Returns the live tokens that were made longer ago than this and not used in this time, the oldest first: candidates for being revoked.
    ///
    /// # Errors
    ///
    /// If the store cannot be reached.
    pub async fn unused_for(&self, time: Duration) -> Result<ApiTokenList, StoreError> {
        let now = self.0.checker.now();
        let limit = before(now, time);
        let is_unused = |row: &ApiTokenRow| {
            row.created_at < limit && row.last_used.as_ref().is_none_or(|last_use| last_use.at < limit)
        };
        let mut tokens = Vec::new();
        let unreadable = self
            .for_each(|row| {
                if row.is_live(now) && is_unused(&row) {
                    tokens.push(self.token(row));
                }
            })
            .await?;
        Ok(ApiTokenList { tokens, unreadable, next: None })
    }

    /// Returns how many live tokens there are of each pepper: one that has none can be left out. `None` stands for rows that this issuer has not made.
    /// An imported token goes over to the newest pepper when it is used: one that is not used stays with the pepper of its import.
    ///
    /// # Errors
    ///
    /// If the store cannot be reached, or has a row that cannot be read, because that may be of any pepper.
    pub async fn count_by_pepper(&self) -> Result<BTreeMap<Option<PepperId>, usize>, StoreError> {
        let (now, mut counts) = (self.0.checker.now(), BTreeMap::new());
        let unreadable = self
            .for_each(|row| {
                if row.is_live(now) {
                    *counts.entry(row.pepper).or_default() += 1;
                }
            })
            .await?;
        ApiTokenPage::<ApiTokenId>::new(Vec::new()).with_unreadable(unreadable).complete()?;
        Ok(counts)
    }

    /// Reads all rows. Returns which cannot be read.
    async fn for_each(&self, mut each: impl FnMut(ApiTokenRow)) -> Result<Vec<ApiTokenId>, StoreError> {
        let (mut after, mut unreadable) = (None, Vec::new());
        loop {
            let page = self.0.checker.store.all(after, PAGE).await?;
            unreadable.extend(page.unreadable);
            page.rows.into_iter().for_each(&mut each);
            after = page.next;
            if after.is_none() {
                return Ok(unreadable);
            }
        }
    }
}

/// Returns the instant so long before now.
pub(super) fn before(now: Millis, ago: Duration) -> Millis {
    let ago = u64::try_from(Millis::whole(ago).as_millis()).unwrap_or(u64::MAX);
    Millis::new(now.get().saturating_sub(ago))
}
