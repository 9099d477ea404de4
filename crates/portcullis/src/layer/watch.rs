//! What a layer counts and traces of its decisions.

use std::{sync::Arc, time::Instant};

use portcullis_core::{AuthError, admission::AnyAdmission};

use crate::{
    metrics::{Admittance, LayerCounters, Telemetry},
    telemetry::{EnteredSpan, Fingerprint, VerificationSpan},
};

/// By what a layer counts, and under which name; nothing unless it was given a [`Telemetry`].
#[derive(Clone, Debug, Default)]
pub(super) struct Watch(Option<Counting>);

#[derive(Clone, Debug)]
struct Counting {
    telemetry: Telemetry,
    name: String,
    counters: Arc<LayerCounters>,
}

impl Watch {
    /// Counts requests under that name, whose credentials these admissions decide about.
    pub(super) fn count<'a>(
        telemetry: Telemetry,
        name: String,
        admissions: impl Iterator<Item = &'a AnyAdmission>,
    ) -> Self {
        let counters = telemetry.layer(&name, admissions.flat_map(AnyAdmission::issuers).collect());
        Self(Some(Counting { telemetry, name, counters }))
    }

    /// Counts anew with these admissions, which may have other issuers. What was counted for the layer so far belongs to no request.
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

    /// The verification of a credential begins.
    #[cold]
    pub(super) fn begin(&self, token: Option<Fingerprint>) -> Begun<EnteredSpan> {
        Begun { at: self.0.is_some().then(Instant::now), span: VerificationSpan::enter(token) }
    }
}

/// A verification that has begun, with its span, which was entered or not.
#[derive(Debug)]
pub(crate) struct Begun<S = VerificationSpan> {
    /// When it began, if that is counted.
    at: Option<Instant>,
    span: S,
}

impl Begun<EnteredSpan> {
    pub(super) fn leave(self) -> Begun {
        Begun { at: self.at, span: VerificationSpan::leave(self.span) }
    }
}

impl Begun {
    /// Does something that belongs to the verification.
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

/// A credential of that issuer was admitted: it was remembered unless a verification has begun.
#[inline]
pub(super) fn admitted(counters: Option<&LayerCounters>, begun: Option<Begun>, issuer: &str) {
    let admittance = if begun.is_some() { Admittance::Verified } else { Admittance::Remembered };
    if let Some(counters) = counters {
        counters.admitted(admittance, issuer);
    }
    if let Some(begun) = begun {
        begun.end(counters, Ok(issuer));
    }
}

/// A credential was not admitted.
#[cold]
pub(super) fn refused(counters: Option<&LayerCounters>, begun: Option<Begun>, error: &AuthError) {
    if let Some(counters) = counters {
        counters.refused(error);
    }
    if let Some(begun) = begun {
        begun.end(counters, Err(error));
    }
}
