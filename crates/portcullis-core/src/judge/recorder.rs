//! [`Recorder`]: the judge that notes every check.

use super::{Check, Finding, Outcome};
use crate::AuthError;

/// Notes every check with its outcome. An [`Explain`](crate::explain::Explain) fills it; an [`Explanation`](super::Explanation) shows the result.
#[derive(Debug, Default)]
pub struct Recorder {
    findings: Vec<Finding>,
}

/// The checks that are made while a token is parsed, each only if the one before has passed; the last two in any order.
const PARSING: [Check; 5] = [Check::Length, Check::Shape, Check::Header, Check::Extensions, Check::Algorithm];

impl Recorder {
    /// Announces the checks that will be made. Those with no later note count as skipped.
    pub fn plan(&mut self, checks: impl IntoIterator<Item = Check>) {
        checks.into_iter().for_each(|check| self.skip(check));
    }

    /// Notes the outcome of a check. If a check is made twice, such as after a fetch of newer keys, the last outcome counts.
    pub fn note<T>(&mut self, check: Check, outcome: &Result<T, AuthError>) {
        self.finding(check).outcome = Outcome::of(outcome);
    }

    /// Adds what a check expects.
    pub fn wants(&mut self, check: Check, expected: impl Into<String>) {
        self.finding(check).expected = Some(expected.into());
    }

    /// Notes which branch of a dispatch was chosen. If a branch was chosen before, that one is a dispatch, too, and contains this branch.
    pub(crate) fn chosen<T>(&mut self, outcome: &Result<T, AuthError>, branch: String) {
        self.note(Check::Kind, outcome);
        let expected = &mut self.finding(Check::Kind).expected;
        *expected = Some(match expected.take() {
            Some(outer) => format!("{outer}, and within it {branch}"),
            None => branch,
        });
    }

    /// Notes that a check was not made.
    pub(crate) fn skip(&mut self, check: Check) {
        self.finding(check).outcome = Outcome::Skipped;
    }

    /// Notes the checks that were made while a token was parsed.
    pub(crate) fn note_parsed<T>(&mut self, outcome: &Result<T, AuthError>) {
        let failed = outcome.as_ref().err().map(AuthError::code);
        for check in PARSING {
            match failed {
                // The algorithm is known, but whether it is allowed is checked later.
                None if check == Check::Algorithm => {}
                Some(code) if check.codes().contains(&code) => {
                    self.note(check, outcome);
                    return;
                }
                // The header is read in one step, so it is unknown whether these have passed.
                Some(_) if matches!(check, Check::Extensions | Check::Algorithm) => {}
                _ => self.note(check, &Ok(())),
            }
        }
    }

    /// Whether a check has failed.
    pub fn has_failed(&self) -> bool {
        self.findings.iter().any(Finding::is_failed)
    }

    /// Returns the verdict, which is the error of the first check that failed.
    pub(crate) fn first_failure(&self) -> Option<AuthError> {
        self.findings.iter().find_map(|finding| finding.outcome.error())
    }

    /// Notes a verdict that no failed check explains, as from an authenticator that does not report single checks.
    pub(crate) fn note_verdict(&mut self, error: &AuthError) {
        if !self.has_failed() {
            self.finding(Check::of(error.code())).outcome = Outcome::failed(error);
        }
    }

    pub(crate) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    fn finding(&mut self, check: Check) -> &mut Finding {
        let at = self.findings.iter().position(|finding| finding.check == check).unwrap_or_else(|| {
            self.findings.push(Finding::new(check, Outcome::Skipped));
            self.findings.len() - 1
        });
        &mut self.findings[at]
    }
}
