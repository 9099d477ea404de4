//! How many tokens an owner may have.

use std::hash::{BuildHasher, RandomState};

use portcullis_core::revocation::Revoker;
use tokio::sync::{Mutex, MutexGuard};

use super::ApiTokens;
use crate::{
    api_tokens::{ApiTokenError, ApiTokenStore, Memberships, Owner},
    refresh::Millis,
};

/// Lets the tokens of one owner be made one after the other in this instance, so that what was counted still holds when a token is added.
#[derive(Debug)]
pub(super) struct Turns {
    hasher: RandomState,
    locks: [Mutex<()>; Self::LOCKS],
}

impl Turns {
    /// Owners with the same lock wait for each other.
    const LOCKS: usize = 64;

    async fn of(&self, owner: &Owner) -> MutexGuard<'_, ()> {
        let at = usize::try_from(self.hasher.hash_one(owner) % Self::LOCKS as u64).unwrap_or_default();
        self.locks[at].lock().await
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self { hasher: RandomState::new(), locks: [const { Mutex::const_new(()) }; Self::LOCKS] }
    }
}

impl<S: ApiTokenStore, M: Memberships, R: Revoker> ApiTokens<S, M, R> {
    /// Makes sure that the owner may have one more token. There is room until the guard is dropped, as far as this instance is concerned.
    pub(super) async fn room_for(
        &self,
        owner: &Owner,
        now: Millis,
    ) -> Result<Option<MutexGuard<'_, ()>>, ApiTokenError> {
        let limit = self.0.limits.per_owner;
        if limit == usize::MAX {
            return Ok(None);
        }
        let turn = self.0.turns.of(owner).await;
        let live = self.0.checker.store.count_live(owner, now).await?;
        if live < limit { Ok(Some(turn)) } else { Err(ApiTokenError::TooMany { live, limit }) }
    }
}
