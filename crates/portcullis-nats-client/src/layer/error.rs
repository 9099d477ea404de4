//! [`CallError`]: why there is no answer.

use std::{error::Error, sync::Arc};

use crate::SignError;

/// There is no answer to a request.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError<E> {
    /// The request was not signed, and not sent.
    #[error("the request cannot be signed")]
    Sign(#[source] SignError),
    /// The user's token has expired, and there is no new one. The request was not sent.
    #[error("the token of the user has expired")]
    Renew(#[source] RenewError),
    /// The client's own error.
    #[error("the request failed")]
    Client(#[source] E),
}

/// The user's token was not renewed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("it was not renewed")]
pub struct RenewError {
    #[source]
    source: Arc<dyn Error + Send + Sync>,
}

impl RenewError {
    pub(super) fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: source.into().into() }
    }
}
