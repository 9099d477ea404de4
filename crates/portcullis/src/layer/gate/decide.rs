//! The decision about one request: the path from a credential's place to the admission.

use std::{borrow::Cow, cell::Cell};

use portcullis_core::{
    AuthError, Code,
    admission::Admitted,
    authenticator::{Attempt, Presented, Scheme},
};

use super::{Absent, Asserted, Gate, Keep, Preflights};
use crate::{
    AuthContext,
    context::{PresentedToken, Rare, under},
    layer::{
        pass::{NotAdmitted, Pass, PendingPass, logged},
        preflight::is_preflight,
        source::Source,
        watch::{self, Begun},
    },
    location::{Found, RequestHead, RequestHeadMut, ResponseCaching, View},
    metrics::Admittance,
};

type Outcome = Result<Pass, NotAdmitted>;

/// A request's credential.
struct Located<'r> {
    /// The number of the source that has it.
    source: usize,
    scheme: Scheme,
    octets: Cow<'r, [u8]>,
}

impl Gate {
    /// Admits a request whose credential is cached, in one look-up of its HTTP header, and before anything else of the request is read.
    /// `None` decides nothing: it is then decided as a whole. The context is returned like that of [`prepare`](Self::prepare).
    #[inline]
    pub(crate) fn admit_cached(&self, request: &mut RequestHeadMut<'_>) -> Option<(AuthContext, ResponseCaching)> {
        let [source, others @ ..] = &*self.sources else { return None };
        // Here too, a second credential must not be overlooked.
        if others.iter().any(|other| !matches!(other.location.find(request.head()), Found::Absent)) {
            return None;
        }
        let located = located(0, source.location.find_and_mark(request)).ok()??;
        let presented = Presented::bearer(&located.octets).with_scheme(located.scheme);
        let admitted = source.admission.admit_cached(presented)?;
        if self.watch.is_on() {
            watch::admitted(self.counters(), None, admitted.verified.issuer());
        }
        let context = AuthContext::admitted_as(admitted, self.rare(&located), self.manners.clone());
        Some((context, source.caching))
    }

    /// Decides about a request by the layer's own rules for missing credentials and preflights.
    #[inline]
    pub(crate) fn admit(&self, head: RequestHead<'_>) -> Outcome {
        self.admit_with(head, self.absent, self.preflights)
    }

    /// Decides about a request, and admits it as anonymous if it has no credential.
    #[cfg(feature = "axum")]
    pub(crate) fn admit_optional(&self, head: RequestHead<'_>) -> Outcome {
        self.admit_with(head, Absent::Anonymous, Preflights::Refused)
    }

    #[inline]
    fn admit_with(&self, head: RequestHead<'_>, absent: Absent, preflights: Preflights) -> Outcome {
        match self.find(head) {
            Ok(Some(located)) => self.ask(head, &located),
            Ok(None) => self.without_credential(head, absent, preflights),
            Err(error) => Err(self.refused(error)),
        }
    }

    /// Refuses a request before any credential was checked.
    #[cold]
    fn refused(&self, error: AuthError) -> NotAdmitted {
        watch::refused(self.counters(), None, &error);
        NotAdmitted::Refused(logged(error, None))
    }

    #[cold]
    fn without_credential(&self, head: RequestHead<'_>, absent: Absent, preflights: Preflights) -> Outcome {
        if let Some(Asserted { verified, clock }) = &self.asserted {
            let admitted = Admitted::assertion(verified.clone(), clock.now());
            if let Some(counters) = self.counters() {
                counters.admitted(Admittance::Verified, verified.issuer());
            }
            return Ok(Pass::without_source(AuthContext::admitted_as(admitted, None, self.manners.clone())));
        }
        if let Some(problem) = self.sources.iter().find_map(Source::problem) {
            return Err(self.refused(AuthError::new(Code::ServiceMisconfigured).with_explanation(problem)));
        }
        if preflights == Preflights::Passed && is_preflight(head) {
            return Ok(self.without_identity(AuthContext::preflight(self.manners.clone()), Admittance::Preflight));
        }
        if absent == Absent::Anonymous {
            return Ok(self.without_identity(AuthContext::anonymous(self.manners.clone()), Admittance::Anonymous));
        }
        Err(self.refused(self.missing(head)))
    }

