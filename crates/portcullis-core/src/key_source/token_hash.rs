//! `TokenHash`: identifies tokens for a key source that remembers which ones it has looked for.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
};

use siphasher::sip128::SipHasher13;

/// A keyed hash of a whole token, made by [`KeyHint::token_hash`](crate::keys::KeyHint::token_hash). Reveals nothing about the token.
///
/// 128 bits of SipHash-1-3: a client that does not know the key cannot make a token with the hash of another one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u64; 2]);

/// The key for a [`TokenHash`]. Hashes made with different keys cannot be compared.
#[derive(Clone)]
pub struct TokenHashKey([u64; 2]);

impl TokenHashKey {
    /// Returns a random key.
    pub fn random() -> Self {
        let randomness = RandomState::new(); // from the operating system
        Self([randomness.hash_one(0), randomness.hash_one(1)])
    }

    pub(super) fn hash(&self, token: &str) -> TokenHash {
        let [first, second] = self.0;
        let hash = SipHasher13::new_with_keys(first, second).hash(token.as_bytes());
        TokenHash([hash.h1, hash.h2])
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(redacted)")
    }
}

impl fmt::Debug for TokenHashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHashKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Algorithm, keys::KeyHint};

    const TOKEN: &str = "header.claims.signature";

    fn hint(token: &str) -> KeyHint<'_> {
        KeyHint::new(Algorithm::Es256, None).with_token(token)
    }

    #[test]
    fn every_byte_of_a_token_counts_and_so_does_the_key() {
        let key = TokenHashKey::random();
        let hash = hint(TOKEN).token_hash(&key);
        assert!(hash.is_some() && hash == hint(TOKEN).token_hash(&key.clone()));
        for other in ["Header.claims.signature", "header.Claims.signature", "header.claims.Signature", ""] {
            assert_ne!(hash, hint(other).token_hash(&key), "{other}");
        }
        assert_ne!(hash, hint(TOKEN).token_hash(&TokenHashKey::random()));
        assert_eq!(KeyHint::new(Algorithm::Es256, None).token_hash(&key), None, "a hint without a token");
    }

    #[test]
    fn neither_the_token_nor_its_hash_nor_the_key_is_shown() {
        let key = TokenHashKey([0x1234_5678, 0x9abc_def0]);
        let hash = hint(TOKEN).token_hash(&key).unwrap();
        assert_eq!(format!("{key:?} {hash:?}"), "TokenHashKey(redacted) TokenHash(redacted)");
        let shown = format!("{:?}", hint(TOKEN));
        assert!(!shown.contains("claims") && !shown.contains("signature"), "{shown}");
    }
}
