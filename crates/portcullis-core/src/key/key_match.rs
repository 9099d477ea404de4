//! [`KeyMatch`]: the keys that may have signed one token.

use std::sync::Arc;

use super::VerifyingKey;

/// How many keys are tried for one token at most.
///
/// During a rotation, two or three keys of a kind exist at the same time. A token without a key id among more than four keys is the
/// issuer's mistake, or an attempt to make us compute.
pub const MAX_KEYS_TRIED: usize = 4;

/// The keys that may have signed one token: one to [`MAX_KEYS_TRIED`], each of which supports the token's algorithm.
///
/// A snapshot: later changes of the source do not affect it. Made by a [`KeySet`](crate::KeySet), without allocation.
#[derive(Clone)]
pub struct KeyMatch {
    keys: Arc<[VerifyingKey]>,
    found: [usize; MAX_KEYS_TRIED],
    len: usize,
}

impl KeyMatch {
    /// Returns `None` if no index was found; the indices must be those of `keys`.
    pub(super) fn new(keys: &Arc<[VerifyingKey]>, found: [usize; MAX_KEYS_TRIED], len: usize) -> Self {
        Self { keys: Arc::clone(keys), found, len }
    }

    /// Whether both are keys of the same set instance: equal keys of a set that was read again are not.
    pub fn is_of_the_set_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.keys, &other.keys)
    }

    /// Returns the keys, in the order in which to try them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &VerifyingKey> {
        self.found[..self.len].iter().map(|&index| &self.keys[index])
    }
}

impl From<VerifyingKey> for KeyMatch {
    /// Returns exactly this key. The caller has made sure that it supports the token's algorithm.
    fn from(key: VerifyingKey) -> Self {
        Self { keys: Arc::new([key]), found: [0; MAX_KEYS_TRIED], len: 1 }
    }
}

impl std::fmt::Debug for KeyMatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
