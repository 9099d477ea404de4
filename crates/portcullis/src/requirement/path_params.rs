//! [`PathParams`]: the parameters in a request's path.

use std::fmt;

/// The path parameters of a request, percent-decoded, by their names in the route's template.
///
/// [`RequireLayer::path`](crate::RequireLayer::path) and [`AccessTable`](crate::AccessTable) fill them in. In tests of a requirement,
/// collect them from pairs. `Debug` shows only the names.
#[derive(Clone, Default)]
pub struct PathParams {
    values: Vec<(String, String)>,
}

impl PathParams {
    /// Returns no parameters.
    pub const fn new() -> Self {
        Self { values: Vec::new() }
    }

    /// Returns the value of the parameter; `None` if the template has none with this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn require<'a>(&'a self, name: &'a str) -> Result<&'a str, Mistake<'a>> {
        self.get(name).ok_or(Mistake::NoParameter(name))
    }
}

/// A developer's mistake that shows only when a request comes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mistake<'a> {
    /// A requirement names a parameter that the route's template does not have.
    NoParameter(&'a str),
    /// The text is not a JSON pointer.
    NoPointer,
    /// The text is not a NATS subject.
    MalformedSubject,
}

impl fmt::Display for Mistake<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoParameter(name) => {
                write!(f, "there is no path parameter {name:?}: give the guard the route's template, with that name")
            }
            Self::NoPointer => f.write_str("that is not a JSON pointer"),
            Self::MalformedSubject => f.write_str("that is not a NATS subject"),
        }
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for PathParams {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self { values: pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }
}

impl fmt::Debug for PathParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.iter().map(|(name, _)| name)).finish()
    }
}
