//! [`Gate`]: the settings of a layer. What it decides by them is in `decide.rs`.

mod decide;

use std::{mem, sync::Arc};

use portcullis_core::{Clock, ConfigError, admission::AnyAdmission, authenticator::Scheme, verified::AnyVerified};

pub(crate) use self::decide::unusable;
use super::{source::Source, watch::Watch};
use crate::{
    context::{Manners, challenge_of},
    location::OriginalUriHook,
    metrics::{LayerCounters, Telemetry},
    rejection::BearerChallenge,
    telemetry::FingerprintKey,
};

/// The settings of a layer.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    pub(super) sources: Vec<Source>,
    pub(super) absent: Absent,
    manners: Option<Arc<Manners>>,
    pub(super) preflights: Preflights,
    pub(super) keep: Keep,
    pub(super) original_uri: Option<OriginalUriHook>,
    asserted: Option<Asserted>,
    fingerprint_key: FingerprintKey,
    watch: Watch,
    /// Whether several extractors of one request must not look for the credential again.
    remembers: bool,
}

/// The asserted identity of every request, and the clock that guards use.
#[derive(Clone, Debug)]
pub(super) struct Asserted {
    pub(super) verified: AnyVerified,
    pub(super) clock: Arc<dyn Clock>,
}

/// What happens to a request without a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    Refused,
    Anonymous,
}

/// What happens to a CORS preflight, which has no credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preflights {
    /// It is refused like any other request without a credential.
    Refused,
    /// It passes, without an identity.
    Passed,
}

/// Whether the token's text is kept with the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    Nothing,
    Token,
}

impl Gate {
    pub(super) fn new(sources: Vec<Source>, asserted: Option<Asserted>) -> Self {
        let mut gate = Self {
            sources,
            absent: Absent::Refused,
            manners: None,
            preflights: Preflights::Refused,
            keep: Keep::Nothing,
            original_uri: None,
            asserted,
            fingerprint_key: FingerprintKey::new(),
            watch: Watch::default(),
            remembers: false,
        };
        gate.sources_changed();
        gate
    }

    pub(super) fn set_challenge(&mut self, challenge: BearerChallenge) {
        self.manners_mut().challenge = challenge;
        self.tell_schemes();
    }

    /// Tells the challenge which schemes to offer: those that are accepted in `Authorization`, or `Bearer` if it is not read.
    fn tell_schemes(&mut self) {
        let mut offered: Vec<Scheme> = Vec::new();
        for scheme in self.sources.iter().filter(|source| source.is_authorization).flat_map(|source| &source.schemes) {
            if !offered.contains(scheme) {
                offered.push(*scheme);
            }
        }
        if !offered.is_empty() && (offered != [Scheme::Bearer] || self.manners.is_some()) {
            self.manners_mut().challenge.offer(offered);
        }
    }

    /// Derives what is needed for every request from the sources.
    fn sources_changed(&mut self) {
        self.remembers = self.sources.iter().any(Source::is_remembered);
        self.tell_schemes();
    }

    /// Whether several extractors of one request must not look for the credential again.
    #[cfg(feature = "axum")]
    pub(crate) fn remembers(&self) -> bool {
        self.remembers
    }

    pub(crate) fn challenge(&self) -> &BearerChallenge {
        challenge_of(self.manners.as_deref())
    }

    fn manners_mut(&mut self) -> &mut Manners {
        Arc::make_mut(self.manners.get_or_insert_default())
    }

    /// Adds a location for credentials.
    ///
    /// # Errors
    ///
    /// If the layer asserts a token, or already has this location.
    pub(super) fn add(&mut self, source: Source) -> Result<(), ConfigError> {
        if self.asserted.is_some() {
            return Err(ConfigError::new(
                "an AuthLayer made by `assertion` lets every request in as one token, so `or_at` contradicts it: leave \
                 one of the two out",
            ));
        }
        if self.sources.iter().any(|known| known.identity == source.identity) {
            let place = source.location.info();
            return Err(ConfigError::new(format!(
                "the AuthLayer looks for credentials at the same place twice ({}), so every credential there would be two: \
                 give one authenticator all issuers (`JwtAuthenticator::trusting`)",
                place.name()
            )));
        }
        self.sources.push(source);
        self.sources_changed();
        let watch = mem::take(&mut self.watch).recount(self.admissions());
        self.watch_by(watch);
        Ok(())
    }

    /// Counts requests under this name from now on.
    pub(super) fn count(&mut self, telemetry: Telemetry, name: String) {
        let watch = Watch::count(telemetry, name, self.admissions());
        self.watch_by(watch);
    }

    fn watch_by(&mut self, watch: Watch) {
        if let Some(counters) = watch.counters() {
            self.manners_mut().counters = Some(Arc::clone(counters));
        }
        self.watch = watch;
    }

    fn admissions(&self) -> impl Iterator<Item = &AnyAdmission> {
        self.sources.iter().map(|source| &source.admission)
    }

    fn counters(&self) -> Option<&LayerCounters> {
        self.watch.counters().map(|counters| &**counters)
    }

    /// Counts a refusal by an extractor that got its identity from this layer.
    #[cfg(feature = "axum")]
    pub(crate) fn count_refusal_behind(&self, error: &portcullis_core::AuthError) {
        if let Some(counters) = self.counters() {
            counters.refused_behind(error);
        }
    }
}
