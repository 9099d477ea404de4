//! [`Recipe`]: the path of a JSON Web Token, from its text to what it proves.

use std::{sync::Arc, time::Duration};

use serde::de::DeserializeOwned;

use crate::{
    AuthError, Clock, Code, UnixTime,
    authenticator::{Edition, Proven},
    issuers::{Found, IssuerId, Waiter},
    judge::{Check, Judge},
    keys::{KeyHint, KeyMatch, KeySource, KeySourceError, Resolved, VerifyingKey, WaitingForKeys},
    verifier::{ScreenedToken, Unscreened, Verifier},
};

#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub(super) verifier: Arc<Verifier>,
    pub(super) max_token_bytes: usize,
}

/// How far verification has come without waiting.
pub(super) enum Step<C> {
    Proven(Proven<C>),
    /// The issuer's keys have to be fetched.
    NeedsKey(IssuerId, WaitingForKeys),
    /// The resolver has to say whether the issuer is trusted, or still trusted.
    NeedsIssuer(Waiter),
}

/// How often a token waits at most. A second wait is needed only if the list of issuers has changed during the first, which is rare; a
/// request must not wait forever in an application that changes the list all the time.
const MOST_WAITS: usize = 8;

/// Returns the clock, for a token that has to wait.
pub(super) type ToClock<'a> = &'a dyn Fn() -> Arc<dyn Clock>;

