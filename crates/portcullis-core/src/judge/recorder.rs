//! The judge who notes every check.

use super::{Check, Finding, Outcome};
use crate::AuthError;

/// Notes every check with what came of it. Handed to an [`Explain`](crate::explain::Explain), and read through an [`Explanation`](super::Explanation).
#[derive(Debug, Default)]
pub struct Recorder {
    findings: Vec<Finding>,
}

/// What a token is asked while it is taken apart, each only if the one before has passed; the last two in any order.
const PARSING: [Check; 5] = [Check::Length, Check::Shape, Check::Header, Check::Extensions, Check::Algorithm];

impl Recorder {
    /// Says which checks are to come. Those of which nothing is noted later count as skipped.
    pub fn plan(&mut self, checks: impl IntoIterator<Item = Check>) {
        checks.into_iter().for_each(|check| self.skip(check));
    }

    /// Notes what came of a check. A check that is made twice, as after a fetch of newer keys, counts as it came out last.
    pub fn note<T>(&mut self, check: Check, outcome: &Result<T, AuthError>) {
        self.finding(check).outcome = Outcome::of(outcome);
    }

    /// Adds what a check wants.
    pub fn wants(&mut self, check: Check, expected: impl Into<String>) {
        self.finding(check).expected = Some(expected.into());
    }

    /// Notes which branch of a dispatch was chosen: within the one chosen before, if that is a dispatch itself.
    pub(crate) fn chosen<T>(&mut self, outcome: &Result<T, AuthError>, branch: String) {
        self.note(Check::Kind, outcome);
        let expected = &mut self.finding(Check::Kind).expected;
        *expected = Some(match expected.take() {
            Some(outer) => format!("{outer}, and within it {branch}"),
            None => branch,
        });
    }

    /// Says that a check was not made.
    pub(crate) fn skip(&mut self, check: Check) {
        self.finding(check).outcome = Outcome::Skipped;
    }

    /// Notes the steps of taking a token apart.
    pub(crate) fn note_parsed<T>(&mut self, outcome: &Result<T, AuthError>) {
        let failed = outcome.as_ref().err().map(AuthError::code);
        for check in PARSING {
            match failed {
                // Whether it is allowed is asked later.
                None if check == Check::Algorithm => {}
                Some(code) if check.codes().contains(&code) => {
                    self.note(check, outcome);
                    return;
                }
                // Not known to have passed: the header is read in one go.
                Some(_) if matches!(check, Check::Extensions | Check::Algorithm) => {}
                _ => self.note(check, &Ok(())),
            }
        }
    }

    /// Whether a check has failed.
    pub fn has_failed(&self) -> bool {
        self.findings.iter().any(Finding::is_failed)
    }

    /// The verdict: that of the first check that failed.
    pub(crate) fn first_failure(&self) -> Option<AuthError> {
        self.findings.iter().find_map(|finding| finding.outcome.error())
    }

    /// Notes a verdict to which no failed check leads, as one of an authenticator that does not name its checks.
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
