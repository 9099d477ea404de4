//! An answer that is usually there at once.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use crate::AuthError;

/// The outcome of [`Authenticator::verify`](crate::Authenticator::verify): here already, or on its way.
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "an outcome that nobody looks at lets everybody in"]
pub enum Attempt<T> {
    /// The outcome.
    Done(Result<T, AuthError>),
    /// The outcome takes time: a key has to be fetched, a store asked.
    Waiting(Waiting<T>),
}

/// The future of an outcome.
pub struct Waiting<T>(Pin<Box<dyn Future<Output = Result<T, AuthError>> + Send>>);

impl<T> Attempt<T> {
    /// An outcome that the future given will have.
    pub fn waiting(future: impl Future<Output = Result<T, AuthError>> + Send + 'static) -> Self {
        Self::Waiting(Waiting(Box::pin(future)))
    }

    /// The outcome, if it is there; `None` if it takes time.
    pub fn ready(self) -> Option<Result<T, AuthError>> {
        match self {
            Self::Done(outcome) => Some(outcome),
            Self::Waiting(_) => None,
        }
    }

    /// The outcome, waited for if need be.
    ///
    /// # Errors
    ///
    /// That of the attempt.
    pub async fn outcome(self) -> Result<T, AuthError> {
        match self {
            Self::Done(outcome) => outcome,
            Self::Waiting(waiting) => waiting.await,
        }
    }
}

impl<T: 'static> Attempt<T> {
    /// The same attempt with its success converted.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U + Send + 'static) -> Attempt<U> {
        match self {
            Self::Done(outcome) => Attempt::Done(outcome.map(convert)),
            Self::Waiting(waiting) => Attempt::waiting(async move { waiting.await.map(convert) }),
        }
    }
}

impl<T> Future for Waiting<T> {
    type Output = Result<T, AuthError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl<T> fmt::Debug for Waiting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waiting(..)")
    }
}
