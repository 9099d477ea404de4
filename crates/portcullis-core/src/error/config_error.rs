//! [`ConfigError`]: the error for the developer, at start.

use std::{error::Error, fmt};

use crate::keys::{KeyError, KeySetError, RingError};

/// A configuration cannot be used. The error lists every problem, each with what to do about it, so that one run finds all.
#[derive(Clone, Debug)]
pub struct ConfigError {
    problems: Vec<String>,
}

impl ConfigError {
    /// Returns an error with one problem: a sentence that names the place, what is wrong there and how to fix it.
    pub fn new(problem: impl Into<String>) -> Self {
        Self { problems: vec![problem.into()] }
    }

    /// Returns `Ok` if there is no problem, otherwise an error that lists all of them.
    ///
    /// # Errors
    ///
    /// If `problems` is not empty.
    pub fn check(problems: Vec<String>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }

    /// Returns the problems, in the order of the configuration. Never empty.
    pub fn problems(&self) -> impl ExactSizeIterator<Item = &str> {
        self.problems.iter().map(String::as_str)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [problem] => f.write_str(problem),
            problems => {
                write!(f, "{} problems:", problems.len())?;
                problems.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
            }
        }
    }
}

impl Error for ConfigError {}

impl From<KeyError> for ConfigError {
    fn from(error: KeyError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<KeySetError> for ConfigError {
    /// One problem for each key that cannot be used.
    fn from(error: KeySetError) -> Self {
        let problems: Vec<_> = error.problems().iter().map(ToString::to_string).collect();
        if problems.is_empty() { Self::new(error.to_string()) } else { Self { problems } }
    }
}

impl From<RingError> for ConfigError {
    fn from(error: RingError) -> Self {
        Self::new(error.to_string())
    }
}
