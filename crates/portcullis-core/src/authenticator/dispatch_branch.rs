//! [`IntoBranch`]: the types that can be added to a dispatch.

use std::{fmt, sync::Arc};

use super::{Authenticator, Explain, explain::Explainable};

/// A type that can be a branch of a [`Dispatch`](super::Dispatch): an [`Authenticator`], or the result of [`Explain::explainable`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not authenticate credentials",
    note = "make a `JwtAuthenticator` of one or several `TrustedIssuer`s"
)]
pub trait IntoBranch {
    /// The type of the application's own claims. See [`Authenticator::Custom`].
    type Custom;

    /// Converts this into a branch.
    fn into_branch(self) -> DispatchBranch<Self::Custom>;
}

/// An authenticator of any type, as a branch of a [`Dispatch`](super::Dispatch). [`IntoBranch`] returns it.
pub struct DispatchBranch<C> {
    authenticator: Arc<dyn Authenticator<Custom = C>>,
    /// The authenticator again, if it can explain.
    explain: Option<Arc<dyn Explain<Custom = C>>>,
}

/// The parts of a branch.
type Parts<C> = (Arc<dyn Authenticator<Custom = C>>, Option<Arc<dyn Explain<Custom = C>>>);

impl<C> DispatchBranch<C> {
    pub(super) fn into_parts(self) -> Parts<C> {
        (self.authenticator, self.explain)
    }
}

impl<A: Authenticator> IntoBranch for A {
    type Custom = A::Custom;

    fn into_branch(self) -> DispatchBranch<A::Custom> {
        DispatchBranch { authenticator: Arc::new(self), explain: None }
    }
}

impl<A: Explain> IntoBranch for Explainable<A> {
    type Custom = A::Custom;

    fn into_branch(self) -> DispatchBranch<A::Custom> {
        let authenticator = Arc::new(self.0);
        DispatchBranch { authenticator: Arc::<A>::clone(&authenticator), explain: Some(authenticator) }
    }
}

impl<C> fmt::Debug for DispatchBranch<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.authenticator.fmt(f)
    }
}
