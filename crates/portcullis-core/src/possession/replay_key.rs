//! [`ReplayKey`]: the id of a proof, as stores keep it.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};

/// The id of a proof together with its subject: half of a SHA-256 digest of both, so that no store learns who calls.
///
/// A client can find two ids of its own with the same key only by some 2^64 attempts, and would only have its own proof refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReplayKey([u8; 16]);

impl ReplayKey {
    /// Returns the key for the proof `id` of `subject`. The subject is whatever ids are unique within: the user or the key of the proof. Two
    /// kinds of proofs that share a store need different subjects.
    pub fn new(subject: impl AsRef<[u8]>, id: impl AsRef<[u8]>) -> Self {
        let mut context = Context::new(&SHA256);
        for part in [subject.as_ref(), id.as_ref()] {
            // With its length, so that `ab` and `c` are not `a` and `bc`.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut key = [0; 16];
        key.copy_from_slice(&context.finish().as_ref()[..16]);
        Self(key)
    }

    /// Returns the bytes that a store keeps.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for ReplayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplayKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_and_id_each_count_and_so_does_the_border_between_them() {
        let key = ReplayKey::new("ab", "c");
        assert_eq!(key, ReplayKey::new(*b"ab", String::from("c")));
        for (subject, id) in [("a", "bc"), ("abc", ""), ("", "abc"), ("c", "ab"), ("ab", "d"), ("ac", "c")] {
            assert_ne!(key, ReplayKey::new(subject, id), "{subject:?} {id:?}");
        }
    }

    /// Instances of different versions share a store.
    #[test]
    fn the_key_of_a_proof_never_changes() {
        let expected = [0x26, 0xc1, 0x46, 0x07, 0x72, 0xd7, 0xac, 0x40, 0xc3, 0x7f, 0x08, 0x79, 0xa0, 0xec, 0xfb, 0x4f];
        assert_eq!(ReplayKey::new("subject", "id").as_bytes(), &expected);
        assert_eq!(format!("{:?}", ReplayKey::new("subject", "id")), "ReplayKey(redacted)");
    }
}
