//! The decision about one request, made without touching it.

use std::{borrow::Cow, sync::Arc};

use http::{
    HeaderMap, Method,
    header::{ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH, ORIGIN, TRANSFER_ENCODING},
};
use portcullis_core::{
    AuthError, Clock, Code, ConfigError,
    admission::{Admitted, AnyAdmission, IntoAdmission},
    authenticator::{Attempt, Presented, Waiting},
    verified::AnyVerified,
};

use crate::{
    AuthContext,
    context::{Manners, Presence, PresentedToken, challenge_of},
    location::{Caching, Found, OriginalUriHook, RequestHead, RequestHeadMut, TokenLocation, View},
    rejection::BearerChallenge,
    telemetry::{self, Fingerprint, FingerprintKey},
};

/// What a layer is made of.
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
}

/// As whom every request is let in, and by whose clock guards decide.
#[derive(Clone, Debug)]
pub(super) struct Asserted {
    pub(super) verified: AnyVerified,
    pub(super) clock: Arc<dyn Clock>,
}

/// A place for credentials, and who decides about those found there.
#[derive(Clone, Debug)]
pub(super) struct Source {
    location: Arc<dyn TokenLocation>,
    admission: AnyAdmission,
    caching: Caching,
    /// The location's type and settings: two that are equal are the same place.
    identity: String,
    /// Whether the credential may be taken out of the request. Everywhere but in `Authorization`, to be safe.
    #[cfg(feature = "axum")]
    strips: bool,
}

/// What happens to a request without a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    Refused,
    Anonymous,
}

/// What happens to a CORS preflight without a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preflights {
    /// It is a request without a credential like any other.
    Refused,
    /// It goes on, without an identity.
    Passed,
}

/// Whether the token's text stays with the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    Nothing,
    Token,
}

/// Why a request does not go on at once. Apart from [`Pass`], so that the way of all the others is compiled without it.
#[derive(Debug)]
pub(crate) enum NotAdmitted {
    Refused(AuthError),
    Waiting(PendingPass),
}

type Outcome = Result<Pass, NotAdmitted>;

/// The octets of a credential, and in which source they are.
type Located<'r> = (usize, Cow<'r, [u8]>);

/// A request may go on, with this in its extensions. `source` is where its credential was, by number.
#[derive(Debug)]
pub(crate) struct Pass {
    presence: Presence,
    source: Option<usize>,
}

/// A request whose token is still being verified.
#[derive(Debug)]
pub(crate) struct PendingPass {
    pub(crate) waiting: Waiting<Admitted>,
    source: usize,
    kept: Option<PresentedToken>,
    fingerprint: Option<Fingerprint>,
}

impl Gate {
    pub(super) fn new(sources: Vec<Source>, asserted: Option<Asserted>) -> Self {
        Self {
            sources,
            absent: Absent::Refused,
            manners: None,
            preflights: Preflights::Refused,
            keep: Keep::Nothing,
            original_uri: None,
            asserted,
            fingerprint_key: FingerprintKey::new(),
        }
    }

    /// Whether a credential may be gone from a request once it was found.
    #[cfg(feature = "axum")]
    pub(crate) fn strips(&self) -> bool {
        self.sources.iter().any(|source| source.strips)
    }

    pub(crate) fn challenge(&self) -> &BearerChallenge {
        challenge_of(self.manners.as_deref())
    }

    pub(super) fn manners_mut(&mut self) -> &mut Manners {
        Arc::make_mut(self.manners.get_or_insert_default())
    }

