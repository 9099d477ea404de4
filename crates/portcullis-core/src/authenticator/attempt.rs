//! [`Attempt`]: an outcome that is usually available at once.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use crate::AuthError;

/// The outcome of [`Authenticator::verify`](crate::Authenticator::verify): available, or still pending.
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "an ignored outcome admits every caller"]
pub enum Attempt<T> {
    /// The outcome.
    Done(Result<T, AuthError>),
    /// The outcome takes time: a key has to be fetched, or a store asked.
    Waiting(Waiting<T>),
}

/// The future of an outcome.
pub struct Waiting<T>(Pin<Box<dyn Future<Output = Result<T, AuthError>> + Send>>);

impl<T> Attempt<T> {
    /// Returns an attempt whose outcome is that of `future`.
    pub fn waiting(future: impl Future<Output = Result<T, AuthError>> + Send + 'static) -> Self {
        Self::Waiting(Waiting(Box::pin(future)))
    }

    /// Returns the outcome if it is available; `None` if it takes time.
    pub fn ready(self) -> Option<Result<T, AuthError>> {
        match self {
            Self::Done(outcome) => Some(outcome),
            Self::Waiting(_) => None,
        }
    }

    /// Returns the outcome, after waiting if necessary.
    ///
    /// # Errors
    ///
    /// The error of the attempt.
    pub async fn outcome(self) -> Result<T, AuthError> {
        match self {
            Self::Done(outcome) => outcome,
            Self::Waiting(waiting) => waiting.await,
        }
    }
}

impl<T: 'static> Attempt<T> {
    /// Converts the success value.
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
