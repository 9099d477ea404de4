//! What a check answers.

use std::{borrow::Cow, error::Error, fmt, time::Duration};

/// The answer of a check: yes, no, or that it could not be found out.
///
/// Made from a `bool`, and from a `Result` of either, whose error means "could not be found out". In combinations it
/// follows Kleene's three-valued logic: one `Deny` decides an `and`, one `Allow` decides an `or`, whatever is undecided
/// beside it.
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "a decision that nobody looks at lets everybody in"]
pub enum Decision {
    /// The caller may.
    Allow,
    /// The caller may not: 403.
    Deny,
    /// We could not find out: 503, never 403, and never a permission.
    Undecided(Undecided),
}

impl Decision {
    /// We could not find out, for this reason; it goes to the log and must not hold claim values.
    pub fn undecided(why: impl Into<Cow<'static, str>>) -> Self {
        Self::Undecided(Undecided::new(why))
    }
}

impl From<bool> for Decision {
    fn from(allowed: bool) -> Self {
        if allowed { Self::Allow } else { Self::Deny }
    }
}

/// An error means that we could not find out.
impl<D: Into<Self>, E: Into<Box<dyn Error + Send + Sync>>> From<Result<D, E>> for Decision {
    fn from(result: Result<D, E>) -> Self {
        match result {
            Ok(decision) => decision.into(),
            Err(error) => Self::Undecided(Undecided::new("the look-up failed").with_source(error)),
        }
    }
}

/// Why something could not be found out.
#[derive(Debug)]
pub struct Undecided {
    why: Cow<'static, str>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Undecided {
    /// For this reason; it goes to the log and must not hold claim values.
    pub fn new(why: impl Into<Cow<'static, str>>) -> Self {
        Self { why: why.into(), retry_after: None, source: None }
    }

    /// Adds when to try again. Defaults to what the rejection says.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// Adds the error that led to it. Defaults to none.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(super) fn into_parts(self) -> (Cow<'static, str>, Option<Duration>, Option<Box<dyn Error + Send + Sync>>) {
        (self.why, self.retry_after, self.source)
    }
}

impl fmt::Display for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl Error for Undecided {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}