    /// Adds a place for credentials.
    ///
    /// # Errors
    ///
    /// If the layer asserts a token and so has no such place, or has this one already.
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
        Ok(())
    }

    /// Decides about a request by the layer's own rules for absent credentials and for preflights.
    #[inline]
    pub(crate) fn admit(&self, head: RequestHead<'_>) -> Outcome {
        self.admit_with(head, self.absent, self.preflights)
    }

    /// Decides about a request, letting it in as anonymous if it has no credential.
    #[cfg(feature = "axum")]
    pub(crate) fn admit_optional(&self, head: RequestHead<'_>) -> Outcome {
        self.admit_with(head, Absent::Anonymous, Preflights::Refused)
    }

    #[inline]
    fn admit_with(&self, head: RequestHead<'_>, absent: Absent, preflights: Preflights) -> Outcome {
        match self.find(head) {
            Ok(Some((source, octets))) => self.ask(head, source, &octets),
            Ok(None) => self.without_credential(head, absent, preflights),
            Err(error) => Err(NotAdmitted::Refused(refused(error, None))),
        }
    }

    #[cold]
    fn without_credential(&self, head: RequestHead<'_>, absent: Absent, preflights: Preflights) -> Outcome {
        if let Some(Asserted { verified, clock }) = &self.asserted {
            let admitted = Admitted::assertion(verified.clone(), clock.now());
            return Ok(without_source(Presence::Verified(admitted, None)));
        }
        if preflights == Preflights::Passed && is_preflight(head) {
            return Ok(without_source(Presence::Preflight));
        }
        if absent == Absent::Anonymous {
            return Ok(without_source(Presence::Anonymous));
        }
        Err(NotAdmitted::Refused(refused(self.missing(head), None)))
    }

    /// Returns the error for a missing credential, with an explanation for the log.
    #[cold]
    fn missing(&self, head: RequestHead<'_>) -> AuthError {
        let error = AuthError::new(Code::CredentialMissing);
        if is_preflight(head) {
            return error.with_explanation(
                "a CORS preflight, which never has a credential: put a CorsLayer outside of the AuthLayer, where it answers \
                 preflights",
            );
        }
        match self.sources.iter().find_map(|source| source.location.hint(head)) {
            Some(hint) => error.with_explanation(hint),
            None => error,
        }
    }

    fn kept(&self, octets: &[u8]) -> Option<PresentedToken> {
        (self.keep == Keep::Token).then(|| PresentedToken::new(octets))
    }

    /// The octets of the one credential, and in which source they are. Every location is looked at, whatever the first one holds: a second
    /// credential is refused, not ignored (RFC 6750 section 2).
    #[inline]
    fn find<'r>(&self, head: RequestHead<'r>) -> Result<Option<Located<'r>>, AuthError> {
        let mut credential = None;
        for (at, source) in self.sources.iter().enumerate() {
            match source.location.find(head) {
                Found::Absent => {}
                Found::Token(octets) if credential.is_none() => credential = Some((at, octets)),
                found => return Err(unusable(&found)),
            }
        }
        Ok(credential)
    }

    #[inline]
    fn ask(&self, head: RequestHead<'_>, source: usize, octets: &[u8]) -> Outcome {
        let view = View { head, original_uri: self.original_uri };
        match self.sources[source].admission.admit(Presented::bearer(octets).with_request(&view)) {
            Attempt::Done(Ok(admitted)) => Ok(pass(admitted, source, self.kept(octets))),
            attempt => Err(self.not_admitted(attempt, source, octets)),
        }
    }

    #[cold]
    fn not_admitted(&self, attempt: Attempt<Admitted>, source: usize, octets: &[u8]) -> NotAdmitted {
        let fingerprint = self.fingerprint_key.fingerprint(octets);
        match attempt {
            Attempt::Done(Err(error)) => NotAdmitted::Refused(refused(error, fingerprint)),
            Attempt::Waiting(waiting) => {
                NotAdmitted::Waiting(PendingPass { waiting, source, kept: self.kept(octets), fingerprint })
            }
            _ => {
                let error =
                    AuthError::new(Code::ServiceMisconfigured).with_explanation("an attempt of an unknown kind");
                NotAdmitted::Refused(refused(error, None))
            }
        }
    }

    /// Takes the credential out of the request where its location says so. Gives what goes into the extensions, and
    /// what caches may do with the response.
    #[inline]
    pub(crate) fn prepare(&self, pass: Pass, request: &mut RequestHeadMut<'_>) -> (AuthContext, Caching) {
        let caching = match pass.source.map(|source| &self.sources[source]) {
            Some(source) => {
                source.location.strip(request);
                source.caching
            }
            None => Caching::Untouched,
        };
        (AuthContext::new(pass.presence, self.manners.clone()), caching)
    }
}

impl PendingPass {
    /// The decision about a request that had to wait, once `outcome` is there.
    pub(crate) fn conclude(&mut self, outcome: Result<Admitted, AuthError>) -> Result<Pass, AuthError> {
        match outcome {
            Ok(admitted) => Ok(pass(admitted, self.source, self.kept.take())),
            Err(error) => Err(refused(error, self.fingerprint)),
        }
    }
}

/// Why a place is refused that has not exactly one credential, and that has not none.
#[cold]
fn unusable(found: &Found<'_>) -> AuthError {
    match found {
        Found::Malformed(reason) => AuthError::new(Code::CredentialMalformed).with_explanation(*reason),
        Found::Misconfigured(reason) => AuthError::new(Code::ServiceMisconfigured).with_explanation(*reason),
        // A second place has one too.
        Found::Token(_) | Found::Several | Found::Absent => Code::CredentialRepeated.into(),
    }
}

fn without_source(presence: Presence) -> Pass {
    Pass { presence, source: None }
}

fn pass(admitted: Admitted, source: usize, kept: Option<PresentedToken>) -> Pass {
    Pass { presence: Presence::Verified(admitted, kept), source: Some(source) }
}

impl Source {
    pub(super) fn new<L: TokenLocation>(location: L, admission: impl IntoAdmission) -> Self {
        let info = location.info();
        Self {
            caching: info.caching(),
            identity: format!("{} {location:?}", std::any::type_name::<L>()),
            #[cfg(feature = "axum")]
            strips: info.bearer_method() != Some(crate::location::BearerMethod::Header),
            location: Arc::new(location),
            admission: admission.into_admission(),
        }
    }
}

/// Writes the one event of a refusal.
fn refused(error: AuthError, token: Option<Fingerprint>) -> AuthError {
    telemetry::request_refused(&error, token);
    error
}

/// Fetch standard, section 4.8: `OPTIONS` with an origin and the method that is asked about, and without a body (as far as the
/// head tells: over HTTP/2 it need not). A request that merely uses the method `OPTIONS` is one like any other.
fn is_preflight(head: RequestHead<'_>) -> bool {
    head.method == Method::OPTIONS
        && head.headers.contains_key(ORIGIN)
        && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        && !announces_body(head.headers)
}

fn announces_body(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING) || headers.get_all(CONTENT_LENGTH).iter().any(|length| length != "0")
}
