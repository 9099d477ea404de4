//! [`Users`]: who may log in, and what they may do.

use std::{collections::BTreeMap, fmt, sync::Arc, thread};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use portcullis::verified::NoCustom;
use portcullis_issuer::refresh::{Family, Grant, SubjectError, Subjects};
use tokio::{sync::Semaphore, task};
use zeroize::Zeroizing;

use crate::Failure;

/// The users. A real service has a database here.
#[derive(Clone)]
pub(super) struct Users(Arc<Inner>);

struct Inner {
    users: BTreeMap<String, User>,
    /// Checking a password takes a core and 19 MiB for a while, so only so many at once, and the others wait.
    turns: Semaphore,
}

struct User {
    password: PasswordHash,
    scopes: Vec<String>,
}

/// The scopes of `examples/mcp-server`. Bob may only read there, too.
pub(super) const NOTES: [&str; 3] = ["notes:list", "notes:read", "notes:write"];

impl Users {
    /// Alice, who may do everything, and Bob, who may only read.
    pub(super) fn demo() -> Result<Self, Failure> {
        let user = |password: &str, scopes: &[&str]| -> Result<User, Failure> {
            let password = Argon2::default().hash_password(password.as_bytes()).map_err(|error| error.to_string())?;
            Ok(User { password, scopes: scopes.iter().copied().map(str::to_owned).collect() })
        };
        let users = BTreeMap::from([
            (
                "alice".to_owned(),
                user("wonderland", &[&["account", "orders:read", "orders:write"][..], &NOTES].concat())?,
            ),
            ("bob".to_owned(), user("builder", &[&["account", "orders:read"][..], &NOTES[..2]].concat())?),
        ]);
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self(Arc::new(Inner { users, turns: Semaphore::new(cores) })))
    }

    /// Returns whether this is the user's password. An unknown name takes as long as a wrong password.
    pub(super) async fn check(&self, name: String, password: Zeroizing<String>) -> Result<bool, Failure> {
        let _turn = self.0.turns.acquire().await?;
        let users = self.clone();
        Ok(task::spawn_blocking(move || users.is_right(&name, &password)).await?)
    }

    fn is_right(&self, name: &str, password: &str) -> bool {
        let user = self.0.users.get(name);
        let Some(any) = user.or_else(|| self.0.users.values().next()) else { return false };
        let is_right = Argon2::default().verify_password(password.as_bytes(), &any.password).is_ok();
        is_right && user.is_some()
    }

    /// Returns the scopes of a user, separated by spaces.
    pub(super) fn scopes(&self, name: &str) -> String {
        self.0.users.get(name).map(|user| user.scopes.join(" ")).unwrap_or_default()
    }
}

/// Asked at every refresh, so that a user who loses a right, or is removed, does not go on with it.
impl Subjects for Users {
    type Custom = NoCustom;

    async fn current(&self, session: &Family) -> Result<Grant, SubjectError> {
        let user = self.0.users.get(session.log_in.subject()).ok_or(SubjectError::Refused)?;
        Ok(Grant::scopes(&user.scopes))
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.users.keys()).finish()
    }
}
