//! The few keys that may have signed one token.

use std::sync::Arc;

use super::VerifyingKey;

/// At most this many keys are tried for one token.
///
/// During a rotation two or three keys of a kind live side by side; a token without a key id among more than four is
/// the issuer's mistake or an attempt to make us compute.
pub const MAX_KEYS_TRIED: usize = 4;

/// The keys that may have signed one token: one to [`MAX_KEYS_TRIED`], each able to do the token's algorithm.
///
/// A snapshot: what happens to its source afterwards does not change it. Made by
/// a [`KeySet`](crate::KeySet), without allocation.
#[derive(Clone)]
pub struct KeyMatch {
    keys: Arc<[VerifyingKey]>,
    found: [usize; MAX_KEYS_TRIED],
    len: usize,
}

impl KeyMatch {
    /// `None` if no index was found; the indices must be those of `keys`.
    pub(super) fn new(keys: &Arc<[VerifyingKey]>, found: [usize; MAX_KEYS_TRIED], len: usize) -> Self {
        Self { keys: Arc::clone(keys), found, len }
    }

    /// Whether these are keys of the very set that those are of: equal keys of a set that was read anew are not.
    pub fn is_of_the_set_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.keys, &other.keys)
    }

    /// The keys, to be tried in this order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &VerifyingKey> {
        self.found[..self.len].iter().map(|&index| &self.keys[index])
    }
}

impl From<VerifyingKey> for KeyMatch {
    /// Exactly this key. The caller has seen to it that it can do the token's algorithm.
    fn from(key: VerifyingKey) -> Self {
        Self { keys: Arc::new([key]), found: [0; MAX_KEYS_TRIED], len: 1 }
    }
}

impl std::fmt::Debug for KeyMatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
