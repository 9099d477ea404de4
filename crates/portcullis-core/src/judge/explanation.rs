//! What there is to say about a credential.

use std::fmt;

use super::Check;
use crate::{AuthError, Code, Verified, verified::NoCustom};

/// Why a credential was accepted or refused, check by check. Made by [`Admission::explain`](crate::Admission::explain).
///
/// It is refused exactly if one of the checks has failed. `Display` is a list for a person, a line for each check; it says what was expected and how the
/// credential differs, and holds no value of a claim.
#[derive(Debug)]
#[non_exhaustive]
pub struct Explanation<C = NoCustom> {
    /// The checks, in order.
    pub findings: Vec<Finding>,
    /// The verdict: that of the first check that failed.
    pub verdict: Result<Verified<C>, AuthError>,
}

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The check.
    pub check: Check,
    /// What came of it.
    pub outcome: Outcome,
    /// What it wants, if there is more to say than its name does.
    pub expected: Option<String>,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed: the credential is refused, or cannot be decided about.
    Failed {
        /// With which code.
        code: Code,
        /// How the credential differs from what was expected, if there is more to say than the code does.
        explanation: Option<String>,
    },
    /// It was not made, because another one on which it depends has failed.
    Skipped,
}

impl Finding {
    /// Whether it failed.
    pub const fn is_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed { .. })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Outcome::Passed => write!(f, "passed   {}", self.check)?,
            Outcome::Skipped => write!(f, "skipped  {}", self.check)?,
            Outcome::Failed { code, explanation } => {
                write!(f, "FAILED   {}: {code}", self.check)?;
                if let Some(explanation) = explanation {
                    write!(f, ": {explanation}")?;
                }
            }
        }
        match &self.expected {
            Some(expected) => write!(f, " (expected: {expected})"),
            None => Ok(()),
        }
    }
}

impl<C> fmt::Display for Explanation<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.findings.iter().try_for_each(|finding| writeln!(f, "{finding}"))?;
        match &self.verdict {
            Ok(_) => f.write_str("accepted"),
            Err(error) => write!(f, "refused: {error}"),
        }
    }
}
