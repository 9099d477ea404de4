//! [`Decision`]: the answer of a check.

use std::{borrow::Cow, error::Error, fmt, time::Duration};

/// The answer of a check: yes, no, or "could not be found out".
///
/// It is made from a `bool`, or from a `Result` of either, whose error means "could not be found out". Combinations follow Kleene's
/// three-valued logic: one `Deny` decides an `and`, and one `Allow` decides an `or`, even if another part is undecided.
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "an ignored decision admits every caller"]
pub enum Decision {
    /// The caller is allowed.
    Allow,
    /// The caller is not allowed: 403.
    Deny,
    /// We could not find out: 503, never 403, and never admitted.
    Undecided(Undecided),
}

impl Decision {
    /// Returns "could not be found out" with this reason. The reason goes to the log and must not contain claim values.
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

/// Why a check could not be decided.
#[derive(Debug)]
pub struct Undecided {
    why: Cow<'static, str>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Undecided {
    /// Returns this reason. It goes to the log and must not contain claim values.
    pub fn new(why: impl Into<Cow<'static, str>>) -> Self {
        Self { why: why.into(), retry_after: None, source: None }
    }

    /// Adds when to try again. Defaults to the delay of the rejection.
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
