//! [`SeenUsers`]: tokens of users that were let in lately, with what their proofs are checked with.

use std::{fmt, hash::BuildHasher, sync::Arc};

use foldhash::quality::RandomState;
use portcullis_core::keys::VerifyingKey;
use quick_cache::{Weighter, sync::Cache};

use super::Decided;
use crate::{
    chain::{Refusal, RefusalKind, ScreenedUser},
    proof::token_digest,
    token::TokenErrorKind,
};

/// A token with what its proofs are checked with, so that a later request costs one signature check and not two.
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

impl fmt::Debug for SeenUser {
    /// Shows no token: one that needs no proof is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeenUser").field("user", self.user.key()).finish_non_exhaustive()
    }
}

/// Only tokens that a whole chain has admitted are kept: anyone can make others.
pub(super) struct SeenUsers {
    /// With a key of this process; a sixth of the time that the standard one takes for a token.
    hasher: RandomState,
    cache: Cache<u64, Arc<SeenUser>, Weight>,
}

/// As many as the admission caches by default, of about 600 bytes each.
const MOST: usize = 10_000;

/// How many bytes all of them take at most, as far as their tokens tell.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Estimates what a token takes with all that was read from it: a list of short subjects takes twelve times its text.
#[derive(Clone, Debug)]
struct Weight;

impl Weighter<u64, Arc<SeenUser>> for Weight {
    fn weight(&self, _: &u64, seen: &Arc<SeenUser>) -> u64 {
        1024 + 12 * seen.token.len() as u64
    }
}

impl SeenUsers {
    pub(super) fn new() -> Self {
        Self { hasher: RandomState::default(), cache: Cache::with_weighter(MOST, MOST_BYTES, Weight) }
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
