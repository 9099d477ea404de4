//! What there is to say about a credential, and about the request that presents it.

use std::fmt;

use super::Check;
use crate::{AuthError, Code, UnixTime, Verified, error::AuthErrorKind, verified::NoCustom};

/// Why a credential was accepted or refused, check by check. Made by [`Admission::explain`](crate::Admission::explain).
///
/// It is refused exactly if one of the checks [has failed](Finding::is_failed). `Display` is a list for a person, a line for each check; it says what was
/// expected and how the credential differs, and holds no value of a claim.
#[derive(Debug)]
#[non_exhaustive]
pub struct Explanation<C = NoCustom> {
    /// The checks, in order.
    pub findings: Vec<Finding>,
    /// The verdict: that of the first check that failed.
    pub verdict: Result<Verified<C>, AuthError>,
    /// The instant at which the verdict was found. What a route asks is decided by the same one.
    pub now: UnixTime,
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
    /// What came of the parts that it is made of: for [`Check::Requirement`], each of which is one, too, and says in [`expected`](Self::expected)
    /// what it asks. A part may have failed where the whole has passed: one alternative of two, say.
    pub parts: Vec<Self>,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed: the credential is refused.
    Failed {
        /// With which code.
        code: Code,
        /// How the credential differs from what was expected, if there is more to say than the code does.
        explanation: Option<String>,
    },
    /// It could not be decided: keys could not be had, or a look-up has failed.
    Undecided {
        /// With which code.
        code: Code,
        /// Why, if there is more to say than the code does.
        explanation: Option<String>,
    },
    /// It was not made, because another one on which it depends has failed, or has decided already.
    Skipped,
}

impl<C> Explanation<C> {
    /// Adds a check that is made after the others, and its verdict. The verdict of the whole stays that of the first check that failed.
    ///
    /// `portcullis` adds what a route asks ([`Check::Requirement`]).
    #[must_use]
    pub fn with_check(mut self, finding: Finding, verdict: Result<(), AuthError>) -> Self {
        self.findings.push(finding);
        self.verdict = self.verdict.and_then(|verified| verdict.map(|()| verified));
        self
    }
}

impl Finding {
    /// What came of a check, without more to say about it.
    pub const fn new(check: Check, outcome: Outcome) -> Self {
        Self { check, outcome, expected: None, parts: Vec::new() }
    }

    /// Adds what the check wants.
    #[must_use]
    pub fn with_expected(self, expected: impl Into<String>) -> Self {
        Self { expected: Some(expected.into()), ..self }
    }

    /// Adds the parts that the check is made of.
    #[must_use]
    pub fn with_parts(self, parts: impl IntoIterator<Item = Self>) -> Self {
        Self { parts: parts.into_iter().collect(), ..self }
    }

    /// Whether it failed or could not be decided, so that the request is not let in. The findings that an [`Explanation`] lists, not their parts, tell that.
    pub const fn is_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed { .. } | Outcome::Undecided { .. })
    }

    /// Writes a line for the finding and one for each part, which is named by what it asks.
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
        expected.map_or(Ok(()), |expected| write!(f, " (expected: {expected})"))?;
        self.parts.iter().try_for_each(|part| {
            f.write_str("\n")?;
            part.write(f, depth + 1)
        })
    }
}

impl Outcome {
    /// The outcome of a check with that result: an error says by its kind whether it refuses or could not decide.
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

    /// The code, and what there is to say beyond it, if the request is not let in for that.
    fn reason(&self) -> Option<(Code, Option<&str>)> {
        match self {
            Self::Failed { code, explanation } | Self::Undecided { code, explanation } => {
                Some((*code, explanation.as_deref()))
            }
            Self::Passed | Self::Skipped => None,
        }
    }

    /// The error for it.
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
