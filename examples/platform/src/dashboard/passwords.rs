//! [`Passwords`]: checks passwords, only so many at once, and in memory that is used again.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, PasswordHash},
};
use tokio::{sync::Semaphore, task};
use zeroize::{Zeroize, Zeroizing};

use crate::Failure;

/// Checks passwords. Cheap to clone.
///
/// A check takes a core and 19 MiB for a while, so there are only so many at once, and the others wait. Each takes memory that an earlier one has left:
/// blocks of that size, given back and asked for again, would leave gaps that grow to gigabytes in a busy process.
#[derive(Clone)]
pub(super) struct Passwords {
    turns: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Vec<Block>>>>,
}

impl Passwords {
    pub(super) fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self { turns: Arc::new(Semaphore::new(cores)), idle: Arc::default() }
    }

    /// Returns whether the hash was made of this password.
    pub(super) async fn is_right(&self, hash: PasswordHash, password: Zeroizing<String>) -> Result<bool, Failure> {
        // A check goes on if its request goes away, and so does its turn.
        let turn = Arc::clone(&self.turns).acquire_owned().await?;
        let idle = Arc::clone(&self.idle);
        let check = move || {
            let _turn = turn;
            let lock = || idle.lock().unwrap_or_else(PoisonError::into_inner);
            let mut memory = lock().pop().unwrap_or_default();
            let is_right = verify(&hash, password.as_bytes(), &mut memory);
            memory.zeroize(); // passwords could be tried out on it
            lock().push(memory);
            is_right
        };
        task::spawn_blocking(check).await?
    }
}

/// Does what `PasswordVerifier` of the crate does, in memory of the caller's. The comparison takes the same time whatever differs.
fn verify(hash: &PasswordHash, password: &[u8], memory: &mut Vec<Block>) -> Result<bool, Failure> {
    let (Some(salt), Some(expected)) = (&hash.salt, &hash.hash) else { return Err("a hash without a salt".into()) };
    let params = Params::try_from(hash).map_err(|error| error.to_string())?;
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).map_err(|error| error.to_string())?;
    let version = hash.version.map_or(Ok(Version::default()), Version::try_from).map_err(|error| error.to_string())?;
    memory.resize(params.block_count(), Block::default());
    let mut computed = Zeroizing::new(vec![0; expected.len()]);
    let argon2 = Argon2::new(algorithm, version, params);
    let outcome = argon2.hash_password_into_with_memory(password, salt, &mut computed, memory);
    outcome.map_err(|error| error.to_string())?;
    Ok(Output::new(&computed).map_err(|error| error.to_string())? == *expected)
}

#[cfg(test)]
mod tests {
    use argon2::PasswordHasher;

    use super::*;

    #[tokio::test]
    async fn the_right_password_is_accepted_and_others_are_not_whatever_was_in_the_memory_before() {
        let hash = Argon2::default().hash_password(b"wonderland").unwrap();
        let passwords = Passwords::new();
        for (password, is_right) in [("wonderland", true), ("Wonderland", false), ("wonderland", true), ("", false)] {
            let outcome = passwords.is_right(hash.clone(), Zeroizing::new(password.to_owned())).await;
            assert_eq!(outcome.unwrap(), is_right, "{password}");
        }
        let idle = passwords.idle.lock().unwrap();
        assert_eq!(
            (idle.len(), idle[0].len()),
            (1, 0),
            "one check after the other takes the same memory, and leaves nothing"
        );
        assert!(idle[0].capacity() > 0);
    }

    #[tokio::test]
    async fn a_hash_with_other_parameters_is_verified_with_its_own() {
        let params = Params::new(64, 3, 2, None).unwrap();
        let hash = Argon2::from(params).hash_password(b"builder").unwrap();
        let passwords = Passwords::new();
        assert!(passwords.is_right(hash.clone(), Zeroizing::new("builder".to_owned())).await.unwrap());
        assert!(!passwords.is_right(hash, Zeroizing::new("Builder".to_owned())).await.unwrap());
    }
}