    fn without_identity(&self, context: AuthContext, admittance: Admittance) -> Pass {
        if let Some(counters) = self.counters() {
            counters.without_credential(admittance);
        }
        Pass::without_source(context)
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

    #[inline]
    fn pass(&self, admitted: Admitted, located: &Located<'_>) -> Pass {
        let context = AuthContext::admitted_as(admitted, self.rare(located), self.manners.clone());
        Pass::from_source(located.source, context)
    }

    /// Returns the data about a credential that few layers and few credentials need.
    #[inline]
    fn rare(&self, located: &Located<'_>) -> Option<Box<Rare>> {
        let is_usual = self.keep == Keep::Nothing && matches!(located.scheme, Scheme::Bearer);
        if is_usual { None } else { Some(Box::new(self.unusual(located))) }
    }

    #[cold]
    fn unusual(&self, Located { scheme, octets, .. }: &Located<'_>) -> Rare {
        let kept = (self.keep == Keep::Token).then(|| PresentedToken::new(octets));
        Rare::of_credential(*scheme, kept)
    }

    /// Returns the request's only credential. Every location is read, whatever the first one
    /// contains: a second credential is refused, not ignored (RFC 6750 section 2).
    #[inline]
    fn find<'r>(&self, head: RequestHead<'r>) -> Result<Option<Located<'r>>, AuthError> {
        let [first, others @ ..] = &*self.sources else { return Ok(None) };
        let mut credential = located(0, first.location.find(head))?;
        for (at, source) in others.iter().enumerate() {
            match (located(at + 1, source.location.find(head))?, &credential) {
                (None, _) => {}
                (Some(_), Some(_)) => return Err(Code::CredentialRepeated.into()),
                (further, None) => credential = further,
            }
        }
        Ok(credential)
    }

    #[inline]
    fn ask(&self, head: RequestHead<'_>, located: &Located<'_>) -> Outcome {
        let view = View { head, original_uri: self.original_uri };
        let presented = Presented::bearer(&located.octets).with_scheme(located.scheme).with_request(&view);
        if self.watch.is_on() {
            return self.ask_watched(presented, located);
        }
        match self.sources[located.source].admission.admit(presented) {
            Attempt::Done(Ok(admitted)) => Ok(self.pass(admitted, located)),
            attempt => Err(self.not_admitted(attempt, located, None)),
        }
    }

    /// Asks the admission, and counts or traces the decision.
    #[inline(never)]
    fn ask_watched(&self, presented: Presented<'_>, located: &Located<'_>) -> Outcome {
        let begun = Cell::new(None);
        let on_unseen = || begun.set(Some(self.watch.begin(self.fingerprint_key.fingerprint(&located.octets))));
        let attempt = self.sources[located.source].admission.admit_watched(presented, &on_unseen);
        let begun = begun.into_inner().map(Begun::leave);
        match attempt {
            Attempt::Done(Ok(admitted)) => {
                watch::admitted(self.counters(), begun, admitted.verified.issuer());
                Ok(self.pass(admitted, located))
            }
            attempt => Err(self.not_admitted(attempt, located, begun)),
        }
    }

    #[cold]
    fn not_admitted(&self, attempt: Attempt<Admitted>, located: &Located<'_>, begun: Option<Begun>) -> NotAdmitted {
        let fingerprint = self.fingerprint_key.fingerprint(&located.octets);
        match attempt {
            Attempt::Done(Err(error)) => {
                watch::refused(self.counters(), begun, &error);
                NotAdmitted::Refused(logged(under(located.scheme, error), fingerprint))
            }
            Attempt::Waiting(waiting) => NotAdmitted::Waiting(PendingPass {
                waiting,
                source: located.source,
                rare: self.rare(located),
                fingerprint,
                begun,
                manners: self.manners.clone(),
            }),
            _ => {
                let error =
                    AuthError::new(Code::ServiceMisconfigured).with_explanation("an attempt of an unknown kind");
                self.refused(error)
            }
        }
    }

    /// Removes the credential from the request if its location says so. Returns what goes into the extensions, and what caches may do
    /// with the response.
    #[inline]
    pub(crate) fn prepare(&self, pass: Pass, request: &mut RequestHeadMut<'_>) -> (AuthContext, ResponseCaching) {
        let caching = match pass.source.map(|source| &self.sources[source]) {
            Some(source) => {
                source.location.strip(request);
                source.caching
            }
            None => ResponseCaching::Untouched,
        };
        (pass.context, caching)
    }
}

/// Returns the credential that the source of this number has found, if there is one.
#[inline]
fn located(source: usize, found: Found<'_>) -> Result<Option<Located<'_>>, AuthError> {
    match found {
        Found::Absent => Ok(None),
        Found::Token(octets) => Ok(Some(Located { source, scheme: Scheme::Bearer, octets })),
        Found::Under(scheme, octets) => Ok(Some(Located { source, scheme, octets })),
        found => Err(unusable(&found)),
    }
}

/// Returns the error for a location that has neither no credential nor exactly one.
#[cold]
pub(crate) fn unusable(found: &Found<'_>) -> AuthError {
    match found {
        Found::Malformed(reason) => AuthError::new(Code::CredentialMalformed).with_explanation(*reason),
        Found::MalformedUnder(scheme, reason) => {
            under(*scheme, AuthError::new(Code::CredentialMalformed).with_explanation(*reason))
        }
        Found::Misconfigured(reason) => AuthError::new(Code::ServiceMisconfigured).with_explanation(*reason),
        // A second location has a credential too.
        Found::Token(_) | Found::Under(..) | Found::Several | Found::Absent => Code::CredentialRepeated.into(),
    }
}
