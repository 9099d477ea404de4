//! The outcomes for a request: it passes, it waits, or it is refused.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use portcullis_core::{AuthError, admission::Admitted, authenticator::Waiting};

use super::watch::{self, Begun};
use crate::{
    context::{Presence, Rare, scheme_of, under},
    metrics::LayerCounters,
    telemetry::{self, Fingerprint},
};

/// Why a request does not pass at once. Separate from [`Pass`], so that the compiler keeps this off the common path.
#[derive(Debug)]
pub(crate) enum NotAdmitted {
    Refused(AuthError),
    Waiting(PendingPass),
}

/// A request that may pass, with the data for its extensions. `source` is the number of the source that had its credential.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(super) presence: Presence,
    pub(super) source: Option<usize>,
}

/// A request whose token is still being verified.
#[derive(Debug)]
pub(crate) struct PendingPass {
    pub(super) waiting: Waiting<Admitted>,
    pub(super) source: usize,
    pub(super) rare: Option<Box<Rare>>,
    pub(super) fingerprint: Option<Fingerprint>,
    /// The verification, if it is counted or traced.
    pub(super) begun: Option<Begun>,
    pub(super) counters: Option<Arc<LayerCounters>>,
}

impl Pass {
    pub(super) fn of(admitted: Admitted, source: usize, rare: Option<Box<Rare>>) -> Self {
        Self { presence: Presence::Verified(admitted, rare), source: Some(source) }
    }

    pub(super) fn without_source(presence: Presence) -> Self {
        Self { presence, source: None }
    }
}

impl PendingPass {
    /// Waits for the outcome.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Admitted, AuthError>> {
        let Self { waiting, begun, .. } = self;
        let poll = || Pin::new(waiting).poll(context);
        match begun {
            Some(begun) => begun.within(poll),
            None => poll(),
        }
    }

    /// Decides about a request that had to wait, once `outcome` is known.
    pub(crate) fn conclude(&mut self, outcome: Result<Admitted, AuthError>) -> Result<Pass, AuthError> {
        let (counters, begun) = (self.counters.as_deref(), self.begun.take());
        match outcome {
            Ok(admitted) => {
                watch::admitted(counters, begun, admitted.verified.issuer());
                Ok(Pass::of(admitted, self.source, self.rare.take()))
            }
            Err(error) => {
                watch::refused(counters, begun, &error);
                Err(logged(under(scheme_of(self.rare.as_deref()), error), self.fingerprint))
            }
        }
    }
}

/// Writes the log event of a refusal.
pub(super) fn logged(error: AuthError, token: Option<Fingerprint>) -> AuthError {
    telemetry::request_refused(&error, token);
    error
}
