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
        self.finding(check).outcome = match outcome {
            Ok(_) => Outcome::Passed,
            Err(error) => {
                let explanation = error.explanation().map(str::to_owned);
                Outcome::Failed { code: error.code(), explanation }
            }
        };
    }

    /// Adds what a check wants.
    pub fn wants(&mut self, check: Check, expected: impl Into<String>) {
        self.finding(check).expected = Some(expected.into());
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
        self.findings.iter().find_map(|finding| match &finding.outcome {
            Outcome::Failed { code, explanation } => {
                let error = AuthError::new(*code);
                Some(match explanation.clone() {
                    Some(explanation) => error.with_explanation(explanation),
                    None => error,
                })
            }
            _ => None,
        })
    }

    /// Notes a verdict to which no failed check leads, as one of an authenticator that does not name its checks.
    pub(crate) fn note_verdict(&mut self, error: &AuthError) {
        if !self.has_failed() {
            let explanation = error.explanation().map(str::to_owned);
            self.finding(Check::of(error.code())).outcome = Outcome::Failed { code: error.code(), explanation };
        }
    }

    pub(crate) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    fn finding(&mut self, check: Check) -> &mut Finding {
        let at = self.findings.iter().position(|finding| finding.check == check).unwrap_or_else(|| {
            self.findings.push(Finding { check, outcome: Outcome::Skipped, expected: None });
            self.findings.len() - 1
        });
        &mut self.findings[at]
    }
}
