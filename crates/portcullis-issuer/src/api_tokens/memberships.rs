//! [`Memberships`]: what owners of tokens may do now.

use std::{fmt, future::Future, sync::Arc};

use super::{Grant, Grants, Owner};
use crate::StoreError;

/// What the owners of tokens may do now. The application is asked each time a token is looked up, which is once a minute for a token in use: a token never
/// does more than its owner may at the time.
///
/// Call [`memberships_changed`](super::ApiTokens::memberships_changed) when an owner gets or loses a right: this instance then asks again at once. Others do
/// within a minute.
pub trait Memberships: fmt::Debug + Send + Sync + 'static {
    /// Returns everything that the owner may do now: roles on instances, and scopes.
    ///
    /// Name them one by one: a role as [`Grant::Role`] for each instance, because guards read `/grants/{instance}`, and
    /// [`Grant::RoleEverywhere`] is in no `/grants/<instance>`. [`Grant::Everything`] of an owner is a limit that limits nothing: a token of it that may do everything, too, has then nothing
    /// that a guard could read.
    ///
    /// # Errors
    ///
    /// If the owner no longer exists, or it could not be found out. The second is answered by a 503, never by the rights of yesterday.
    fn of(&self, owner: &Owner) -> impl Future<Output = Result<Grants, MembershipError>> + Send;
}

impl<T: Memberships> Memberships for Arc<T> {
    fn of(&self, owner: &Owner) -> impl Future<Output = Result<Grants, MembershipError>> + Send {
        (**self).of(owner)
    }
}

/// Why it is not known what an owner may do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum MembershipError {
    /// There is no such owner any more. Its tokens are refused.
    OwnerGone,
    /// It could not be found out.
    Unavailable(StoreError),
}

/// Asks no one: a token may do what it was granted, whatever becomes of its owner.
///
/// This is weaker than [`Memberships`] of your own: a user who leaves an organisation, or loses a role, keeps both in their tokens until those are revoked.
/// Tokens that may do [`Everything`](Grant::Everything) have no right at all then, because nothing says what that is.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a unit that is written down by name")]
pub struct DangerUncheckedMemberships;

impl Memberships for DangerUncheckedMemberships {
    async fn of(&self, _: &Owner) -> Result<Grants, MembershipError> {
        Ok([Grant::Everything].into_iter().collect())
    }
}
