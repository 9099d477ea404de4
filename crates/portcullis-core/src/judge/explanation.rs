//! [`Explanation`]: the outcome of every check of a credential, and of the request that presents it.

use std::fmt;

use super::Check;
use crate::{AuthError, Code, UnixTime, Verified, error::AuthErrorKind, verified::NoCustom};

/// Explains why a credential was accepted or refused, check by check. [`Admission::explain`](crate::Admission::explain) returns it.
///
/// A credential is refused exactly if one of the checks [has failed](Finding::is_failed). `Display` is a list for people, with a line for
/// each check. It says what was expected and how the credential differs, and contains no value of a claim.
#[derive(Debug)]
#[non_exhaustive]
pub struct Explanation<C = NoCustom> {
    /// The checks, in order.
    pub findings: Vec<Finding>,
    /// The verdict: that of the first check that failed.
    pub verdict: Result<Verified<C>, AuthError>,
    /// The instant of the verdict. Requirements of routes are decided by the same instant.
    pub now: UnixTime,
}

/// One check with its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The check.
    pub check: Check,
    /// The outcome of the check.
    pub outcome: Outcome,
    /// What the check expects, if its name does not say enough.
    pub expected: Option<String>,
    /// By what the check passed, if its name does not say enough, such as the place of one of the caller's permissions. Contains no value of
    /// a claim.
    pub because: Option<String>,
    /// The parts of a [`Check::Requirement`], which are requirements themselves; each says in [`expected`](Self::expected) what it requires.
    /// A part may have failed although the whole has passed, such as one of two alternatives.
    pub parts: Vec<Self>,
}

/// The outcome of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The check passed.
    Passed,
    /// The check failed, and the credential is refused.
    Failed {
        /// The code of the refusal.
        code: Code,
        /// How the credential differs from what was expected, if the code does not say enough.
        explanation: Option<String>,
    },
    /// The check could not be decided: keys were not available, or a look-up has failed.
    Undecided {
        /// The code of the fault.
        code: Code,
        /// The reason, if the code does not say enough.
        explanation: Option<String>,
    },
    /// The check was not made, because another check on which it depends has failed or has already decided.
    Skipped,
}

impl<C> Explanation<C> {
    /// Adds a check that was made after the others, and its verdict. The verdict of the explanation remains that of the first check that failed.
    ///
    /// `portcullis` adds the requirement of a route ([`Check::Requirement`]).
    #[must_use]
    pub fn with_check(mut self, finding: Finding, verdict: Result<(), AuthError>) -> Self {
        self.findings.push(finding);
        self.verdict = self.verdict.and_then(|verified| verdict.map(|()| verified));
        self
    }
}

impl Finding {
    /// Makes a finding with the outcome of `check`, without `expected`, `because` and parts.
    pub const fn new(check: Check, outcome: Outcome) -> Self {
        Self { check, outcome, expected: None, because: None, parts: Vec::new() }
    }

    /// Adds what the check expects.
    #[must_use]
    pub fn with_expected(self, expected: impl Into<String>) -> Self {
        Self { expected: Some(expected.into()), ..self }
    }

    /// Adds the parts of the check.
    #[must_use]
    pub fn with_parts(self, parts: impl IntoIterator<Item = Self>) -> Self {
        Self { parts: parts.into_iter().collect(), ..self }
    }

    /// Whether the check failed or could not be decided. If it is one of the [`findings`](Explanation::findings) of an explanation, and not
    /// only a part of one, the request is then not admitted.
    pub const fn is_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed { .. } | Outcome::Undecided { .. })
    }

    /// Writes a line for the finding, and one for each part. The name of a part is what it expects.
    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let name = if depth == 0 { None } else { self.expected.as_deref() };
        let (name, expected) = match name {
            Some(asked) => (asked, None),
            None => (self.check.as_str(), self.expected.as_deref()),
        };
        write!(f, "{:1$}{2} {name}", "", 2 * depth, self.outcome.word())?;
        if let Some((code, explanation)) = self.outcome.reason() {
            write!(f, ": {code}")?;
            explanation.map_or(Ok(()), |explanation| write!(f, ": {explanation}"))?;
        }
        self.because.as_ref().map_or(Ok(()), |because| write!(f, ": {because}"))?;
        expected.map_or(Ok(()), |expected| write!(f, " (expected: {expected})"))?;
        self.parts.iter().try_for_each(|part| {
            f.write_str("\n")?;
            part.write(f, depth + 1)
        })
    }
}

impl Outcome {
    /// Returns the outcome of a check with this result. The kind of the error decides between `Failed` and `Undecided`.
    pub fn of<T>(result: &Result<T, AuthError>) -> Self {
        result.as_ref().map_or_else(Self::failed, |_| Self::Passed)
    }

    pub(super) fn failed(error: &AuthError) -> Self {
        let (code, explanation) = (error.code(), error.explanation().map(str::to_owned));
        match error.kind() {
            AuthErrorKind::Unavailable | AuthErrorKind::Misconfigured => Self::Undecided { code, explanation },
            _ => Self::Failed { code, explanation },
        }
    }

    /// Returns the code and the explanation of a check that failed or could not be decided.
    fn reason(&self) -> Option<(Code, Option<&str>)> {
        match self {
            Self::Failed { code, explanation } | Self::Undecided { code, explanation } => {
                Some((*code, explanation.as_deref()))
            }
            Self::Passed | Self::Skipped => None,
        }
    }

    /// Returns the error of a check that failed or could not be decided.
    pub(super) fn error(&self) -> Option<AuthError> {
        let (code, explanation) = self.reason()?;
        let error = AuthError::new(code);
        Some(match explanation {
            Some(explanation) => error.with_explanation(explanation.to_owned()),
            None => error,
        })
    }

    const fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed   ",
            Self::Failed { .. } => "FAILED   ",
            Self::Undecided { .. } => "UNDECIDED",
            Self::Skipped => "skipped  ",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
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
