//! [`ProofLayer`]: the settings.

use std::{error::Error, fmt, future::Future, sync::Arc, time::Duration};

use portcullis_core::{Clock, clock::SystemClock};
use tower_layer::Layer;

use super::{CloneBody, ProofService, renewal::Renewal};
use crate::ProofSigner;

/// Signs each request. See the [module docs](super) for the rules. Cheap to clone; clones share everything.
pub struct ProofLayer<R = CloneBody> {
    pub(super) signer: ProofSigner,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) renewal: Option<Arc<Renewal>>,
    pub(super) repeat: Arc<R>,
}

impl ProofLayer {
    /// Signs with this signer. Keep a clone of it, to replace the token or the account that it brings along.
    pub fn new(signer: ProofSigner) -> Self {
        Self { signer, clock: Arc::new(SystemClock), renewal: None, repeat: Arc::new(CloneBody) }
    }
}

impl<R> ProofLayer<R> {
    /// Sets the clock. Defaults to [`SystemClock`].
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Sets how bodies are repeated: a closure, or a [`RepeatBody`](super::RepeatBody). Defaults to cloning them.
    #[must_use]
    pub fn repeat<N>(self, repeat: N) -> ProofLayer<N> {
        ProofLayer { signer: self.signer, clock: self.clock, renewal: self.renewal, repeat: Arc::new(repeat) }
    }

    /// Renews the user's token by this function, from `ahead` before it expires. The function asks a service for a token of the same user, such as an
    /// enrolment service, and returns it. Defaults to no renewal.
    ///
    /// If it fails, the old token is used as long as it is valid, and the next attempt comes five seconds later.
    #[must_use]
    pub fn renew<F, T, E>(self, ahead: Duration, renew: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Self { renewal: Some(Arc::new(Renewal::new(ahead, renew))), ..self }
    }

    /// Returns the signer.
    pub fn signer(&self) -> &ProofSigner {
        &self.signer
    }
}

impl<S, R> Layer<S> for ProofLayer<R> {
    type Service = ProofService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        ProofService::new(inner, self.clone())
    }
}

/// Not derived, because that would require `R: Clone`.
impl<R> Clone for ProofLayer<R> {
    fn clone(&self) -> Self {
        Self {
            signer: self.signer.clone(),
            clock: Arc::clone(&self.clock),
            renewal: self.renewal.clone(),
            repeat: Arc::clone(&self.repeat),
        }
    }
}

impl<R> fmt::Debug for ProofLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofLayer")
            .field("signer", &self.signer)
            .field("clock", &self.clock)
            .field("renews", &self.renewal.is_some())
            .finish_non_exhaustive()
    }
}
