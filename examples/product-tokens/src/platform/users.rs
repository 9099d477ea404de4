//! [`Users`]: who may log in.

use std::{fmt, sync::Arc};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::{sync::Semaphore, task};
use zeroize::Zeroizing;

use super::problem::Problem;
use crate::Failure;

/// The users of the demo. A real product has a database here.
#[derive(Clone)]
pub(super) struct Users(Arc<Inner>);

struct Inner {
    users: [(&'static str, PasswordHash); 2],
    /// An unknown name is checked against this one, so that it takes as long as a wrong password.
    of_no_user: PasswordHash,
    /// Checking a password takes a core and 19 MiB for a while, so only so many at once, and the others wait.
    turns: Semaphore,
}

impl Users {
    pub(super) fn demo() -> Result<Self, Failure> {
        let users = [("alice", hash("wonderland")?), ("bob", hash("can-we-fix-it")?)];
        Ok(Self(Arc::new(Inner { users, of_no_user: hash("no user has it")?, turns: Semaphore::new(2) })))
    }

    /// Returns whether this is the user's password.
    pub(super) async fn check(&self, name: &str, password: Zeroizing<String>) -> Result<bool, Problem> {
        let known = self.0.users.iter().position(|(known, _)| *known == name);
        let _turn = self.0.turns.acquire().await.map_err(|error| Problem::unavailable(&error))?;
        let users = self.clone();
        let checked = task::spawn_blocking(move || {
            let hash = known.map_or(&users.0.of_no_user, |at| &users.0.users[at].1);
            let is_right = Argon2::default().verify_password(password.as_bytes(), hash).is_ok();
            is_right && known.is_some()
        });
        checked.await.map_err(|error| Problem::unavailable(&error))
    }
}

fn hash(password: &str) -> Result<PasswordHash, Failure> {
    Ok(Argon2::default().hash_password(password.as_bytes()).map_err(|error| error.to_string())?)
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.users.iter().map(|(name, _)| name)).finish()
    }
}
