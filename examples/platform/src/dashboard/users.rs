//! [`Users`]: who may log in, and what they may do.

use std::{collections::BTreeMap, fmt, sync::Arc};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, phc::PasswordHash},
};
use portcullis::verified::NoCustom;
use portcullis_issuer::refresh::{Family, Grant, SubjectError, Subjects};
use zeroize::Zeroizing;

use super::passwords::Passwords;
use crate::Failure;

/// The users. A real service has a database here.
#[derive(Clone)]
pub(super) struct Users(Arc<Inner>);

struct Inner {
    users: BTreeMap<String, User>,
    passwords: Passwords,
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
        Ok(Self(Arc::new(Inner { users, passwords: Passwords::new() })))
    }

    /// Returns whether this is the user's password. An unknown name takes as long as a wrong password.
    pub(super) async fn check(&self, name: &str, password: Zeroizing<String>) -> Result<bool, Failure> {
        let user = self.0.users.get(name);
        let Some(any) = user.or_else(|| self.0.users.values().next()) else { return Ok(false) };
        let is_right = self.0.passwords.is_right(any.password.clone(), password).await?;
        Ok(is_right && user.is_some())
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
