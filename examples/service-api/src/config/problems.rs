//! What is wrong with a configuration, all of it.

use std::collections::BTreeSet;

use portcullis::ConfigError;

/// Collects problems, at most one for each place: what is missing because it could not be read is not reported twice.
#[derive(Debug, Default)]
pub(super) struct Problems {
    list: Vec<String>,
    places: BTreeSet<String>,
}

impl Problems {
    /// Notes what is wrong at `place` and how to mend it.
    pub(super) fn add(&mut self, place: &str, problem: &str) {
        if self.places.insert(place.to_owned()) {
            self.list.push(format!("{place}: {problem}"));
        }
    }

    /// `value`, or a problem at `place`.
    pub(super) fn require<T>(&mut self, place: &str, value: Option<T>, mend: &str) -> Option<T> {
        if value.is_none() {
            self.add(place, &format!("missing: {mend}"));
        }
        value
    }

    /// What a parser gives, or its error as a problem at `place`.
    pub(super) fn accept<T, E: std::fmt::Display>(&mut self, place: &str, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|error| self.add(place, &error.to_string())).ok()
    }

    pub(super) fn check(self) -> Result<(), ConfigError> {
        ConfigError::check(self.list)
    }

    #[cfg(test)]
    pub(super) fn into_list(self) -> Vec<String> {
        self.list
    }
}
