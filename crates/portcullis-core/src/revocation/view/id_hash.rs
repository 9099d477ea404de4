//! [`IdHash`]: ids in the form that the view stores.

use std::{
    fmt,
    hash::{BuildHasher, Hash, Hasher, RandomState},
};

use siphasher::sip128::SipHasher13;

use crate::revocation::{Level, entry::short};

/// 128 bits of a keyed hash, which represent an id, its issuer and its level together.
///
/// Two ids with the same hash would be revoked together. So the hash is a pseudorandom function (SipHash-1-3) with a different key in
/// every process: a client that chooses ids cannot cause collisions, and by chance it needs 2^64 entries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct IdHash([u32; 4]); // in words, so that an entry has no gaps

/// Computes the hashes.
pub(super) struct IdHasher {
    keys: [u64; 2],
    issuers: foldhash::quality::RandomState,
}

/// The contribution of an issuer's name to the hash of an id. It uses a faster hash, because it only separates issuers that the service
/// has chosen to trust, and saves a quarter of a look-up.
#[derive(Clone, Copy)]
pub(super) struct IssuerTag(pub(super) u64);

/// A quick hash of an id, its issuer and its level, which only shows where there is nothing to look up. Two ids with the same mark cost a
/// look-up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(pub(super) u64);

impl IdHasher {
    pub(super) fn new() -> Self {
        let randomness = RandomState::new(); // from the operating system
        Self {
            keys: [randomness.hash_one(0), randomness.hash_one(1)],
            issuers: foldhash::quality::RandomState::default(),
        }
    }

    pub(super) fn issuer(&self, issuer: &str) -> IssuerTag {
        IssuerTag(self.issuers.hash_one(short(issuer).as_bytes()))
    }

    pub(super) fn mark(&self, level: Level, issuer: IssuerTag, id: &str) -> Mark {
        Mark(self.issuers.hash_one((issuer.0 ^ level as u64, short(id).as_bytes())))
    }

    pub(super) fn id(&self, level: Level, issuer: IssuerTag, id: &str) -> IdHash {
        let [first, second] = self.keys;
        // With a key made from the issuer and the level: SipHash is designed for any number of keys.
        let key = SipHasher13::new_with_keys(first ^ issuer.0, second ^ (level as u64 + 1));
        let hash = key.hash(short(id).as_bytes());
        let (high, low) = (hash.h1, hash.h2);
        #[expect(clippy::cast_possible_truncation, reason = "each number is taken apart into two words")]
        Self::words([(high >> 32) as u32, high as u32, (low >> 32) as u32, low as u32])
    }

    fn words(words: [u32; 4]) -> IdHash {
        IdHash(words)
    }
}

impl fmt::Debug for IdHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdHasher(redacted)")
    }
}

impl IdHash {
    /// Returns which of `shards` it belongs to, by other bits than the map uses.
    pub(super) fn shard(self, shards: usize) -> usize {
        self.0[3] as usize % shards
    }
}

impl Hash for IdHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.0[0]) << 32 | u64::from(self.0[1]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_issuer_and_id_each_count_and_so_does_the_process() {
        let hasher = IdHasher::new();
        let (a, b) = (hasher.issuer("https://a.test"), hasher.issuer("https://b.test"));
        let hash = hasher.id(Level::Token, a, "1");
        assert!(hash == hasher.id(Level::Token, hasher.issuer("https://a.test"), "1"));
        assert!(hash != hasher.id(Level::Session, a, "1"));
        assert!(hash != hasher.id(Level::Token, b, "1"));
        assert!(hash != hasher.id(Level::Token, a, "2"));
        let other = IdHasher::new();
        assert!(hash != other.id(Level::Token, other.issuer("https://a.test"), "1"));
    }

    #[test]
    fn a_long_id_and_its_short_form_are_one() {
        let hasher = IdHasher::new();
        let issuer = hasher.issuer("https://a.test");
        let long = "x".repeat(256);
        assert!(hasher.id(Level::Token, issuer, &long) == hasher.id(Level::Token, issuer, &short(&long)));
        assert!(hasher.id(Level::Token, issuer, &long) != hasher.id(Level::Token, issuer, &"x".repeat(255)));
    }
}
