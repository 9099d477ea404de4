//! Who may log in.

use std::{collections::BTreeMap, fmt, sync::Arc};

use argon2::{
    Argon2,
    password_hash::{self, PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use zeroize::Zeroizing;

/// A user, as the file lists them.
#[derive(PartialEq, Eq)]
pub(crate) struct User {
    name: String,
    password: PasswordHash,
    scopes: Vec<String>,
    roles: Vec<String>,
}

impl User {
    pub(crate) fn new(name: String, password: PasswordHash, scopes: Vec<String>, roles: Vec<String>) -> Self {
        Self { name, password, scopes, roles }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn scopes(&self) -> &[String] {
        &self.scopes
    }

    pub(crate) fn roles(&self) -> &[String] {
        &self.roles
    }
}

/// A hash is not a password, but a start for guessing one.
impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

/// All users, by name. A real service has a database here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Users(BTreeMap<String, Arc<User>>);

impl Users {
    /// Adds a user; `false` if there is one of that name.
    pub(crate) fn add(&mut self, user: User) -> bool {
        self.0.insert(user.name.clone(), Arc::new(user)).is_none()
    }

    pub(crate) fn named(&self, name: &str) -> Option<&User> {
        self.0.get(name).map(Arc::as_ref)
    }

    /// The user of that name and password.
    ///
    /// Takes tens of milliseconds of computing by design, so call it where it does not block other requests. An unknown name takes
    /// as long as a wrong password, so that names cannot be found out.
    pub(crate) fn check(&self, name: &str, password: &str) -> Option<Arc<User>> {
        let user = self.0.get(name);
        let hash = user.or_else(|| self.0.values().next()).map(|user| &user.password)?;
        let right = Argon2::default().verify_password(password.as_bytes(), hash).is_ok();
        user.filter(|_| right).cloned()
    }
}

/// A password's hash for the file, with a random salt and the parameters that the crate recommends.
pub(crate) fn hash(password: &Zeroizing<String>) -> Result<String, password_hash::Error> {
    let hash: PasswordHash = Argon2::default().hash_password(password.as_bytes())?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users() -> Users {
        // Cheap on purpose: tests are no place to spend time on passwords.
        let argon2 = Argon2::from(argon2::Params::new(8, 1, 1, None).unwrap());
        let hash: PasswordHash = argon2.hash_password(b"wonderland").unwrap();
        let mut users = Users::default();
        assert!(users.add(User::new("alice".into(), hash, vec!["orders:read".into()], vec![])));
        users
    }

    #[test]
    fn the_right_password_gives_the_user() {
        assert_eq!(users().check("alice", "wonderland").unwrap().name(), "alice");
    }

    #[test]
    fn a_wrong_name_or_password_gives_nobody() {
        assert!(users().check("alice", "Wonderland").is_none());
        assert!(users().check("bob", "wonderland").is_none());
        assert!(Users::default().check("alice", "wonderland").is_none());
    }

    #[test]
    fn debug_shows_no_hash() {
        let shown = format!("{:?}", users());
        assert!(shown.contains("alice") && !shown.contains("argon2"), "{shown}");
    }
}
