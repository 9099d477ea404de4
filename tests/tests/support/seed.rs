//! Where a random test begins: elsewhere each time, or where an earlier run did.

use std::{
    env,
    hash::{BuildHasher, RandomState},
};

/// Returns the seed in `PORTCULLIS_SEED`, or else a new one, and prints which: a test that fails shows how to repeat it.
pub(crate) fn seed() -> u64 {
    let Ok(text) = env::var("PORTCULLIS_SEED") else {
        let seed = RandomState::new().hash_one("a seed");
        eprintln!("to repeat: PORTCULLIS_SEED={seed}");
        return seed;
    };
    let seed = text.parse();
    assert!(seed.is_ok(), "PORTCULLIS_SEED has to be a whole number");
    seed.unwrap_or_default()
}
