//! `Precomputed`: the hasher for maps whose keys are already keyed hashes, so that a client cannot choose their places.

use std::hash::{BuildHasherDefault, Hasher};

/// Builds [`Precomputed`].
pub(crate) type BuildPrecomputed = BuildHasherDefault<Precomputed>;

/// Returns the hash that the key contains.
#[derive(Default)]
pub(crate) struct Precomputed(u64);

impl Hasher for Precomputed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    /// Never called, because the keys of such maps write one `u64`.
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn a_hash_is_passed_on_as_it_is() {
        let hasher = BuildPrecomputed::default();
        for hash in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef] {
            assert_eq!(hasher.hash_one(hash), hash);
        }
    }
}
