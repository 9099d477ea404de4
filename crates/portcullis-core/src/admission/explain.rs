//! Why a credential is accepted or refused.

use std::future::poll_fn;

use super::{Admission, after_a_wait};
use crate::{
    AuthError, Verified,
    authenticator::{Attempt, Credential, Presented, Proof, Proven, Time},
    explain::{Check, Explanation, Finding, Outcome, Recorder},
};

impl<C: Send + Sync + 'static> Admission<C> {
    /// Decides about what is presented as [`admit`](Self::admit) does, and says what came of every check: for a person who asks why a token is
    /// refused. Looks into no cache, and waits for whatever has to be fetched. A verdict is the same, but not for the request: do not let anybody in by it.
    ///
    /// An admission that is not [`explainable`](Self::explainable) knows of its authenticator's checks only whether they have passed.
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
        // The recipe stops at a check that others depend on; the verdict is that of the first that failed.
        let verdict = match (recorder.first_failure(), outcome) {
            (Some(first), Ok(_)) => Err(first),
            (Some(first), Err(error)) => Err(if error.code() == first.code() { error } else { first }),
            (None, outcome) => outcome,
        };
        Explanation { findings: recorder.into_findings(), verdict, now: time.now }
    }

    /// Says why a request was refused by the code that looks for the credential, which has found none to decide about.
    pub fn explain_unpresented(&self, error: AuthError) -> Explanation<C> {
        let verdict = Err(error);
        let finding = Finding::new(Check::Form, Outcome::of(&verdict));
        Explanation { findings: vec![finding], verdict, now: self.inner.clock.now() }
    }

    /// Leaves in `time` by when it has decided.
    async fn explain_to<'a>(
        &'a self,
        presented: Presented<'a>,
        time: &mut Time<'a>,
        recorder: &mut Recorder,
    ) -> Result<Verified<C>, AuthError> {
        let credential = presented.read(*time);
        recorder.note(Check::Form, &credential);
        let credential = credential?;
        let (proven, has_waited) = self.explain_proven(credential, recorder).await;
        recorder.plan(
            if self.inner.revocations.is_some() { &[Check::Proof, Check::Revocation][..] } else { &[Check::Proof] }
                .iter()
                .copied(),
        );
        let proven = proven?;
        if has_waited {
            *time = Time::read(&self.inner.clock);
            return self.explain_end(proven, after_a_wait(credential.token(), credential.scheme(), *time), recorder);
        }
        self.explain_end(proven, credential, recorder)
    }

    /// What the authenticator says, and whether it had to wait for something: then [`ask`](Self::ask) has the request no longer.
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

    /// As [`finish`](Self::finish) does it, after which nothing is remembered.
    fn explain_end(
        &self,
        proven: Proven<C>,
        credential: Credential<'_>,
        recorder: &mut Recorder,
    ) -> Result<Verified<C>, AuthError> {
        let inner = &*self.inner;
        let is_owed = proven.proof == Proof::Owed;
        let proof = if is_owed { inner.authenticator.check_proof(credential, &proven.verified) } else { Ok(()) };
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
