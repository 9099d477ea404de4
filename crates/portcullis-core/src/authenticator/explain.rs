//! [`Explain`]: an authenticator that can report each of its checks.

use std::{future::Future, pin::Pin, sync::Arc};

use super::{Authenticator, Credential, Proven};
use crate::{AuthError, explain::Recorder};

/// The future that [`Explain::explain`] returns.
pub type Explaining<'a, C> = Pin<Box<dyn Future<Output = Result<Proven<C>, AuthError>> + Send + 'a>>;

/// An authenticator that can report each of its checks. It is a separate trait, so that a program that never explains does not contain the code.
///
/// The outcome must be the same as that of [`verify`](Authenticator::verify) for the same credential, and must be an error exactly if a failed
/// check was noted. This is easiest if both methods run the same code.
pub trait Explain: Authenticator {
    /// Verifies the credential, and notes each check with its outcome in `recorder`.
    fn explain<'a>(&'a self, credential: Credential<'a>, recorder: &'a mut Recorder) -> Explaining<'a, Self::Custom>;

    /// Returns the authenticator as a branch of a [`Dispatch`](super::Dispatch) that reports its checks when the dispatch explains.
    fn explainable(self) -> Explainable<Self>
    where
        Self: Sized,
    {
        Explainable(self)
    }
}

/// An authenticator that reports its checks as a branch of a [`Dispatch`](super::Dispatch). [`Explain::explainable`] returns it.
#[derive(Clone, Debug)]
pub struct Explainable<A>(pub(super) A);

impl<T: Explain + ?Sized> Explain for Arc<T> {
    fn explain<'a>(&'a self, credential: Credential<'a>, recorder: &'a mut Recorder) -> Explaining<'a, Self::Custom> {
        (**self).explain(credential, recorder)
    }
}
