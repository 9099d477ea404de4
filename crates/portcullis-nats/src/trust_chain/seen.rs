//! [`SeenUsers`]: tokens of users that were let in lately, with what their proofs are checked with.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use portcullis_core::keys::VerifyingKey;
use quick_cache::sync::Cache;

use super::Decided;
use crate::{
    chain::{Refusal, RefusalKind, ScreenedUser},
    proof::token_digest,
    token::TokenErrorKind,
};

/// A token with what its proofs are checked with, so that a later request costs one signature check and not two.
#[derive(Debug)]
pub(super) struct SeenUser {
    token: Box<str>,
    pub(super) user: ScreenedUser,
    pub(super) key: VerifyingKey,
    pub(super) digest: [u8; 32],
}

impl SeenUser {
    pub(super) fn new(token: &str, user: ScreenedUser) -> Decided<Self> {
        let key = user
            .key()
            .verifying_key()
            .map_err(|error| Refusal::new(RefusalKind::User(TokenErrorKind::WeakKey), error.to_string()))?;
        Ok(Self { token: token.into(), user, key, digest: token_digest(token) })
    }
}

/// Only tokens that a whole chain has admitted are kept: anyone can make others.
pub(super) struct SeenUsers {
    hasher: RandomState,
    cache: Cache<u64, Arc<SeenUser>>,
}

/// As many as the admission caches by default. Each takes about 3 KiB.
const MOST: usize = 10_000;

impl SeenUsers {
    pub(super) fn new() -> Self {
        Self { hasher: RandomState::new(), cache: Cache::new(MOST) }
    }

    pub(super) fn find(&self, token: &str) -> Option<Arc<SeenUser>> {
        self.cache.get(&self.hasher.hash_one(token)).filter(|seen| *seen.token == *token)
    }

    pub(super) fn keep(&self, seen: &Arc<SeenUser>) {
        self.cache.insert(self.hasher.hash_one(&*seen.token), Arc::clone(seen));
    }
}

impl fmt::Debug for SeenUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeenUsers").field("len", &self.cache.len()).finish_non_exhaustive()
    }
}
