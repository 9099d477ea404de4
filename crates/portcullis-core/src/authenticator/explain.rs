//! The seam for saying why.

use std::{future::Future, pin::Pin, sync::Arc};

use super::{Authenticator, Credential, Proven};
use crate::{AuthError, explain::Recorder};

/// The outcome of [`Explain::explain`], to be waited for.
pub type Explaining<'a, C> = Pin<Box<dyn Future<Output = Result<Proven<C>, AuthError>> + Send + 'a>>;

/// An authenticator that can name the checks it makes. A trait of its own, so that a program that never explains contains nothing of it.
///
/// The outcome must be that of [`verify`](Authenticator::verify) for the same credential, and be an error exactly if a check was noted that has failed:
/// best, both run the same code.
pub trait Explain: Authenticator {
    /// Finds out whom the credential proves, and notes each check with what came of it.
    fn explain<'a>(&'a self, credential: Credential<'a>, recorder: &'a mut Recorder) -> Explaining<'a, Self::Custom>;

    /// Returns the authenticator as a branch of a [`Dispatch`](super::Dispatch) that names its checks when the dispatch is asked to explain.
    fn explainable(self) -> Explainable<Self>
    where
        Self: Sized,
    {
        Explainable(self)
    }
}

/// An authenticator that is a branch of a [`Dispatch`](super::Dispatch) and names its checks. Made by [`Explain::explainable`].
#[derive(Clone, Debug)]
pub struct Explainable<A>(pub(super) A);

impl<T: Explain + ?Sized> Explain for Arc<T> {
    fn explain<'a>(&'a self, credential: Credential<'a>, recorder: &'a mut Recorder) -> Explaining<'a, Self::Custom> {
        (**self).explain(credential, recorder)
    }
}
