//! [`CurrentSigner`]: says with which key the next token is signed.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use portcullis_core::Algorithm;

use super::{SignError, Signer};

/// Says with which key the next token is signed. Every [`Signer`] always answers itself; a [`KeyRing`](crate::key_ring::KeyRing) answers
/// the key that is active now.
///
/// Implement it for keys that live elsewhere and are replaced there.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which key signs",
    note = "use a `SigningKey`, a `Signer` of your own, or a `KeyRing`"
)]
pub trait CurrentSigner: fmt::Debug + Send + Sync + 'static {
    /// Returns the algorithm of its signatures, which the specification of the tokens has to allow.
    fn current_algorithm(&self) -> Algorithm;

    /// Chooses the signer of a token that lives for at most `lifetime`. Called for every token, so answer from memory.
    ///
    /// A key that is replaced stays published until its longest token has expired, so a ring has to know the lifetime before it signs.
    fn choose(self: Arc<Self>, lifetime: Duration) -> Choosing;
}

impl<T: Signer> CurrentSigner for T {
    fn current_algorithm(&self) -> Algorithm {
        self.algorithm()
    }

    fn choose(self: Arc<Self>, _: Duration) -> Choosing {
        Choosing::Done(Ok(self))
    }
}

/// A signer that is at hand, or that takes time to be chosen. Await it in either case.
#[non_exhaustive]
#[must_use = "a signer is chosen only if it is awaited"]
pub enum Choosing {
    /// The signer, or why there is none.
    Done(Result<Arc<dyn Signer>, SignError>),
    /// It takes time.
    Waiting(WaitingForSigner),
}

impl Choosing {
    /// Returns a choice that is the output of `future`.
    pub fn waiting(future: impl Future<Output = Result<Arc<dyn Signer>, SignError>> + Send + 'static) -> Self {
        Self::Waiting(WaitingForSigner(Box::pin(future)))
    }

    /// Returns the signer, after waiting if necessary.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn outcome(self) -> Result<Arc<dyn Signer>, SignError> {
        match self {
            Self::Done(outcome) => outcome,
            Self::Waiting(waiting) => waiting.await,
        }
    }
}

impl fmt::Debug for Choosing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(outcome) => f.debug_tuple("Done").field(outcome).finish(),
            Self::Waiting(_) => f.write_str("Waiting(..)"),
        }
    }
}

/// The future of a signer.
pub struct WaitingForSigner(Pin<Box<dyn Future<Output = Outcome> + Send>>);

type Outcome = Result<Arc<dyn Signer>, SignError>;

impl Future for WaitingForSigner {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for WaitingForSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WaitingForSigner(..)")
    }
}