impl Recipe {
    /// The whole path of a token, in order, until keys have to be fetched.
    pub(super) fn verify<C: DeserializeOwned, J: Judge>(
        &self,
        text: &str,
        now: UnixTime,
        clock: ToClock<'_>,
        judge: &mut J,
    ) -> Result<Step<C>, AuthError> {
        let mut token = match self.screen(text, now, judge) {
            Ok(token) => token,
            Err(Unscreened::Refused(error)) => return Err(error),
            Err(Unscreened::UnknownIssuer(name)) => return self.ask(&name, clock(), judge),
        };
        let (id, source) = (token.issuer.id(), &*token.issuer.keys);
        let edition = source.edition(now); // before the keys, so that a change in between is noticed later
        let keys = match source.resolve(token.key_hint(), now) {
            Resolved::Waiting(fetch) => return Ok(Step::NeedsKey(id, fetch)),
            resolved => found(resolved, &token),
        };
        let keys = or_look_on(judge.gate(Check::Key, keys), &mut token, now, judge)?;
        match judge.gate(Check::Signature, token.find_signer(&keys)) {
            Ok(signer) => {
                let (proven, issuer) = self.accept(token, signer, now, judge)?;
                match self.verifier.trusted().ask_again(&issuer, now, clock) {
                    Some(asked) => Ok(Step::NeedsIssuer(asked)),
                    None => Ok(Step::Proven(remembered(proven, &issuer, edition))),
                }
            }
            Err(error) if error.code() == Code::SignatureInvalid => {
                let newer = token.issuer.keys.reconsider(token.key_hint(), &keys);
                self.second_look(token, newer, now, judge).unwrap_or(Err(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Asks the resolver about an unknown issuer.
    #[cold]
    fn ask<C, J: Judge>(&self, issuer: &str, clock: Arc<dyn Clock>, judge: &mut J) -> Result<Step<C>, AuthError> {
        match self.verifier.trusted().ask(issuer, clock) {
            Ok(waiter) => Ok(Step::NeedsIssuer(waiter)),
            Err(error) => judge.gate(Check::Issuer, Err(error)),
        }
    }

    /// Makes the cheap refusals: shape and size, issuer, type, algorithm.
    fn screen<'t, J: Judge>(
        &self,
        text: &'t str,
        now: UnixTime,
        judge: &mut J,
    ) -> Result<ScreenedToken<'t, '_>, Unscreened> {
        let token = judge.parsed(self.verifier.parse(text, self.max_token_bytes))?;
        let mut token = judge.screen(&self.verifier, token)?;
        if token.issuer.is_over(now) {
            return Err(Unscreened::UnknownIssuer(token.issuer.name().into()));
        }
        or_look_on(judge.conclude(), &mut token, now, judge)?; // no key is looked up for a token that is refused
        Ok(token)
    }

    /// Handles a signature that no current key made: decides with newer keys, if the source has any or can get them. Their edition is
    /// unknown, so the token is cached only at its next request.
    fn second_look<C: DeserializeOwned, J: Judge>(
        &self,
        mut token: ScreenedToken<'_, '_>,
        newer: Resolved,
        now: UnixTime,
        judge: &mut J,
    ) -> Option<Result<Step<C>, AuthError>> {
        match newer {
            Resolved::Waiting(fetch) => {
                judge.take_back(Check::Signature); // newer keys decide this
                Some(Ok(Step::NeedsKey(token.issuer.id(), fetch)))
            }
            Resolved::Keys(keys) => Some(self.accept_by(token, &keys, now, judge).map(Step::Proven)),
            Resolved::Fault(fault) => {
                judge.take_back(Check::Signature); // this was not decided
                let fault = unavailable(fault).with_issuer(token.issuer.policy.conventions());
                let undecided = judge.gate(Check::Key, Err(fault));
                Some(or_look_on(undecided, &mut token, now, judge))
            }
            _ => {
                let error = AuthError::new(Code::SignatureInvalid).with_issuer(token.issuer.policy.conventions());
                let refused = or_look_on(Err(error), &mut token, now, judge);
                if J::GOES_ON { Some(refused) } else { None }
            }
        }
    }

    /// Continues after the keys have been fetched. The token is parsed again, because only its text was kept while waiting, and its times
    /// are checked with the current time.
    ///
    /// If the issuer was removed meanwhile, it is no longer trusted. If it was replaced, it has other keys, so the path starts again.
    fn resume<C: DeserializeOwned, J: Judge>(
        &self,
        text: &str,
        (id, fetched): (IssuerId, Resolved),
        clock: &Arc<dyn Clock>,
        judge: &mut J,
    ) -> Result<Step<C>, AuthError> {
        let now = clock.now();
        let mut token = match self.screen(text, now, judge) {
            Ok(token) if token.issuer.id() == id => token,
            _ => return self.verify(text, now, &|| Arc::clone(clock), judge),
        };
        let keys = found(fetched, &token);
        let keys = or_look_on(judge.gate(Check::Key, keys), &mut token, now, judge)?;
        self.accept_by(token, &keys, now, judge).map(Step::Proven)
    }

    /// Runs the steps, waiting in between.
    pub(super) async fn finish<C: DeserializeOwned, J: Judge>(
        &self,
        text: &str,
        mut step: Step<C>,
        clock: &Arc<dyn Clock>,
        judge: &mut J,
    ) -> Result<Proven<C>, AuthError> {
        for _ in 0..MOST_WAITS {
            step = match step {
                Step::Proven(proven) => return Ok(proven),
                Step::NeedsKey(id, fetch) => self.resume(text, (id, fetch.await), clock, judge)?,
                Step::NeedsIssuer(waiter) => {
                    judge.gate(Check::Issuer, waiter.await)?;
                    self.verify(text, clock.now(), &|| Arc::clone(clock), judge)?
                }
            };
        }
        if let Step::Proven(proven) = step {
            return Ok(proven);
        }
        let error = AuthError::new(Code::IssuerUnavailable).with_retry_after(Duration::from_secs(1));
        let explanation = "the list of issuers changed each time that the token had waited";
        judge.gate(Check::Issuer, Err(error.with_explanation(explanation)))
    }

    fn accept_by<C: DeserializeOwned, J: Judge>(
        &self,
        mut token: ScreenedToken<'_, '_>,
        keys: &KeyMatch,
        now: UnixTime,
        judge: &mut J,
    ) -> Result<Proven<C>, AuthError> {
        let signer = judge.gate(Check::Signature, token.find_signer(keys));
        let signer = or_look_on(signer, &mut token, now, judge)?;
        self.accept(token, signer, now, judge).map(|(proven, _)| proven)
    }

    fn accept<'v, C: DeserializeOwned, J: Judge>(
        &'v self,
        token: ScreenedToken<'_, 'v>,
        signer: &VerifyingKey,
        now: UnixTime,
        judge: &mut J,
    ) -> Result<(Proven<C>, Found<'v>), AuthError> {
        let (verified, issuer) = self.verifier.accept(token, signer, now, judge)?;
        self.verifier.trusted().note_verified(&issuer);
        Ok((Proven::from_verified(verified), issuer))
    }
}

/// Lets the admission cache the token, if its keys have an edition.
fn remembered<C>(proven: Proven<C>, issuer: &Found<'_>, edition: Option<u64>) -> Proven<C> {
    let Some(number) = edition else { return proven };
    let window = issuer.policy.window(&proven.verified);
    proven.cache_within(window).edition(Edition::of_part(issuer.id().packed(), number))
}

/// Lets a judge that continues record the checks of the claims of an already refused token.
#[inline]
fn or_look_on<T, J: Judge>(
    outcome: Result<T, AuthError>,
    token: &mut ScreenedToken<'_, '_>,
    now: UnixTime,
    judge: &mut J,
) -> Result<T, AuthError> {
    if J::GOES_ON && outcome.is_err() {
        token.judge_unproven(now, judge)?;
    }
    outcome
}

fn found(resolved: Resolved, token: &ScreenedToken<'_, '_>) -> Result<KeyMatch, AuthError> {
    let (source, hint) = (&*token.issuer.keys, token.key_hint());
    let keys =
        match resolved {
            Resolved::Keys(keys) => Ok(keys),
            Resolved::Unknown => Err(not_found(Code::KeyUnknown, source, hint)),
            Resolved::Ambiguous => Err(not_found(Code::KeyAmbiguous, source, hint)),
            Resolved::Fault(fault) => Err(unavailable(fault)),
            Resolved::Waiting(_) => Err(AuthError::new(Code::ServiceMisconfigured)
                .with_explanation("the key source answered a wait with another")),
        };
    keys.map_err(|error| error.with_issuer(token.issuer.policy.conventions()))
}

/// Explains which keys there are, without quoting the token.
fn not_found(code: Code, source: &dyn KeySource, hint: KeyHint<'_>) -> AuthError {
    let error = AuthError::new(code);
    match source.describe(hint) {
        Some(keys) => error.with_explanation(format!("keys here: {keys}")),
        None => error,
    }
}

fn unavailable(fault: KeySourceError) -> AuthError {
    let retry_after = fault.retry_after();
    let error = AuthError::new(Code::KeysUnavailable).with_source(fault);
    match retry_after {
        Some(delay) => error.with_retry_after(delay),
        None => error,
    }
}
