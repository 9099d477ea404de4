//! [`Watch`]: counts and traces a layer's decisions.

use std::{sync::Arc, time::Instant};

use portcullis_core::{AuthError, admission::AnyAdmission};

use crate::{
    metrics::{Admittance, LayerCounters, Telemetry},
    telemetry::{EnteredSpan, Fingerprint, VerificationSpan},
};

/// The layer's counters and its name; counts nothing unless the layer has a [`Telemetry`].
#[derive(Clone, Debug, Default)]
pub(super) struct Watch(Option<Counting>);

#[derive(Clone, Debug)]
struct Counting {
    telemetry: Telemetry,
    name: String,
    counters: Arc<LayerCounters>,
}

impl Watch {
    /// Counts requests under this name. The admissions name the issuers.
    pub(super) fn count<'a>(
        telemetry: Telemetry,
        name: String,
        admissions: impl Iterator<Item = &'a AnyAdmission>,
    ) -> Self {
        let counters = telemetry.layer(&name, admissions.flat_map(AnyAdmission::issuers).collect());
        Self(Some(Counting { telemetry, name, counters }))
    }

    /// Counts with these admissions from now on, which may have other issuers. Nothing was counted before, because the layer has not
    /// served a request yet.
    pub(super) fn recount<'a>(self, admissions: impl Iterator<Item = &'a AnyAdmission>) -> Self {
        let Some(Counting { telemetry, name, counters }) = self.0 else { return self };
        telemetry.forget(&counters);
        Self::count(telemetry, name, admissions)
    }

    #[inline]
    pub(super) fn counters(&self) -> Option<&Arc<LayerCounters>> {
        self.0.as_ref().map(|counting| &counting.counters)
    }

    /// Whether decisions are counted, or traced at the moment.
    #[inline]
    pub(super) fn is_on(&self) -> bool {
        self.0.is_some() || VerificationSpan::is_wanted()
    }

    /// Starts the verification of a credential.
    #[cold]
    pub(super) fn begin(&self, token: Option<Fingerprint>) -> Begun<EnteredSpan> {
        Begun { at: self.0.is_some().then(Instant::now), span: VerificationSpan::enter(token) }
    }
}

/// A verification in progress, with its span, which may be entered.
#[derive(Debug)]
pub(crate) struct Begun<S = VerificationSpan> {
    /// When it began, if durations are counted.
    at: Option<Instant>,
    span: S,
}

impl Begun<EnteredSpan> {
    pub(super) fn leave(self) -> Begun {
        Begun { at: self.at, span: VerificationSpan::leave(self.span) }
    }
}

impl Begun {
    /// Runs `work` as part of the verification.
    pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        self.span.within(work)
    }

    #[cold]
    fn end(self, counters: Option<&LayerCounters>, outcome: Result<&str, &AuthError>) {
        if let (Some(counters), Some(at)) = (counters, self.at) {
            counters.verified_in(at.elapsed());
        }
        self.span.end(outcome);
    }
}

/// Records that a credential of this issuer was admitted. It was cached if no verification has begun.
#[inline]
pub(super) fn admitted(counters: Option<&LayerCounters>, begun: Option<Begun>, issuer: &str) {
    let admittance = if begun.is_some() { Admittance::Verified } else { Admittance::Cached };
    if let Some(counters) = counters {
        counters.admitted(admittance, issuer);
    }
    if let Some(begun) = begun {
        begun.end(counters, Ok(issuer));
    }
}

/// Records that a credential was not admitted.
#[cold]
pub(super) fn refused(counters: Option<&LayerCounters>, begun: Option<Begun>, error: &AuthError) {
    if let Some(counters) = counters {
        counters.refused(error);
    }
    if let Some(begun) = begun {
        begun.end(counters, Err(error));
    }
}
