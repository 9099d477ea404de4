//! [`Users`]: who may log in, and what they may do.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    thread,
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use portcullis::verified::NoCustom;
use portcullis_issuer::refresh::{Family, Grant, SubjectError, Subjects};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task,
};
use zeroize::Zeroizing;

use super::problem::Problem;
use crate::Failure;

/// The users. They are in memory: a real service has a database here.
#[derive(Clone)]
pub(super) struct Users(Arc<Inner>);

struct Inner {
    users: RwLock<BTreeMap<String, User>>,
    /// An unknown name is checked against this one, so that it takes as long as a wrong password.
    of_no_user: PasswordHash,
    /// Checking a password takes a core and 19 MiB for a while, so only so many at once, and the others wait.
    turns: Semaphore,
}

#[derive(Clone)]
struct User {
    password: PasswordHash,
    mail: String,
    role: Option<&'static str>,
}

/// What users may do. With a JWT of theirs, it is the same.
pub(super) const USER_SCOPES: &str = "documents:read documents:write";

impl Users {
    /// Alice, who is an operator, and Bob. These are demo accounts.
    pub(super) fn demo() -> Result<Self, Failure> {
        let user = |password, mail: &str, role| -> Result<User, Failure> {
            Ok(User { password: hash(password)?, mail: mail.to_owned(), role })
        };
        let users = BTreeMap::from([
            ("alice".to_owned(), user("wonderland", "alice@example.com", Some("operator"))?),
            ("bob".to_owned(), user("can-we-fix-it", "bob@example.com", None)?),
        ]);
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let turns = Semaphore::new(cores);
        Ok(Self(Arc::new(Inner { users: RwLock::new(users), of_no_user: hash("no user has it")?, turns })))
    }

    /// Returns whether this is the user's password.
    pub(super) async fn check(&self, name: &str, password: Zeroizing<String>) -> Result<bool, Problem> {
        let known = self.read().get(name).map(|user| user.password.clone());
        let _turn = self.turn().await?;
        let users = self.clone();
        let checked = task::spawn_blocking(move || {
            let hash = known.as_ref().unwrap_or(&users.0.of_no_user);
            let is_right = Argon2::default().verify_password(password.as_bytes(), hash).is_ok();
            is_right && known.is_some()
        });
        checked.await.map_err(|error| Problem::unavailable(&error))
    }

    /// Sets the password of a user.
    pub(super) async fn set_password(&self, name: &str, password: Zeroizing<String>) -> Result<(), Problem> {
        let password = self.hash(password).await?;
        self.change(name, |user| user.password = password)
    }

    /// Sets the mail address of a user. A real service makes sure first that it is the user's.
    pub(super) fn set_mail(&self, name: &str, mail: String) -> Result<(), Problem> {
        self.change(name, |user| user.mail = mail)
    }

    /// Adds a user. Returns whether the name was free.
    pub(super) async fn add(&self, name: &str, password: Zeroizing<String>, mail: String) -> Result<bool, Problem> {
        let user = User { password: self.hash(password).await?, mail, role: None };
        let mut users = self.write();
        if users.contains_key(name) {
            return Ok(false);
        }
        users.insert(name.to_owned(), user);
        Ok(true)
    }

    /// Returns the mail address and the role of a user, if there is one.
    pub(super) fn find(&self, name: &str) -> Option<(String, Option<&'static str>)> {
        self.read().get(name).map(|user| (user.mail.clone(), user.role))
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.read().keys().cloned().collect()
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut User)) -> Result<(), Problem> {
        self.write().get_mut(name).map(change).ok_or_else(Problem::not_found)
    }

    async fn hash(&self, password: Zeroizing<String>) -> Result<PasswordHash, Problem> {
        let _turn = self.turn().await?;
        let hashed = task::spawn_blocking(move || hash(&password)).await;
        hashed.map_err(|error| Problem::unavailable(&error))?.map_err(|error| Problem::unavailable(&error))
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.0.turns.acquire().await.map_err(|error| Problem::unavailable(&error))
    }

    /// A thread that panicked while it had the lock has left no half of a change: each is one assignment.
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, User>> {
        self.0.users.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, User>> {
        self.0.users.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(password: &str) -> Result<PasswordHash, Failure> {
    Ok(Argon2::default().hash_password(password.as_bytes()).map_err(|error| error.to_string())?)
}

/// Asked at every log-in and refresh, so that a user who loses a role, or is removed, does not go on with it.
impl Subjects for Users {
    type Custom = NoCustom;

    async fn current(&self, session: &Family) -> Result<Grant, SubjectError> {
        let (_, role) = self.find(session.log_in.subject()).ok_or(SubjectError::Refused)?;
        let grant = Grant::all_scopes();
        Ok(role.into_iter().fold(grant, Grant::role))
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.read().keys()).finish()
    }
}
