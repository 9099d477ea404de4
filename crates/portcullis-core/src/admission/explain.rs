//! [`Admission::explain`]: reports every check of a credential, so that people see why it is accepted or refused.

use std::future::poll_fn;

use super::{Admission, after_a_wait, inner::proof_after_a_wait};
use crate::{
    AuthError, Verified,
    authenticator::{Attempt, Credential, Presented, Proof, Proven, Time},
    explain::{Check, Explanation, Finding, Outcome, Recorder},
};

impl<C: Send + Sync + 'static> Admission<C> {
    /// Decides like [`admit`](Self::admit), and reports the outcome of every check, for people who want to know why a token is refused. Does
    /// not use the cache, and waits for everything that has to be fetched. The verdict is the same as that of `admit`, but it is meant for
    /// people: do not admit requests by it.
    ///
    /// If the admission is not [`explainable`](Self::explainable), the explanation has a single finding for all checks of the authenticator.
    ///
    /// ```
    /// use portcullis_core::{Admission, Code, JwtAuthenticator};
    /// use portcullis_core::authenticator::Presented;
    /// use portcullis_core::explain::Check;
    /// use portcullis_test::{Defect, MockIssuer};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let issuer = MockIssuer::new();
    /// let admission = Admission::explainable(JwtAuthenticator::new(issuer.trusted())?);
    /// let token = issuer.token().defect(Defect::Expired).sign();
    ///
    /// let explanation = admission.explain(Presented::bearer(token.as_bytes())).await;
    /// assert_eq!(explanation.verdict.unwrap_err().code(), Code::TokenExpired);
    /// let failed: Vec<_> = explanation.findings.iter().filter(|finding| finding.is_failed()).collect();
    /// assert_eq!(failed[0].check, Check::Expiry);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn explain(&self, presented: Presented<'_>) -> Explanation<C> {
        let mut recorder = Recorder::default();
        recorder.plan([Check::Form]);
        let mut time = Time::read(&self.inner.clock);
        let outcome = self.explain_to(presented, &mut time, &mut recorder).await;
        if let Err(error) = &outcome {
            recorder.note_verdict(error);
        }
        // The recipe may go on after a failed check, but the verdict is the error of the first one.
        let verdict = match (recorder.first_failure(), outcome) {
            (Some(first), Ok(_)) => Err(first),
            (Some(first), Err(error)) => Err(if error.code() == first.code() { error } else { first }),
            (None, outcome) => outcome,
        };
        Explanation { findings: recorder.into_findings(), verdict, now: time.now }
    }

    /// Returns the explanation for a request in which no credential could be found, with the error of the code that looked for it.
    pub fn explain_unpresented(&self, error: AuthError) -> Explanation<C> {
        let verdict = Err(error);
        let finding = Finding::new(Check::Form, Outcome::of(&verdict));
        Explanation { findings: vec![finding], verdict, now: self.inner.clock.now() }
    }

    /// Writes the time of the decision to `time`.
    async fn explain_to<'a>(
        &'a self,
        presented: Presented<'a>,
        time: &mut Time<'a>,
        recorder: &mut Recorder,
    ) -> Result<Verified<C>, AuthError> {
        let credential = presented.read(*time);
        recorder.note(Check::Form, &credential);
        let credential = credential?;
        if let Err(error) = self.inner.check_scheme(credential) {
            let refused = Err(error);
            recorder.note(Check::Kind, &refused);
            return refused;
        }
        let (proven, has_waited) = self.explain_proven(credential, recorder).await;
        recorder.plan(
            if self.inner.revocations.is_some() { &[Check::Proof, Check::Revocation][..] } else { &[Check::Proof] }
                .iter()
                .copied(),
        );
        let proven = proven?;
        if has_waited {
            *time = Time::read(&self.inner.clock);
            let without_request = after_a_wait(credential.token(), credential.scheme(), *time);
            return self.explain_end(proven, without_request, credential.request().is_some(), recorder);
        }
        self.explain_end(proven, credential, false, recorder)
    }

    /// Returns the authenticator's answer, and whether it had to wait. If so, [`ask`](Self::ask) would no longer have the request.
    async fn explain_proven(
        &self,
        credential: Credential<'_>,
        recorder: &mut Recorder,
    ) -> (Result<Proven<C>, AuthError>, bool) {
        if let Some(authenticator) = &self.inner.explain {
            if let Err(error) = self.inner.check_length(credential) {
                let too_long = Err(error);
                recorder.note(Check::Length, &too_long);
                return (too_long, false);
            }
            let mut has_waited = false;
            let mut explaining = authenticator.explain(credential, recorder);
            let proven = poll_fn(|context| {
                let polled = explaining.as_mut().poll(context);
                has_waited |= polled.is_pending();
                polled
            });
            return (proven.await, has_waited);
        }
        let (proven, has_waited) = match self.inner.check_length(credential) {
            Err(error) => (Err(error), false),
            Ok(()) => match self.inner.authenticator.verify(credential) {
                Attempt::Done(outcome) => (outcome, false),
                Attempt::Waiting(waiting) => (waiting.await, true),
            },
        };
        recorder.note(Check::Proved, &proven);
        (proven, has_waited)
    }

    /// Like [`finish`](Self::finish), but reports the checks and caches nothing. `lost_request` says that there was a request before a wait.
    fn explain_end(
        &self,
        proven: Proven<C>,
        credential: Credential<'_>,
        lost_request: bool,
        recorder: &mut Recorder,
    ) -> Result<Verified<C>, AuthError> {
        let inner = &*self.inner;
        let is_owed = proven.proof == Proof::Owed;
        let proof = if is_owed { inner.authenticator.check_proof(credential, &proven.verified) } else { Ok(()) };
        let proof = proof.map_err(|error| if lost_request { proof_after_a_wait(error) } else { error });
        recorder.note(Check::Proof, &proof);
        let revocation = inner.revocations.as_ref().map(|view| {
            let live = view.admit(&proven.verified, credential.now(), inner.when_stale);
            recorder.note(Check::Revocation, &live);
            live
        });
        proof?;
        revocation.unwrap_or(Ok(()))?;
        Ok(proven.verified)
    }
}
