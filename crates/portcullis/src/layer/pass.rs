//! The outcomes for a request: it passes, it waits, or it is refused.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use portcullis_core::{AuthError, admission::Admitted, authenticator::Waiting};

use super::watch::{self, Begun};
use crate::{
    AuthContext,
    context::{Manners, Rare, scheme_of, under},
    telemetry::{self, Fingerprint},
};

/// Why a request does not pass at once. Separate from [`Pass`], so that the compiler keeps this off the common path.
#[derive(Debug)]
pub(crate) enum NotAdmitted {
    Refused(AuthError),
    Waiting(PendingPass),
}

/// A request that may pass, with what goes into its extensions. `source` is the number of the source that had its credential.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(super) context: AuthContext,
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
    pub(super) manners: Option<Arc<Manners>>,
}

impl Pass {
    #[inline]
    pub(super) fn from_source(source: usize, context: AuthContext) -> Self {
        Self { context, source: Some(source) }
    }

    pub(super) fn without_source(context: AuthContext) -> Self {
        Self { context, source: None }
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
        let counters = self.manners.as_ref().and_then(|manners| manners.counters.as_deref());
        let begun = self.begun.take();
        match outcome {
            Ok(admitted) => {
                watch::admitted(counters, begun, admitted.verified.issuer());
                let context = AuthContext::admitted_as(admitted, self.rare.take(), self.manners.clone());
                Ok(Pass::from_source(self.source, context))
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
