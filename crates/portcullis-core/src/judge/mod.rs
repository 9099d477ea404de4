//! Who looks on while a credential is judged: a judge who stops at the first failure, or one who notes every check. One recipe serves both.

mod check;
mod explanation;
mod recorder;

pub use check::Check;
pub use explanation::{Explanation, Finding, Outcome};
pub use recorder::Recorder;

use crate::{
    AuthError, UnixTime,
    claims::{ClaimsText, RegisteredClaims},
    json::Text,
    policy::Policy,
    token::UnverifiedToken,
    verifier::{ScreenedToken, Unscreened, Verifier},
};

/// Takes note of the checks of the recipe, and says whether it goes on after one that failed.
///
/// [`Strict`] is compiled to nothing. The parts of the recipe that do not depend on the type of the claims are methods, written out for each judge: so
/// they are compiled in this crate, and not once more in each crate that names a type of claims, where less of them would be inlined.
pub(crate) trait Judge {
    /// Whether checks that do not depend on a failed one are made all the same.
    const GOES_ON: bool;

    fn screen<'t, 'v>(
        &mut self,
        verifier: &'v Verifier,
        token: UnverifiedToken<'t>,
    ) -> Result<ScreenedToken<'t, 'v>, Unscreened>;

    fn accept_claims(
        &mut self,
        policy: &Policy,
        claims: &RegisteredClaims,
        text: &mut ClaimsText,
        now: UnixTime,
    ) -> Result<Option<Text>, AuthError>;

    /// A check on which others depend.
    ///
    /// # Errors
    ///
    /// That of the check.
    fn gate<T>(&mut self, check: Check, outcome: Result<T, AuthError>) -> Result<T, AuthError>;

    /// A check on which no other depends; `None` if it failed and the judge goes on.
    ///
    /// # Errors
    ///
    /// That of the check, unless the judge goes on.
    fn judge<T>(&mut self, check: Check, outcome: Result<T, AuthError>) -> Result<Option<T>, AuthError>;

    /// Adds what the check wants, for those who are told.
    fn expect(&mut self, check: Check, expected: impl FnOnce() -> String);

    /// The steps of taking a token apart, which stop at the first that fails.
    fn parsed<T>(&mut self, outcome: Result<T, AuthError>) -> Result<T, AuthError>;

    /// Takes back what was noted of a check: it is to be made once more, or cannot be made.
    fn take_back(&mut self, check: Check);

    /// The end of a part of the recipe after which nothing is to be done for a credential that has failed.
    ///
    /// # Errors
    ///
    /// That of the first check that failed, if the judge went on after it.
    fn conclude(&mut self) -> Result<(), AuthError>;
}

/// The first check that fails is the verdict.
#[derive(Debug)]
pub(crate) struct Strict;

impl Judge for Strict {
    const GOES_ON: bool = false;

    fn screen<'t, 'v>(
        &mut self,
        verifier: &'v Verifier,
        token: UnverifiedToken<'t>,
    ) -> Result<ScreenedToken<'t, 'v>, Unscreened> {
        verifier.screen(token, self)
    }

    fn accept_claims(
        &mut self,
        policy: &Policy,
        claims: &RegisteredClaims,
        text: &mut ClaimsText,
        now: UnixTime,
    ) -> Result<Option<Text>, AuthError> {
        policy.accept_claims(claims, text, now, self)
    }

    #[inline]
    fn gate<T>(&mut self, _: Check, outcome: Result<T, AuthError>) -> Result<T, AuthError> {
        outcome
    }

    #[inline]
    fn judge<T>(&mut self, _: Check, outcome: Result<T, AuthError>) -> Result<Option<T>, AuthError> {
        outcome.map(Some)
    }

    #[inline]
    fn expect(&mut self, _: Check, _: impl FnOnce() -> String) {}

    #[inline]
    fn parsed<T>(&mut self, outcome: Result<T, AuthError>) -> Result<T, AuthError> {
        outcome
    }

    #[inline]
    fn take_back(&mut self, _: Check) {}

    #[inline]
    fn conclude(&mut self) -> Result<(), AuthError> {
        Ok(())
    }
}

impl Judge for Recorder {
    const GOES_ON: bool = true;

    fn screen<'t, 'v>(
        &mut self,
        verifier: &'v Verifier,
        token: UnverifiedToken<'t>,
    ) -> Result<ScreenedToken<'t, 'v>, Unscreened> {
        verifier.screen(token, self)
    }

    fn accept_claims(
        &mut self,
        policy: &Policy,
        claims: &RegisteredClaims,
        text: &mut ClaimsText,
        now: UnixTime,
    ) -> Result<Option<Text>, AuthError> {
        policy.accept_claims(claims, text, now, self)
    }

    fn gate<T>(&mut self, check: Check, outcome: Result<T, AuthError>) -> Result<T, AuthError> {
        self.note(check, &outcome);
        outcome
    }

    fn judge<T>(&mut self, check: Check, outcome: Result<T, AuthError>) -> Result<Option<T>, AuthError> {
        self.note(check, &outcome);
        Ok(outcome.ok())
    }

    fn expect(&mut self, check: Check, expected: impl FnOnce() -> String) {
        self.wants(check, expected());
    }

    fn parsed<T>(&mut self, outcome: Result<T, AuthError>) -> Result<T, AuthError> {
        self.note_parsed(&outcome);
        outcome
    }

    fn take_back(&mut self, check: Check) {
        self.skip(check);
    }

    fn conclude(&mut self) -> Result<(), AuthError> {
        self.first_failure().map_or(Ok(()), Err)
    }
}
