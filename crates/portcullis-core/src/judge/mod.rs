//! [`Judge`]: receives the result of each check while a credential is verified. [`Strict`] stops at the first failure; [`Recorder`] notes
//! every check. Both run the same recipe.

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

/// Receives the result of each check of the recipe, and decides whether the recipe goes on after a failed one.
///
/// [`Strict`] compiles to nothing. The parts of the recipe that do not depend on the type of the claims are methods here, written out for
/// each judge. They are therefore compiled in this crate, and not again in each crate that names a type of claims, where the compiler would
/// inline less of them.
pub(crate) trait Judge {
    /// Whether the recipe still makes the checks that do not depend on a failed one.
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

    /// Receives a check on which others depend.
    ///
    /// # Errors
    ///
    /// Returns the error of the check.
    fn gate<T>(&mut self, check: Check, outcome: Result<T, AuthError>) -> Result<T, AuthError>;

    /// Receives a check on which no other depends. Returns `None` if it failed and the judge goes on.
    ///
    /// # Errors
    ///
    /// Returns the error of the check, unless the judge goes on.
    fn judge<T>(&mut self, check: Check, outcome: Result<T, AuthError>) -> Result<Option<T>, AuthError>;

    /// Adds what the check expects, if the judge records it.
    fn expect(&mut self, check: Check, expected: impl FnOnce() -> String);

    /// Receives the result of parsing a token, which stops at the first step that fails.
    fn parsed<T>(&mut self, outcome: Result<T, AuthError>) -> Result<T, AuthError>;

    /// Removes the result of a check that will be made again, or that cannot be made.
    fn take_back(&mut self, check: Check);

    /// Ends a part of the recipe. What follows it is only for credentials that have not failed.
    ///
    /// # Errors
    ///
    /// Returns the error of the first check that failed, if the judge went on after it.
    fn conclude(&mut self) -> Result<(), AuthError>;
}

/// Stops at the first check that fails; its error is the verdict.
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
