//! [`Subjects`]: which rights a subject has now.

use std::{fmt, future::Future};

use portcullis_core::verified::NoCustom;
use serde::Serialize;

use super::{Family, StoreError};

/// Which rights the subjects of sessions have now: the application is asked at every log-in, before the session is opened, and at every refresh, so that a
/// user who was disabled, or has other roles, does not go on with what was right at the log-in.
pub trait Subjects: fmt::Debug + Send + Sync + 'static {
    /// The application's own claims in access tokens; [`NoCustom`] for none.
    type Custom: Serialize + Send + Sync;

    /// Returns what an access token of this session may say now.
    ///
    /// # Errors
    ///
    /// [`SubjectError::Refused`] ends the session, or refuses the log-in. [`SubjectError::Unavailable`] leaves it as it is, and the client may try again.
    fn current(&self, session: &Family) -> impl Future<Output = Result<Grant<Self::Custom>, SubjectError>> + Send;
}

/// What an access token says about its subject, besides who it is.
#[derive(Clone)]
pub struct Grant<C = NoCustom> {
    /// `None` for all.
    pub(super) scopes: Option<Vec<String>>,
    pub(super) roles: Vec<String>,
    pub(super) custom: Option<C>,
}

impl Grant {
    /// Returns a grant of all scopes that were granted at the log-in, without roles: for applications in which users do not lose scopes.
    pub const fn all_scopes() -> Self {
        Self { scopes: None, roles: Vec::new(), custom: None }
    }

    /// Returns a grant of these scopes, as far as they were granted at the log-in, without roles. An empty list grants no scope.
    ///
    /// ```
    /// use portcullis_issuer::refresh::Grant;
    ///
    /// let of_now = ["orders:read"]; // what the user may do now, from the application's own data
    /// let grant = Grant::scopes(of_now).role("clerk");
    /// ```
    pub fn scopes<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes = scopes.into_iter().map(|scope| scope.as_ref().to_owned()).collect();
        Self { scopes: Some(scopes), ..Self::all_scopes() }
    }
}

impl<C> Grant<C> {
    /// Adds a role.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.roles.push(role.into());
        self
    }

    /// Sets the application's own claims.
    #[must_use]
    pub fn custom<D>(self, claims: D) -> Grant<D> {
        Grant { scopes: self.scopes, roles: self.roles, custom: Some(claims) }
    }
}

/// Shows no rights and no claims.
impl<C> fmt::Debug for Grant<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").finish_non_exhaustive()
    }
}

/// Why there is no grant.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SubjectError {
    /// The subject may not go on: it was disabled or deleted, or has changed its password.
    Refused,
    /// It could not be found out.
    Unavailable(StoreError),
}

/// Checks nothing: a user who has logged in goes on until the session ends.
///
/// This is weaker than [`Subjects`] of your own: a user who is disabled or loses a role keeps both until then, unless the session is
/// ended as well.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a unit that is written down by name")]
pub struct DangerUncheckedSubjects;

impl Subjects for DangerUncheckedSubjects {
    type Custom = NoCustom;

    async fn current(&self, _: &Family) -> Result<Grant, SubjectError> {
        Ok(Grant::all_scopes())
    }
}
